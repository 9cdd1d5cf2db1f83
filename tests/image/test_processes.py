"""The handler's care for its processes: orphans are adopted, killed and reaped, and nothing else is touched."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

IMAGE = Path(__file__).parents[2] / "image"
# In a process of its own: adopting orphans and reaping children would reach into the test runner.
PRELUDE = """
import subprocess, sys, time
from src import processes
processes.adopt_orphans()
"""


def run(script: str) -> str:
    """What a script prints that uses the handler's module."""
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE + script], cwd=IMAGE, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_orphan_of_an_ended_child_is_killed_and_reaped() -> None:
    """A grandchild in its own session, whose parent has ended, is killed."""
    script = """
before = processes.descendants()
subprocess.run(["setsid", "--fork", "sleep", "60"], check=True)
assert len(processes.descendants() - before) == 1
processes.end_new_descendants(before)
print(len(processes.descendants() - before))
"""
    assert run(script) == "0"


def test_zombie_is_reaped() -> None:
    """A child that has ended and was not waited for is removed from the process table."""
    script = """
before = processes.descendants()
child = subprocess.Popen(["true"])
time.sleep(0.3)
assert processes.descendants() - before == {child.pid}
processes.end_new_descendants(before)
print(len(processes.descendants() - before))
"""
    assert run(script) == "0"


def test_process_from_before_is_left_alone() -> None:
    """Processes that were started before the session go on."""
    script = """
child = subprocess.Popen(["sleep", "60"])
processes.end_new_descendants(processes.descendants())
print(child.poll())
child.kill()
"""
    assert run(script) == "None"
