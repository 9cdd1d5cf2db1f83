"""The mutation run itself: what it asks about, and that nothing survives it unexplained."""

import pytest

from tests.mutation.__main__ import Plan, main
from tests.mutation.meaning import meaning, only_for_examples
from tests.mutation.page import NOT_RUN, Result, markdown
from tests.mutation.tool import ROOT

CHANGE = {"operator": "AddNot", "line": 7, "was": "if a:", "becomes": "if not a:"}
OTHER = {**CHANGE, "line": 9, "was": "if b:", "becomes": "if not b:"}
WHY = {"was": "if a:", "becomes": "if not a:", "why": "a is never true"}


def result(outcome, *explained):
    """A module with one mutant of this outcome and one that was killed."""
    mutants = [{**CHANGE, "outcome": outcome}, {**OTHER, "outcome": "killed"}]
    return Result("gate/x.py", "2026-01-01", mutants, list(explained))


def test_every_module_with_judges_is_in_the_plan_with_tests_that_exist():
    """A check that nobody would try is named by the run and by this test."""
    plan = Plan.read()
    named = [*plan.roll, *(test for tests in plan.tests.values() for test in tests), *plan.tests]
    assert [each for each in named if not (ROOT / each).exists()] == []


def test_a_module_that_is_not_in_the_plan_is_refused():
    """A misspelt module is not silently nothing."""
    with pytest.raises(SystemExit, match=r"gate/verdikt\.py"):
        main(["gate/verdikt.py"])


@pytest.mark.parametrize("outcome", ["killed", "timeout"])
def test_a_killed_mutant_needs_no_word(outcome):
    """A mutant that the clock ended was noticed too."""
    assert result(outcome).complaints() == []


def test_a_survivor_has_to_be_explained():
    """Without an explanation it is named by its place and change."""
    assert result("survived").complaints() == ["gate/x.py:7 lives: 'if a:' becomes 'if not a:'"]
    assert result("survived", WHY).complaints() == []


def test_an_explanation_of_nothing_has_to_go():
    """What was killed since, or was never there, is not explained any more."""
    assert "no longer survives in gate/x.py" in result("killed", WHY).complaints()[0]


def test_the_page_shows_the_score_and_why_a_mutant_survives():
    """Half of two was killed, and the other half has its sentence."""
    page = markdown([result("survived", WHY)])
    assert "| gate/x.py | 2 | 1 | 1 | 50.0 % | 2026-01-01 |" in page
    assert "a is never true" in page


def test_a_module_that_was_not_run_is_named_and_counts_for_nothing():
    """Neither the run nor the page takes no mutants at all for no survivors."""
    left = Result("gate/y.py", NOT_RUN, [], [])
    page = markdown([result("killed"), left])
    assert left.complaints() == ["gate/y.py was not run as it is now"]
    assert "| gate/y.py | – | – | – | – | not run |" in page
    assert "| **all** | 2 | 2 | 0 | 100.0 % | 2026-01-01, 1 not run |" in page


MODULE = """
@check(2, known_bad=lambda: (_bad(), 1))
def f(x: int | None) -> CheckResult:
    return reject(f"{x or 'none'}") if x < _LIMIT else ACCEPTED
_LIMIT = 5
def _bad():
    return 7
"""


@pytest.mark.parametrize(
    ("old", "new", "matters"),
    [
        ("x < _LIMIT", "x <= _LIMIT", True),
        ("_LIMIT = 5", "_LIMIT = 6", True),
        ("check(2", "check(3", True),
        ("int | None", "int & None", False),
        ("return 7", "return 8", False),
        ("_bad(), 1", "_bad(), 2", False),
        ("x or 'none'", "x and 'none'", False),
    ],
)
def test_only_what_a_test_could_notice_is_a_mutant(old, new, matters):
    """Thresholds and the list are; annotations, known-bad values and the wording of a sentence are not."""
    examples = only_for_examples(MODULE)
    assert (meaning(MODULE, examples) != meaning(MODULE.replace(old, new), examples)) is matters
