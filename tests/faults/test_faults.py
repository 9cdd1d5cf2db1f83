"""Each fault turns its own scenario red, with its own words, and no other; what is harmless turns none."""

import json
import time
from contextlib import ExitStack
from dataclasses import replace

import pytest

from tests.faults import faults
from tests.faults.matrix import Row
from tests.faults.rig import run_scenarios
from tests.faults.services import ANOTHER, make_calls, tags_of
from tests.faults.stage import OLDER, seeded

# What only reads the good release comes while it stands. What is looked at beside the tests comes last: by then it has
# been.
FAULTS, HARMLESS = (
    sorted(each, key=lambda fault: (fault.level == "layer", not fault.only_reads)) for each in faults.read()
)
pytestmark = pytest.mark.docker


def checked(fault, good, on, layers, tmp_path, every_scenario):
    """Run the scenarios that read what the fault changes."""
    with ExitStack() as around:
        world = faults.made(fault, good, on, layers, around, tmp_path)
        if fault.level == "release":
            return run_scenarios("releasing.py", world, tmp_path)
        chosen = [] if every_scenario else ["-m", fault.selection]
        return run_scenarios("scenarios.py", world, tmp_path, *chosen)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_fault_is_caught_by_its_own_scenario(fault, good, on, layers, rows, tmp_path, pytestconfig):
    """The named scenario goes red and says why; what the fault leaves true stays green; the verdict is a refusal."""
    began, verdict = time.monotonic(), "MISSED"
    try:
        ran = checked(fault, good, on, layers, tmp_path, pytestconfig.getoption("--every-scenario", False))
        assert_caught(fault, ran, on, tmp_path)
        verdict = "caught"
    finally:
        scenario = fault.scenario.name
        rows.append(Row(fault.name, fault.level, fault.scenario.criterion, scenario, fault.october, verdict,
                        time.monotonic() - began))  # fmt: skip


def assert_caught(fault, ran, on, folder):
    """As the catalogue says of the fault."""
    assert ran.red == {*fault.red, *fault.also}, ran.screen
    for name in fault.red:
        missing = [words for words in fault.says if words not in ran.outcomes[name].reason]
        assert not missing, ran.outcomes[name].reason
    assert (ran.word, ran.exit_code) == ("REHEARSAL FAILED", 1)
    assert_left(fault, on)
    if fault.made.get("release", {}).get("rolling"):
        withdrawn(on, folder / "reports" / "partial")


def assert_left(fault, on):
    """The registry holds the tags that the catalogue names, where it names some."""
    assert fault.leaves is None or fault.leaves == tags_of(on), "what the registry holds after the release"


def withdrawn(on, folder):
    """The rolling tag names what it named before; report and verdict say what stands."""
    naming = on.reader.ecr.snapshot().naming()
    tags = on.release
    assert naming[tags.rolling_tag] == naming[ANOTHER]
    said = json.loads((folder / "verdict.json").read_text(encoding="utf-8"))
    released = naming.get(tags.release_tag)
    assert said["release"]["tags"] == ([tag for tag in sorted(naming) if naming[tag] == released] if released else None)
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert (f"{tags.rolling_tag} was put back to {naming[ANOTHER]}" in page) == bool(released), (
        "what the page says is published"
    )


@pytest.mark.parametrize("fault", HARMLESS, ids=lambda fault: fault.name)
def test_harmless_change_turns_nothing_red(fault, good, on, layers, rows, tmp_path, pytestconfig):
    """No scenario goes red, and none is left out: no false alarm."""
    began, verdict = time.monotonic(), "FALSE ALARM"
    try:
        ran = checked(fault, good, on, layers, tmp_path, pytestconfig.getoption("--every-scenario", False))
        assert_green(fault, ran, on)
        verdict = "green"
    finally:
        rows.append(Row(fault.name, fault.level, 0, "none", None, verdict, time.monotonic() - began))


def assert_green(change, ran, on):
    """Nothing is red, and nothing is left out."""
    assert not ran.red, ran.screen
    unproven = {name for name, each in ran.outcomes.items() if each.status != "passed" and not each.only_aws}
    assert not unproven, ran.screen
    assert_left(change, on)
    assert (ran.word, ran.exit_code) == ("INCOMPLETE", 0), "a part of the scenarios, all of them green"


def test_good_release_turns_nothing_red(good, tmp_path):
    """On the good release every single scenario of features/ runs and passes."""
    ran = run_scenarios("scenarios.py", good, tmp_path)
    assert not ran.red, ran.screen
    every = {name for scenario in faults.scenarios().values() for name in scenario.titles.values()}
    assert {name for name, each in ran.outcomes.items() if each.status == "passed"} == every


def test_release_that_changes_after_its_last_scenario_lowers_the_verdict(good, tmp_path):
    """ECR is asked once more at the end: what was checked green and is no longer so gives no verdict."""
    changed = replace(good, answered=replace(good.answered, digest=f"sha256:{'0' * 64}"))
    ran = run_scenarios("scenarios.py", changed, tmp_path, "-m", "ac2")
    assert not ran.red, ran.screen
    assert "the release changed while it was checked" in ran.screen
    assert (ran.word, ran.exit_code) == ("REHEARSAL FAILED", 1), ran.screen


def test_each_fault_begins_with_the_same_repository(on, good):
    """The older image put back by its manifest is as one that was pushed; after a change nothing stands any more."""
    on.older, on.standing = None, {}
    seeded(on)
    pushed = state(on)
    make_calls([{"service": "ecr", "call": "put_image", "with": {"manifest": "other", "imageTag": ANOTHER}}], on, good)
    assert on.standing is None
    assert state(on) != pushed
    seeded(on)
    assert state(on) == pushed
    assert tags_of(on) == {OLDER}


def state(on):
    """All that the registry answers of the repository, but for the moments at which it was made."""
    found = on.reader.ecr.snapshot()
    images = {(each.digest, each.tags, each.size_bytes, each.media_type) for each in found.images}
    return replace(found, repository=replace(found.repository, created_at=None), images=images)
