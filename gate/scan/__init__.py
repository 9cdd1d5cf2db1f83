"""Vulnerability scans of the published image, the register of exceptions, and the nightly comparison."""
