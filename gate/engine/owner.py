"""Whose containers, networks, volumes and images these are: so only the leftovers of dead owners are swept."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

OWNER = "release-gate.owner"
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
# proc(5), /proc/pid/stat: field 22 is the start time; counted from the field after the command's closing bracket.
_START_TIME = 22 - 3


def owner_label() -> dict[str, str]:
    """The label of what this process starts: boot id, pid, and the process's start time."""
    return {OWNER: f"{_boot()}:{os.getpid()}:{_started(os.getpid())}"}


def is_dead(owner: str) -> bool:
    """Whether the process that a label names is known to be gone.

    A label from another boot or another machine (a shared remote engine) is not known to be dead: see `is_foreign`.
    """
    boot, _, rest = owner.partition(":")
    pid, _, started = rest.partition(":")
    return boot == _boot() and pid.isdigit() and _started(int(pid)) != started


def is_foreign(owner: str) -> bool:
    """Whether the label is of another boot of this machine, or of another machine that shares the engine."""
    return owner.partition(":")[0] != _boot()


def _boot() -> str:
    # Without /proc (macOS in front of Docker Desktop) the machine's name stands in; start times still tell runs apart.
    return _BOOT_ID.read_text(encoding="utf-8").strip() if _BOOT_ID.exists() else platform.node().replace(":", "-")


def _started(pid: int) -> str:
    """When the process started, in the system's own terms; "" when there is no such process."""
    if not _BOOT_ID.exists():
        command = ["ps", "-o", "lstart=", "-p", str(pid)]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=10).stdout.strip()
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""
    fields = stat.rpartition(")")[2].split()
    # A zombie has ended; only its parent has not asked yet.
    return "" if fields[0] in {"Z", "X"} else fields[_START_TIME]
