"""Every scenario on a release that is really made: published into the local target, scanned, promoted and read again.

Only the image is one that was looked at before: what it costs to look at it is not what these faults are about.
"""

from functools import partial

import pytest
from pytest_bdd import scenarios

from gate.cached_property import made_once
from gate.publish.pipeline import Pipeline
from gate.run.connections import Connections
from gate.scan.reader import ScanReader
from tests.faults.scenarios import accepted_ends, known_image, notes, register, world
from tests.faults.stage import quick
from tests.faults.world import ROOT

__all__ = ["accepted_ends", "notes", "register", "world"]

scenarios(str(ROOT / "features"))

# The local target needs a moment for its scan; whether an empty answer stays empty is seen after a minute and a half.
FAST = quick(pace=1.0, share=0.02)


@pytest.fixture(scope="session")
def release_pipeline(world, run):
    """A real release of the image that is known already, into the local target that is up already."""

    class Connected(Connections):
        @made_once
        def target(self):
            environment = self.stack.enter_context(pytest.MonkeyPatch.context())
            for name, value in world.environment.items():
                environment.setenv(name, value)
            environment.setattr("gate.run.connections.ScanReader", partial(ScanReader, time=FAST))
            return "local"

    class Releasing(Pipeline):
        @made_once
        def candidate(self):
            return known_image(self.run, world)

    pipeline = Releasing(Connected(run))
    yield pipeline
    pipeline.close()
