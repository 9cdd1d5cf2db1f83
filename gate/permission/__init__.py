"""What a run of the gate must be allowed to do on AWS: known before it begins, and no more than it does."""
