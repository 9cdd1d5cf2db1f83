"""CNCF Distribution in a container: it stores blobs and manifests, and has no rules of ECR."""
