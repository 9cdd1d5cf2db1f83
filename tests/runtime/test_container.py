"""Measuring a container: what the script reads, and that a busy engine is asked again and not taken for a fault."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from types import SimpleNamespace
from typing import Any

import pytest
from docker.errors import APIError

from gate.runtime import container
from gate.runtime import invocation_checks as checks
from gate.runtime.container import MEASURE, Container, sample_in
from gate.runtime.report import Footprint, HandlerRun, Init, Invocation, Settings

MEASURED = {
    "processes": [],
    "tmp_bytes": 7,
    "high_water_bytes": None,
    "oom_kills": 0,
    "memory_bytes": 9,
    "started": 1.0,
}
ANSWER = b"a wrapper's banner\nM" + json.dumps(MEASURED).encode() + b"M\n"
GOOD = (ANSWER, None)


@pytest.fixture(autouse=True)
def _known_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "new_mark", lambda: "M")


LOST = (None, None)


class BusyEngine:
    """Answers `docker exec` with these answers in turn; the container runs until it has none left, or always."""

    def __init__(self, *answers: Any, runs: bool = True) -> None:
        self.client = SimpleNamespace(api=self)
        self.answers = list(answers)
        self.runs = runs

    def exec_create(self, *_: Any, **__: Any) -> dict[str, str]:
        """One exec."""
        return {"Id": "exec"}

    def exec_start(self, _: str, *, demux: bool) -> Any:
        """The next answer: a pair, an error, or seconds of silence."""
        assert demux
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, float):
            time.sleep(answer)
            return LOST
        return answer

    def inspect_container(self, _: str) -> dict[str, Any]:
        """Whether it runs."""
        return {"State": {"Running": self.runs}}


def measured(*answers: Any, runs: bool = True) -> tuple[Container, int | None]:
    """A container that was measured, and what /tmp held."""
    box = Container(BusyEngine(*answers, runs=runs), "c0ffee")  # type: ignore[arg-type]
    sample = box.measure()
    return box, sample.tmp_bytes if sample else None


@pytest.mark.parametrize(
    "answers", [(GOOD,), (LOST, GOOD), (LOST, (ANSWER[:-9], None), GOOD), (APIError("busy"), GOOD)]
)
def test_lost_answer_is_asked_for_again(answers: tuple[Any, ...]) -> None:
    """An answer that was lost or broken off on the way says nothing about the container."""
    box, tmp = measured(*answers)
    assert (tmp, box.measure_error) == (7, "")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (LOST, "an empty answer"),
        ((b'{"processes": 3}', None), '{"processes": 3}'),
        ((None, b"python3: cannot fork\n"), "python3: cannot fork"),
        (APIError("no room for another process"), "no room for another process"),
    ],
)
def test_the_third_failure_is_reported(answer: Any, said: str) -> None:
    """No fourth attempt is made, and the last reason is given."""
    box, tmp = measured(answer, answer, answer, GOOD)
    assert (tmp, box.measure_error) == (None, said)


def test_silence_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that never answers an exec ends the measurement only."""
    monkeypatch.setattr(container, "_EXECUTE_SECONDS", 0.05)
    box, tmp = measured(0.5, 0.5, 0.5)
    assert (tmp, box.measure_error) == (None, "no answer in 0.05 s")


def test_ended_container_has_no_measure_error() -> None:
    """It is measured once: that it ended is the reason, which another check reports."""
    box, tmp = measured(APIError("is not running"), runs=False)
    assert (tmp, box.measure_error) == (None, "")


def test_failed_measurement_is_not_blamed_on_the_handler() -> None:
    """The message says that the container could not be measured, not that the runtime did not come back."""
    invocation = Invocation(1, "answered", 1.5, "{}", measure_error="an empty answer")
    footprint = Footprint(512, None, False, None, None, "")
    said = str(checks.invocations_succeed(HandlerRun(Settings(512), Init("answered", 0.5), None, (invocation,),
                                                     footprint), 1).rejections[0])  # fmt: skip
    assert "the handler answered, and its container could not be measured: an empty answer" in said
    assert "did not come back" not in said


def test_script_measures_the_system_it_runs_on() -> None:
    """The script sees other processes, leaves itself out, and needs nothing but the standard library."""
    command = [sys.executable, "-I", "-S", "-c", MEASURE, "mark"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as script:
        assert script.stdout is not None
        sample = sample_in(script.stdout.read().decode(), "mark")
    assert sample is not None
    found = {process.pid for process in sample.processes}
    assert os.getpid() in found
    assert script.pid not in found
    assert sample.tmp_bytes > 0
    assert sample.memory_bytes is not None
    (own,) = (process for process in sample.processes if process.pid == os.getpid())
    assert own.threads == len(os.listdir("/proc/self/task"))
    assert own.descriptors > 3


@pytest.mark.parametrize("answer", ["", "Killed", "[]", "{}", json.dumps({"processes": [{}]})])
def test_incomplete_answer_is_no_sample(answer: str) -> None:
    """What is not complete is unknown, never zero."""
    assert sample_in(answer, "M") is None
    assert sample_in(f"M{answer}M", "M") is None


@pytest.mark.parametrize(
    ("memory", "used"),
    [
        ({"usage": 100, "stats": {"total_inactive_file": 30, "inactive_file": 1}}, 70),
        ({"usage": 100, "stats": {"inactive_file": 40}}, 60),
        ({"usage": 100}, 100),
        ({}, None),
    ],
)
def test_working_set_leaves_out_what_can_be_dropped(memory: dict[str, object], used: int | None) -> None:
    """Under cgroup v1 and v2 reclaimable page cache does not count; without counters the figure is unknown."""
    assert container._working_set(memory) == used
