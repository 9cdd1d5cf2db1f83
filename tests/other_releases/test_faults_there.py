"""The catalogue's faults on release (a): another account, region, names, Python, language; AC1 is the image's own."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.faults import faults
from tests.faults.layers import Layers, specs_of
from tests.faults.rig import run_scenarios
from tests.faults.stage import good_world, stage
from tests.faults.test_faults import assert_caught, assert_green, checked
from tests.other_releases import folders

pytestmark = [pytest.mark.docker, pytest.mark.soak]
with TemporaryDirectory() as made:
    every, HARMLESS = faults.read(folders.scraper(Path(made, "scraper")))
# The quickest first; what is looked at beside the tests comes last: by then it has been.
FAULTS = sorted(
    (each for each in every if each.scenario.criterion > 1), key=lambda fault: faults.LEVELS.index(fault.level)
)


@pytest.fixture(scope="module")
def on(tmp_path_factory):
    """Engine, good image and local target of release (a)."""
    folder = tmp_path_factory.mktemp("scraper")
    with stage(folder / "stage", folders.scraper(folder / "release")) as found:
        yield found


@pytest.fixture(scope="module")
def good(on):
    """The good release as facts."""
    return good_world(on)


@pytest.fixture(scope="module")
def layers(on, good, request):
    """The thin images, built ahead."""
    made = Layers(on, specs_of(item for item in request.session.items if item.path == request.path))
    yield made
    made.close()


def test_the_good_release_turns_nothing_red(good, tmp_path):
    """Every single scenario runs, under a title that fits, and passes."""
    ran = run_scenarios("scenarios.py", good, tmp_path)
    assert not ran.red, ran.screen
    names = {name for scenario in faults.scenarios(good.home).values() for name in scenario.titles.values()}
    assert {name for name, each in ran.outcomes.items() if each.status == "passed"} == names


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_fault_is_caught_by_its_own_scenario(fault, good, on, layers, tmp_path):
    """With the words of its message, which hold this release's names."""
    assert_caught(fault, checked(fault, good, on, layers, tmp_path, every_scenario=False), on, tmp_path)


@pytest.mark.parametrize("fault", HARMLESS, ids=lambda fault: fault.name)
def test_harmless_change_turns_nothing_red(fault, good, on, layers, tmp_path):
    """No false alarm about another team's release either."""
    assert_green(fault, checked(fault, good, on, layers, tmp_path, every_scenario=False), on)
