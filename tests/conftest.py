"""Which tests stay together when two processes share the suite: those of one folder, for they share what is costly."""

import pytest
from xdist.scheduler import LoadScopeScheduling


class ByFolder(LoadScopeScheduling):
    """Hands out whole folders."""

    def _split_scope(self, nodeid):
        return nodeid.partition("/")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """The scheduler for `make test`'s two processes (pytest-xdist's own hook)."""
    return ByFolder(config, log)
