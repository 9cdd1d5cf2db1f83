"""Secrets in the image: in its environment, its build history, and every file of its layers."""
