"""Which scenarios there are, in features/, and which of them a run holds."""
