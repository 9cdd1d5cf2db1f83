"""Calling AWS: errors with their cause (`errors`), repeated calls (`retry`), endpoints and the AWS call log."""
