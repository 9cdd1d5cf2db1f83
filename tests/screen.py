"""What a run said, as sentences: the terminal wraps them at 120 columns."""

from __future__ import annotations

import re

# The next line is a part of its own where one of these begins it.
_WRAPPED = re.compile(r"\n +(?!where: |to do: |not run: |[…–✓✗]| )")


def unwrapped(text: str) -> str:
    """The text with each indented line behind the one that it goes on from."""
    return _WRAPPED.sub(" ", text)
