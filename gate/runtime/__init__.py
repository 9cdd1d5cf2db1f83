"""The Lambda sandbox: an image run as Lambda runs it, with the gate's own Runtime API and no network.

The engine sets Lambda's constraints: read-only root, a bounded /tmp, Lambda's user, no capabilities, no shared memory,
the configured memory and its share of CPU. The containers have no credentials and no route to any other network.
"""
