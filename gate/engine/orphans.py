"""Processes that a killed run left behind: a `docker build`, an SBOM being made. Ended by the next run."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

from gate.engine.owner import OWNER, is_dead, owner_label

# In the environment of everything that a run starts, because a process carries no label.
MARK = "RELEASE_GATE_OWNER"


def mark() -> None:
    """Let whatever this process starts from now on carry its owner."""
    os.environ[MARK] = owner_label()[OWNER]


def end_orphans(processes: Path = Path("/proc")) -> tuple[str, ...]:
    """End the processes of dead owners; returns what was ended, as "process docker build".

    Where the system shows no environments (anything but Linux) there is nothing to go by, and nothing is ended.
    """
    return tuple(f"process {name}" for pid, name in _orphans(processes) if _ended(pid, processes))


def _orphans(processes: Path) -> Iterator[tuple[int, str]]:
    for each in processes.glob("[0-9]*"):
        if is_dead(_owner(each)):
            yield int(each.name), _name(each)


def _owner(process: Path) -> str:
    wanted = f"{MARK}=".encode()
    try:
        variables = (process / "environ").read_bytes().split(b"\0")
    except OSError:  # gone meanwhile, or another user's
        return ""
    return next(
        (each.removeprefix(wanted).decode(errors="replace") for each in variables if each.startswith(wanted)), ""
    )


def _name(process: Path) -> str:
    try:
        words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return process.name
    return " ".join(words[:2])


def _ended(pid: int, processes: Path) -> bool:
    try:
        held = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    try:
        # Asked again now that the number cannot pass to another process.
        if not is_dead(_owner(processes / str(pid))):
            return False
        signal.pidfd_send_signal(held, signal.SIGKILL)
    except ProcessLookupError:
        return False
    finally:
        os.close(held)
    return True
