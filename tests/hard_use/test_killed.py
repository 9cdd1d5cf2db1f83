"""Runs that are ended at a random moment: never a yes on the disk, the evidence so far, and a clean next run."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import time

import pytest

from gate.evidence.store import canonical
from tests.hard_use.runs import Gate, Results, Started, owned_by

pytestmark = pytest.mark.docker

SEED = os.environ.get("HARD_USE_SEED") or str(time.time_ns())
ROUNDS = int(os.environ.get("HARD_USE_ROUNDS", "3"))
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
# `make test` ends runs that build, inspect and begin to publish; `make soak` ends whole ones, anywhere.
WHOLE = bool(os.environ.get("HARD_USE_WHOLE"))
KIND, ARGUMENTS, LATEST = ("full", (), 90) if WHOLE else ("partial", ("-m", "ac5 or ac6"), 15)


@pytest.fixture
def gate(gate, plain_gate) -> Gate:
    """About a small image; about the release's own where whole runs are ended."""
    return gate if WHOLE else plain_gate


def yesterday(gate: Gate) -> None:
    """What a run of yesterday left, that passed."""
    folder = gate.results(KIND).folder
    (folder / "evidence").mkdir(parents=True, exist_ok=True)
    (folder / "verdict.json").write_text(json.dumps({"verdict": "REHEARSAL PASSED"}))
    (folder / "evidence" / "999-yesterday.json").write_text(json.dumps({"scenario": "yesterday", "title": "old"}))


@pytest.mark.parametrize("number", range(ROUNDS))
def test_an_ended_run_says_no_and_leaves_nothing_to_the_next(gate, engine, number):
    """Whatever the moment: no yes on disk, whole evidence, and the next run tidies up and is right."""
    drawn = random.Random(f"{SEED}-{number}")  # noqa: S311 - a moment, no secret
    after, how = drawn.uniform(0, LATEST), SIGNALS[number % len(SIGNALS)]
    run = _ended_run(gate, after, how)
    story = f"HARD_USE_SEED={SEED}: {how.name} after at most {after:.1f} s"
    assert run.end() != 0, f"{story}:\n{run.text()[-3000:]}"
    left = gate.results(KIND)
    assert left.word in {"INCOMPLETE", "REHEARSAL FAILED"}, story
    _evidence_is_whole(left, story)
    if how is not signal.SIGKILL:
        _ended_in_good_order(left, story, run.text())
    _next_run_is_right(gate, story)
    assert (run.processes(), owned_by(engine, run.process.pid)) == ([], []), story


def _ended_run(gate: Gate, after: float, how: signal.Signals) -> Started:
    """A run that got the signal; on a fast machine it may be over before, then another gets it sooner."""
    while True:
        yesterday(gate)
        run = gate.start(*ARGUMENTS)
        gate.begun(run, KIND)
        try:
            run.process.wait(after)
        except subprocess.TimeoutExpired:
            run.end(how)
            return run
        after /= 2


def _evidence_is_whole(left: Results, story: str) -> None:
    for name, record in left.evidence.items():
        assert record["scenario"] != "yesterday", story
        assert record["sha256"] == hashlib.sha256(canonical(record["answer"])).hexdigest(), f"{story}: {name}"


def _ended_in_good_order(left: Results, story: str, said: str) -> None:
    """A signal that can be answered ends the run with a reason, a sealed index and a report."""
    reasons = " ".join(left.verdict["reasons"])
    assert "interrupted" in reasons or "could not be concluded" in reasons, f"{story}: {reasons}\n{said[-3000:]}"


def _next_run_is_right(gate: Gate, story: str) -> None:
    code, said = gate.run("-m", "ac5")
    after = gate.results()
    assert (code, after.word) == (0, "INCOMPLETE"), f"{story}:\n{said[-3000:]}"
    assert set(after.statuses.values()) == {"passed"}, story
    assert set(after.titles) <= {*after.statuses, ""}, story
