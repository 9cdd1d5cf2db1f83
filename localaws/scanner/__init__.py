"""The local scanner: the packages of a pushed image against OSV advisories; a simulation of ECR's own scan."""

from pathlib import Path

SHIPPED = Path(__file__).parent / "advisories"


class ScanFailed(RuntimeError):
    """The scan has no result: the text names what was missing or unreadable, and what to do."""
