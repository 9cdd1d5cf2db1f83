"""What can go wrong with the local target itself."""

from __future__ import annotations


class LocalTargetError(RuntimeError):
    """The local target cannot be started or used; the text names the cause and what to do."""
