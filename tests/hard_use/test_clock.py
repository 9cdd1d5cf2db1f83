"""A clock that is wrong, or that somebody sets while a run goes on. On scenarios that read files alone."""

from __future__ import annotations

import pytest

from gate.evidence.verify_run import verify

pytestmark = pytest.mark.slow

DAY = 86_400
REVIEWS, REGISTER = "Every review of a principal is in force", "The register of exceptions is valid and current"
BOTH = ("-k", "review_of_a_principal or register_of_exceptions")


@pytest.mark.parametrize(("ahead", "way"), [(2 * DAY, "forward"), (-2 * DAY, "back")])
def test_a_clock_that_is_set_within_a_run_gives_no_yes(gate, ahead, way):
    """All scenarios hold, and the evidence's moments are worth nothing: no verdict but a no, on whole evidence."""
    code, said = gate.run(*BOTH, "-p", "tests.hard_use.other_clock", CLOCK_AHEAD=str(ahead), CLOCK_IS_SET="within")
    assert (code, gate.results().word) == (1, "REHEARSAL FAILED"), said
    assert f"this machine's clock was set {way} by {abs(ahead)} s while the run went on" in said
    assert set(gate.results().statuses.values()) == {"passed"}
    assert [each for check in verify(gate.results().folder) for each in check.result.rejections] == []


@pytest.mark.parametrize(
    ("years", "red", "words"),
    [(3, {REVIEWS, REGISTER}, "expired on"), (-3, {REGISTER}, "at most 90 days are allowed")],
    ids=["ahead", "behind"],
)
def test_a_clock_that_is_wrong_all_along_makes_nothing_valid(gate, years, red, words):
    """Years ahead everything is expired; years behind, entries run for longer than any may."""
    ahead = str(years * 365 * DAY)
    code, said = gate.run(*BOTH, "-p", "tests.hard_use.other_clock", CLOCK_AHEAD=ahead, CLOCK_IS_SET="before")
    assert (code, gate.results().word) == (1, "REHEARSAL FAILED"), said
    assert {scenario for scenario, status in gate.results().statuses.items() if status == "failed"} == red
    assert words in said
    assert gate.run(*BOTH)[0] == 0, "the next run, with the clock set right"
