"""The pages that people rely on say what the code says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from gate.errors import GateError, WrongUse

ROOT = Path(__file__).parents[2]


def test_the_on_call_page_lists_every_check_as_it_is():
    """A check that was added or reworded is in docs/on-call.md, or this test names the way: make handbook."""
    # A process of its own: the checks that tests make up are not on its list of checks.
    made = subprocess.run(
        [sys.executable, "-m", "gate.report.handbook"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert made.stdout == (ROOT / "docs" / "on-call.md").read_text(), "run `make handbook` and commit docs/on-call.md"

    checks = made.stdout.partition("## When a fact")[0].split("\n### ")[1:]
    assert [text for text in checks if not re.search(r"^- to do: .", text, re.M)] == []


@pytest.mark.parametrize(
    "kind", [k for k in GateError.__subclasses__() if k is not WrongUse], ids=lambda kind: kind.__name__
)
def test_a_fact_that_could_not_be_had_has_a_way_out(kind):
    """Also where whoever raises it names none; wrong use is one sentence, and says it there."""
    assert f"\n    to do: {kind.usual_remedy}" in str(kind("gone"))
    assert kind.usual_remedy
    assert str(kind("gone", remedy="look there")) == "gone\n    to do: look there"
