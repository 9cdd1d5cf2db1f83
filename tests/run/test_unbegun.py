"""What kept a run from beginning is the last thing on the screen, and not a flood of claims that it kept from it."""

import io

import pytest

from gate.run.terminal import SHOWN_UNBEGUN, Terminal
from gate.verdict import Verdict


def said(*reasons):
    """What the terminal shows of a verdict."""
    screen = io.StringIO()
    Terminal(screen).verdict(Verdict("NO-GO", 1, reasons, {}, ()), (), "repo v1 on AWS", "report.html")
    return screen.getvalue()


def test_a_flood_of_claims_that_were_not_begun_is_counted():
    """The cause stays in sight."""
    unbegun = [f"not run: claim {number}" for number in range(70)]
    text = said("The caller may not ecr:PutImage", *unbegun, "AC1 has no scenario")
    assert "The caller may not ecr:PutImage" in text
    assert "70 claims were not begun; the report names them" in text
    assert "claim 3" not in text
    assert "has no scenario" not in text


@pytest.mark.parametrize("number", [1, SHOWN_UNBEGUN])
def test_a_few_of_them_are_named(number):
    """Each by its title."""
    text = said(*[f"not run: claim {each}" for each in range(number)])
    assert text.count("not run: claim") == number
    assert "were not begun" not in text
