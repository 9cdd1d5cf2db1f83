"""Releases of other teams: each from its own folder, with its own names, checked by what its own pytest.ini states."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hard_use.runs import Gate, Results
from tests.other_releases import folders

pytestmark = pytest.mark.docker
ABOUT_THE_IMAGE = "before_push and not published"
NOT_RUN = "Five warm invocations succeed and leave nothing behind"
AWS_BASE = "The approved base is the one that AWS publishes"
CURRENT_DATA = "The vulnerability data is current"
PYTHON = "The function runs on the agreed Python"


def looked_at(made: Path) -> tuple[Results, str]:
    """What the scenarios about the image came to, and what the run said."""
    gate = Gate(made.parent)
    _, said = gate.run("--release-folder", str(made), "-m", ABOUT_THE_IMAGE)
    return gate.results(), said


def rehearsed(made: Path) -> tuple[Results, str]:
    """What a whole rehearsal came to, and what it said; it must have passed."""
    gate = Gate(made.parent)
    code, said = gate.run("--release-folder", str(made))
    results = gate.results("full")
    assert (code, results.word) == (0, "REHEARSAL PASSED"), said
    assert of_status(results, "failed") == set(), said
    return results, said


def of_status(results: Results, status: str) -> set[str]:
    """The scenarios with a status."""
    return {name for name, found in results.statuses.items() if found == status}


def reasons(results: Results) -> set[str]:
    """Why scenarios are left out."""
    return {each["reason"] for each in results.verdict.get("not_part", [])}


def test_a_plain_image_is_checked_without_a_browser(tmp_path):
    """(b) As adopted: a whole rehearsal passes, and what it has no part of is left out with the reason."""
    results, said = rehearsed(folders.plain(tmp_path / "plain"))
    assert of_status(results, "not run") == {AWS_BASE, PYTHON, CURRENT_DATA}
    assert reasons(results) == {
        "no browser is part of this release: chrome_bin is empty in pytest.ini",
        "no driver is part of this release: chromedriver_bin is empty in pytest.ini",
        "no zip function is part of this release: zip_function is empty in pytest.ini",
    }
    assert len(results.verdict["not_part"]) == 13
    page = (results.folder / "report.html").read_text()
    assert "Not part of this release" in page
    assert "No browser is part of this release: chrome_bin is empty in pytest.ini" in page
    assert "13 are left out as no part of this release" in said
    assert not any("overridden" in reason for reason in results.verdict["reasons"])


def test_a_browser_with_other_names_memory_and_language_is_checked(tmp_path):
    """(a) Its own letters are looked at, on its own Python's base, which the stand-in does not have."""
    results, said = looked_at(folders.scraper(tmp_path / "scraper"))
    assert of_status(results, "failed") == set(), said
    assert of_status(results, "not run") == {AWS_BASE, PYTHON}
    assert "Text in the language de is drawn as glyphs and not as boxes" in of_status(results, "passed")
    assert results.verdict.get("not_part", []) == []
    (probe,) = (each["answer"] for each in results.evidence.values() if each["title"] == "Chrome on the gate's page"
                and "language de" in each["scenario"])  # fmt: skip
    assert [each["character"] for each in probe["screenshot"]["glyphs"]] == list("ÄÖÜß")
    assert probe["settings"]["memory_mb"] == 768


def test_a_runtime_of_its_own_is_checked_without_a_python(tmp_path):
    """(d) All that holds for any image is looked at: the sandbox is served and measured from beside the function."""
    results, _ = rehearsed(folders.own_runtime(tmp_path / "own"))
    assert of_status(results, "not run") == {AWS_BASE, CURRENT_DATA}
    passed = of_status(results, "passed")
    assert {NOT_RUN, "The agreed handler is the one that Lambda is given"} < passed
    assert "no Python is part of this release: python_version is empty in pytest.ini" in reasons(results)
    (run,) = (each["answer"] for each in results.evidence.values() if each["title"] == "invocations")
    sample = run["invocations"][-1]["after"]
    assert [each["name"] for each in sample["processes"]] == ["bootstrap"], "and not those that measure"
    assert 0 < sample["memory_bytes"] < sample["high_water_bytes"]


@pytest.mark.soak
def test_a_runtime_of_its_own_that_leaks_is_refused(tmp_path):
    """(d) What is measured from beside it is seen; and an empty key hides no Python."""
    results, said = looked_at(folders.leaking_runtime(tmp_path / "leaking"))
    readable = "Everything in the image can be read by the user that Lambda runs as"
    assert of_status(results, "failed") == {NOT_RUN, readable}, said
    scenarios = (each for criterion in results.verdict["criteria"].values() for each in criterion["scenarios"])
    whys = {each["name"]: each["reason"] for each in scenarios}
    assert "sleep" in whys[NOT_RUN]
    assert "/var/lang/bin/python3.13 is Python's runtime for Lambda" in whys[readable]


@pytest.mark.soak
def test_one_stage_with_everything_beside_the_handler_is_checked(tmp_path):
    """(c) The kind of Dockerfile that people publish, with more memory than this machine has CPUs for."""
    results, _ = rehearsed(folders.one_stage(tmp_path / "renderer"))
    assert {AWS_BASE, PYTHON, NOT_RUN, CURRENT_DATA} <= of_status(results, "not run")
    assert "no drawn language is part of this release: drawn_language is empty in pytest.ini" in reasons(results)


@pytest.mark.soak
def test_a_release_with_every_part_is_rehearsed_whole(tmp_path):
    """(a) With its zip function beside it: nothing is left out."""
    results, _ = rehearsed(folders.scraper(tmp_path / "scraper"))
    assert {AWS_BASE, PYTHON, CURRENT_DATA} <= of_status(results, "not run")
    assert results.verdict.get("not_part", []) == []
