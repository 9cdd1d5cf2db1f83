"""The rehearsals of the table, each run once for all of its scenarios."""

from __future__ import annotations

import pytest

from tests.faults.rig import run_pytest
from tests.wiring import checkout
from tests.wiring.images import Images
from tests.wiring.outside import Outside, around
from tests.wiring.table import ROOT, Rehearsal


def pytest_addoption(parser):
    """What `make faults` asks for."""
    parser.getgroup("fault catalogue").addoption(
        "--every-rehearsal", action="store_true", help="run also the rehearsals of tests/wiring that take long"
    )


def pytest_collection_modifyitems(config, items):
    """Leave the long rehearsals to `make faults`."""
    if config.getoption("--every-rehearsal", False):
        return
    long = [item for item in items if hasattr(item, "callspec") and _takes_long(item.callspec.params.get("rehearsal"))]
    config.hook.pytest_deselected(items=long)
    items[:] = [item for item in items if item not in long]


def _takes_long(rehearsal):
    return isinstance(rehearsal, Rehearsal) and not rehearsal.cheap


@pytest.fixture(scope="session")
def images():
    """The images that are made for the table."""
    made = Images()
    yield made
    made.close()


@pytest.fixture
def rehearse(tmp_path, request):
    """Runs a rehearsal."""
    return lambda rehearsal: _run(rehearsal, tmp_path, request)


def _run(rehearsal, into, request):
    options = ["--target", "local", "-o", f"local_state={into / 'state'}", *rehearsal.options]
    if rehearsal.image:
        options += ["--image", request.getfixturevalue("images")[rehearsal.image]]
    if rehearsal.folder is not None:
        # pytest.ini's key and not the option, which does not go with --image.
        options += ["-o", f"image_context={checkout.folder(rehearsal.folder, into)}"]
    outside = Outside(rehearsal)
    with around(outside):
        return run_pytest(str(ROOT / "features"), outside, into, *options)
