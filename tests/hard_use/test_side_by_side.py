"""Two runs over one reports folder: the second waits, and both are right."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.docker


def test_the_second_run_waits_and_both_are_right(gate):
    """The second says whom it waits for; the evidence that stays is its own alone."""
    first = gate.start("-m", "ac5")
    gate.begun(first)
    second = gate.start("-m", "ac5", "-k", "push or wildcard")
    assert (first.end(), second.end()) == (0, 0), first.text() + second.text()
    assert f"another run (process {first.process.pid}) is using reports/; waiting for it to end" in second.text()
    assert "12 passed" in first.text()
    left = gate.results()
    assert set(left.titles) <= {*left.statuses, ""}
    assert all("push" in scenario or "wildcard" in scenario for scenario in left.statuses)
