"""Whole runs around the moment that cannot be undone: no tag before the last yes, and nothing forgotten after it."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path

import pytest

from tests.hard_use.runs import ROOT, Gate
from tests.other_releases import folders

pytestmark = pytest.mark.docker

SCENARIO = "A scenario that was added today"
FEATURE = f"""{{tags}}
Feature: Added on the fly

  Scenario: {SCENARIO}
    Then it does not hold
"""
STEPS = """
from pytest_bdd import then
from gate.check import reject, require

@then("it does not hold")
def it_does_not_hold():
    require(reject("the scenario of today does not hold", "here", "mend it"))
"""


@pytest.fixture
def checkout(tmp_path) -> Path:
    """This repository, with features/ of its own."""
    root = tmp_path / "checkout"
    root.mkdir()
    for name in ("gate", "steps", "image", "localaws", "tests", "conftest.py", "pytest.ini"):
        (root / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "features", root / "features")
    (root / "features" / "conftest.py").write_text(STEPS)
    return root


def with_scenario(checkout: Path, tags: str) -> None:
    """Add a failing scenario: a feature file and nothing else."""
    (checkout / "features" / "today.feature").write_text(FEATURE.format(tags=tags))


def changed(gate: Gate, kind: str = "full") -> list[str]:
    """The tags that a run gave, by its own record of every AWS call."""
    (record,) = (r for r in gate.results(kind).evidence.values() if r["title"] == "every AWS call of the run")
    return [call["operation"] for call in record["answer"] if call["operation"] == "PutImage"]


def test_a_scenario_that_was_added_today_is_a_condition_of_the_tags(checkout, tmp_path):
    """Nobody has to enter it anywhere: the candidate was pushed, and no tag was given."""
    with_scenario(checkout, "@ac9")
    gate = Gate(tmp_path, checkout, folders.plain(tmp_path / "plain"))
    code, said = gate.run()
    found = gate.results("full")
    assert (code, found.word) == (1, "REHEARSAL FAILED"), said
    assert {name for name, status in found.statuses.items() if status == "failed"} >= {SCENARIO}
    assert found.verdict["release"]["tags"] is None
    # A push of the engine leaves one PutImage, for the candidate.
    assert changed(gate) == ["PutImage"], said
    assert "given no other tag" in said
    assert "the scenario of today does not hold" in said


def test_a_killed_promotion_is_explained_and_completed_and_a_refused_one_is_told_every_night(checkout, tmp_path):
    """Killed between the tags; completed by the next run, which is refused at its end; the night says so first."""
    gate = Gate(tmp_path, checkout, folders.plain(tmp_path / "plain"))
    killed = gate.start("-p", "tests.hard_use.dying", PYTHONPATH=str(ROOT))
    assert killed.end() == -signal.SIGKILL, killed.text()

    with_scenario(checkout, "@ac8 @published @after_promotion")
    code, said = gate.run("--keep")
    found = gate.results("full")
    assert (code, found.word) == (1, "REHEARSAL FAILED"), said
    assert "was cut short before its verdict, and v1.0.0 names it" in said
    assert sorted(found.verdict["release"]["tags"]) == ["candidate", "latest", "v1.0.0"], "the promotion was completed"
    assert {name for name, status in found.statuses.items() if status == "failed"} == {SCENARIO}
    promotion = json.loads((gate.reports / "evidence" / "promotion.json").read_text())
    assert (promotion["state"], promotion["rolling_before"]) == ("refused", "")

    (checkout / "features" / "today.feature").unlink()
    code, said = gate.run("-m", "rescan")
    assert (code, gate.results("rescan").word) == (1, "NOT CLEAN"), said
    assert gate.results("rescan").verdict["reasons"][0].startswith("AC2: No release that was refused or cut short"), (
        said
    )
    assert "was refused (AC8: A scenario that was added today)" in said
