"""The results of checks, as the tests read them."""

from __future__ import annotations

from gate.check import CheckResult


def said(result: CheckResult) -> str:
    """The rejections as text ("" for accepted)."""
    return "\n".join(map(str, result.rejections))
