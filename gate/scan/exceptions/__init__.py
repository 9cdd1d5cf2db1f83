"""The register, image/exceptions.yaml: the policy, what is excepted from it, and what no scanner sees."""
