"""The image's Chrome at work: a page of ours, opened in the Lambda sandbox, and what its picture shows."""
