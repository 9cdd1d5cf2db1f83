"""Which tests stay together when two processes share the suite: those of one folder, for they share what is costly."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """One group for each folder (pytest-xdist, `--dist loadgroup`)."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(item.path.relative_to(HERE).parts[0]))
