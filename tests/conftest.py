"""The whole suite: property tests without clock or dice; tests that share what is costly stay together."""

import gc

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

# How long one example takes says nothing on a machine that does other things beside; `make bench` measures. The same
# examples each time: a suite that is red today was not green yesterday by luck. `make soak` draws others, and more.
settings.register_profile("suite", deadline=None, derandomize=True)
settings.register_profile("soak", deadline=None, max_examples=2000)
settings.load_profile("suite")

# Thousands of tests are kept to the end: Python need not look for garbage among them as often as it does.
gc.set_threshold(10_000)

# What takes minutes is begun first, so that no process is left with it at the end.
LONG = ("faults", "hard_use", "scanner", "another_image", "other_releases", "wiring", "runtime", "local_target", "run")
# Nothing costly is shared in these folders, so each file may go to another process.
BY_FILE = ("access", "evidence", "hard_use", "registry", "run", "scan")


class ByFolder(LoadScopeScheduling):
    """Hands out whole folders, or whole files where a folder has nothing to share."""

    def _split_scope(self, nodeid):
        folder = nodeid.partition("/")[0]
        return nodeid.partition("::")[0] if folder in BY_FILE else folder


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """The scheduler for `make test`'s processes (pytest-xdist's own hook)."""
    return ByFolder(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """The long folders first; within one the order stays."""
    places = {folder: place for place, folder in enumerate(LONG)}
    items.sort(key=lambda item: places.get(item.nodeid.partition("/")[0], len(LONG)))
