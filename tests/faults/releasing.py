"""Every claim on a release that is really made: published into the local target, scanned, promoted and read again.

Only the image is one that was looked at before: what it costs to look at it is not what these faults are about.
"""

import pytest
from pytest_bdd import scenarios

from tests.faults.claims import candidate, notes, world
from tests.faults.world import ROOT

__all__ = ["candidate", "notes", "world"]

scenarios(str(ROOT / "features"))


@pytest.fixture(scope="session")
def target(world):
    """The local target that is up already, found by the ordinary AWS chain."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in world.environment.items():
            environment.setenv(name, value)
        yield


@pytest.fixture(scope="session")
def register(world):
    """The register of exceptions."""
    return world.register
