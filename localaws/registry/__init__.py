"""CNCF Distribution in a container: it keeps blobs and manifests, and knows nothing of ECR."""
