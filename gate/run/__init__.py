"""One acceptance run, from its options to its verdict and what it leaves on disk.

Everything that merely collects scenarios imports this and no more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from gate.run.model import Run

# The name under which the run follows pytest, and where it is kept.
PLUGIN = "release-gate"
RUN: pytest.StashKey[Run] = pytest.StashKey()
