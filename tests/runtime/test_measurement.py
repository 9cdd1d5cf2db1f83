"""What is read from inside a container, and what a torn answer comes to."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from gate.runtime.measurement import MEASURE, measurement_in, working_set


def test_script_measures_the_system_it_runs_on() -> None:
    """The script sees other processes, leaves itself out, and needs nothing but the standard library."""
    command = [sys.executable, "-I", "-S", "-c", MEASURE, "mark"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as script:
        assert script.stdout is not None
        seen = measurement_in(script.stdout.read().decode(), "mark")
    assert seen is not None
    found = {process.pid for process in seen.moment.processes}
    assert os.getpid() in found
    assert script.pid not in found
    assert seen.moment.tmp_bytes > 0
    assert seen.moment.memory_bytes is not None
    (own,) = (process for process in seen.moment.processes if process.pid == os.getpid())
    assert own.threads == len(os.listdir("/proc/self/task"))
    assert own.descriptors > 3


@pytest.mark.parametrize("answer", ["", "Killed", "[]", "{}", json.dumps({"processes": [{}]})])
def test_torn_answer_is_no_measurement(answer: str) -> None:
    """An answer that is not whole is unknown, never zero."""
    assert measurement_in(answer, "M") is None
    assert measurement_in(f"M{answer}M", "M") is None


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
    """Under cgroup v1 and v2 the page cache that can be dropped does not count; no figures are no figure."""
    assert working_set(memory) == used
