"""The image under judgement: how it was built, what is in it, and whether that is what was agreed."""
