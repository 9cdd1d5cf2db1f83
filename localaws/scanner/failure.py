"""Why a scan has no result."""

from __future__ import annotations


class ScanFailed(RuntimeError):
    """Nothing is known about the image: the text names what was missing or unreadable, and what to do."""
