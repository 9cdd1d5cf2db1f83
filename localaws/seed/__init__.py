"""The account before the release, made through boto3 alone: it documents what must exist on AWS."""
