"""The Lambda sandbox: an image run as Lambda runs it, with a Runtime API of our own and no way out.

Lambda's constraints are the engine's: read-only root, a bounded /tmp, Lambda's user, no capabilities, no shared
memory, the configured memory and its share of CPU. Nothing in there has credentials or a route to anywhere.
"""
