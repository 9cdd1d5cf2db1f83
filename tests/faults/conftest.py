"""One good release for the whole catalogue, its thin layers built ahead, and the matrix at the end."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from tests.faults import faults, matrix
from tests.faults.layers import Layers, specs_of
from tests.faults.stage import good_world, stage

ROWS = pytest.StashKey["list[matrix.Row]"]()


def pytest_addoption(parser):
    """What `make faults` asks for."""
    group = parser.getgroup("fault catalogue")
    group.addoption(
        "--every-scenario", action="store_true", help="run all scenarios on each fault, not those that read it"
    )
    group.addoption("--matrix", metavar="FILE", help="print the matrix, and write it as Markdown")


@pytest.fixture(scope="session")
def on(tmp_path_factory):
    """Engine, good image and local target."""
    with stage(tmp_path_factory.mktemp("stage")) as found:
        yield found


@pytest.fixture(scope="session")
def good(on):
    """The good release as facts."""
    world = good_world(on)
    # The facts are thousands of objects that never go away: each run inside this one would look through them again.
    gc.collect()
    gc.freeze()
    yield world
    gc.unfreeze()


@pytest.fixture(scope="session")
def layers(on, good, request):
    """The thin images of the selected tests, two at a time, in their order."""
    made = Layers(on, specs_of(request.session.items))
    yield made
    made.close()


@pytest.fixture(scope="session")
def rows(pytestconfig):
    """The matrix as it grows."""
    return pytestconfig.stash.setdefault(ROWS, [])


def pytest_terminal_summary(terminalreporter, config):
    """Print the matrix, and write it where `make faults` wants it: whole, or not at all."""
    rows = config.stash.get(ROWS, [])
    file = config.getoption("--matrix", None)
    if not rows or not file:
        return
    terminalreporter.write_line(matrix.text(rows))
    if len(rows) < sum(map(len, faults.read())):
        terminalreporter.write_line(f"{file} is left as it was: not every fault of the catalogue was made")
        return
    matrix.write(rows, Path(file))
