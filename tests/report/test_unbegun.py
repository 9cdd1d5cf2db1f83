"""What kept a run from beginning is the last thing on the screen, and not a flood of scenarios that it kept from it."""

import io

import pytest

from gate.report.terminal import SHOWN_NOT_BEGUN, Terminal
from gate.verdict import Verdict


def said(*not_begun, beside=()):
    """What the terminal shows of a verdict."""
    verdict = Verdict("NO-GO", 1, (*beside, *not_begun), {}, (), beside, not_begun)
    screen = io.StringIO()
    Terminal(screen).verdict(verdict, (), "repo v1 on AWS", "report.html")
    return screen.getvalue()


def test_a_flood_of_scenarios_that_were_not_begun_is_counted():
    """The cause stays in sight."""
    unbegun = [f"not run: scenario {number}" for number in range(70)]
    text = said(*unbegun, "AC1 has no scenario", beside=("The caller may not ecr:PutImage",))
    assert "The caller may not ecr:PutImage" in text
    assert "71 scenarios were not begun; the report names them" in text
    assert "scenario 3" not in text
    assert "has no scenario" not in text


@pytest.mark.parametrize("number", [1, SHOWN_NOT_BEGUN])
def test_a_few_of_them_are_named(number):
    """Each by its title."""
    text = said(*[f"not run: scenario {each}" for each in range(number)])
    assert text.count("not run: scenario") == number
    assert "were not begun" not in text
