"""The local target: a registry with ECR's rules and the AWS services beside it, on loopback only."""
