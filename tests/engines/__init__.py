"""The gate on engines that this machine does not have: each in a sandbox of its own, from Debian's packages alone."""
