"""The Lambda function's code."""
