"""What goes wrong after the verdict was decided: then it is not given."""

from __future__ import annotations

import pytest

from tests.hard_use.failing_end import FAILURES

pytestmark = pytest.mark.slow

# The cheapest scenario: it reads one file.
ONE = ("-k", "Every_review_of_a_principal or every_review_of_a_principal")


@pytest.mark.parametrize("failure", FAILURES)
def test_a_run_that_cannot_write_its_report_gives_no_verdict(gate, failure):
    """Interrupted, without disk or by a defect: INCOMPLETE on screen and disk, and the reason."""
    code, said = gate.run(*ONE, "-v", "-p", "tests.hard_use.failing_end", FAILING_END=failure)
    assert code != 0
    assert "INCOMPLETE  the run could not be concluded" in said
    assert "✓ Every review of a principal is in force" in said
    assert "report: " not in said  # the verdict's own block
    left = gate.results()
    assert left.word == "INCOMPLETE"
    assert "could not be concluded" in left.verdict["reasons"][0]


def test_a_collection_that_fails_leaves_no_old_verdict(gate):
    """Not even a scenario was found: yesterday's verdict is gone all the same."""
    assert gate.run(*ONE)[0] == 0
    assert gate.results().statuses
    code, said = gate.run("--deselect", "features")
    assert code != 0, said
    assert (gate.results().word, gate.results().statuses) == ("INCOMPLETE", {})
