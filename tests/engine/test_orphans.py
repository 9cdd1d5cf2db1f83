"""Processes of dead runs are ended, and no others."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from gate.engine import OWNER, owner_label
from gate.engine.orphans import MARK, end_orphans, mark

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
# A run that is killed at once, and the process that it leaves behind.
KILLED = f"""
import os, signal, subprocess, sys
from gate.engine.orphans import mark
mark()
silent = dict(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(subprocess.Popen({SLEEP!r}, **silent, start_new_session=True).pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def left_behind() -> int:
    """The pid of a process whose run was killed."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    run = subprocess.run([sys.executable, "-c", KILLED], env=environment, capture_output=True, text=True, check=False)
    return int(run.stdout)


def runs(pid: int) -> bool:
    """Whether a process is there and has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def test_what_a_killed_run_left_is_ended() -> None:
    """A process outlives its run, and the next run ends it and says so."""
    pid = left_behind()
    assert runs(pid)
    assert f"process {sys.executable} -c" in end_orphans()
    deadline = time.monotonic() + 5
    while runs(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not runs(pid)


def test_what_a_living_run_started_goes_on(monkeypatch) -> None:
    """A process of this very run, and one of nobody's, are left alone."""
    monkeypatch.setenv(MARK, "")
    nobodys = subprocess.Popen(SLEEP)
    mark()
    ours = subprocess.Popen(SLEEP)
    try:
        end_orphans()
        assert os.environ[MARK] == owner_label()[OWNER]
        assert (nobodys.poll(), ours.poll()) == (None, None)
    finally:
        for each in (nobodys, ours):
            each.kill()
            each.wait()


def test_a_zombie_is_no_living_owner() -> None:
    """A killed run whose parent has not asked for it yet is dead."""
    run = subprocess.Popen([sys.executable, "-c", KILLED], stdout=subprocess.PIPE, text=True,
                           env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])})  # fmt: skip
    pid = int(run.stdout.readline())
    while runs(run.pid):
        time.sleep(0.01)
    assert Path(f"/proc/{run.pid}").exists()
    end_orphans()
    run.communicate()
    deadline = time.monotonic() + 5
    while runs(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not runs(pid)
