"""The processes that this one has started, directly or through others, and an end to them."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
REAP_SECONDS = 5.0


def adopt_orphans() -> None:
    """Become the parent of orphaned descendants, so that they can be found and reaped (prctl(2))."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "PR_SET_CHILD_SUBREAPER was refused")


def descendants() -> frozenset[int]:
    """The process ids below this process."""
    parents = _parents()
    found: set[int] = set()
    edge = {os.getpid()}
    while edge:
        edge = {pid for pid, parent in parents.items() if parent in edge} - found
        found |= edge
    return frozenset(found)


def kill_new_descendants(before: frozenset[int]) -> None:
    """Kill the descendants that were not there before."""
    for pid in descendants() - before:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue  # it ended by itself


def end_new_descendants(before: frozenset[int]) -> None:
    """Kill and reap the descendants that were not there before.

    Raises:
        TimeoutError: one of them is still there after `REAP_SECONDS`.
    """
    deadline = time.monotonic() + REAP_SECONDS
    while left := descendants() - before:
        if time.monotonic() > deadline:
            raise TimeoutError(f"processes {sorted(left)} did not end within {REAP_SECONDS:.0f} s")
        kill_new_descendants(before)
        for pid in left:
            _reap(pid)
        time.sleep(0.01)


def _reap(pid: int) -> None:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return  # not ours yet: its parent reaps it, or leaves it to us


def _parents() -> dict[int, int]:
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text(encoding="ascii", errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended while we looked
        # The name, in parentheses, may hold anything: the fields behind it are state and parent (proc(5)).
        parents[int(stat.parent.name)] = int(text.rpartition(")")[2].split()[1])
    return parents
