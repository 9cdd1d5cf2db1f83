"""The ECR API in front of a registry: JSON 1.1 and /v2/ on one port, with ECR's rules and errors."""
