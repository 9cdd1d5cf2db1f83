"""The whole suite: property tests without clock or dice; tests of one folder stay together, sharing what is costly."""

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

# How long one example takes says nothing on a machine that does other things beside; `make bench` measures. The same
# examples each time: a suite that is red today was not green yesterday by luck. `make soak` draws others, and more.
settings.register_profile("suite", deadline=None, derandomize=True)
settings.register_profile("soak", deadline=None, max_examples=2000)
settings.load_profile("suite")


class ByFolder(LoadScopeScheduling):
    """Hands out whole folders."""

    def _split_scope(self, nodeid):
        return nodeid.partition("/")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """The scheduler for `make test`'s two processes (pytest-xdist's own hook)."""
    return ByFolder(config, log)
