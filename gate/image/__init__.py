"""The candidate image: how it was built, what is in it, and whether that is what was agreed."""
