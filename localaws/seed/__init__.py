"""The world before the release, made through boto3 alone: it documents what AWS must look like."""
