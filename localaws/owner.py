"""Whose containers these are, so that only the leftovers of dead owners are swept."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import docker
from docker.errors import APIError, NotFound

LABEL = "release-gate.owner"
_START_TIME_FIELD = 19  # field 22 of /proc/<pid>/stat (proc(5)), counted after "pid (comm)"


def owner_label() -> dict[str, str]:
    """The label of everything this process starts: boot id, pid and the process's start time."""
    return {LABEL: f"{_boot_id()}:{os.getpid()}:{_start_time(os.getpid())}"}


def is_alive(owner: str) -> bool:
    """Whether the process that an owner label names still runs on this machine since its last boot.

    The start time tells it from a later process with the same pid.
    """
    boot, _, rest = owner.partition(":")
    pid, _, started = rest.partition(":")
    return boot == _boot_id() and pid.isdigit() and _start_time(int(pid)) == started


def is_leftover(container: dict[str, Any]) -> bool:
    """Whether a labelled container's owner is gone.

    Of another boot, or of another machine that shares the engine, nothing is known: what runs there is left alone.
    """
    owner: str = container["Labels"][LABEL]
    return not is_alive(owner) and (owner.startswith(_boot_id()) or container.get("State") != "running")


def sweep(client: docker.DockerClient) -> list[str]:
    """Remove the containers of dead owners; returns their ids."""
    # The low-level listing: the high-level one fails when a container vanishes meanwhile.
    found = client.api.containers(all=True, filters={"label": LABEL})
    return [each["Id"] for each in found if is_leftover(each) and _removed(client, each["Id"])]


def _removed(client: docker.DockerClient, container: str) -> bool:
    try:
        client.api.remove_container(container, v=True, force=True)
    except NotFound:
        return False
    except APIError as refusal:
        # Another run sweeps the same leftover at this moment: it is that run's to report.
        if refusal.status_code == 409:  # noqa: PLR2004  HTTP's "conflict"
            return False
        raise
    return True


def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()


def _start_time(pid: int) -> str:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return ""
    # The command's name may hold spaces and brackets: what follows the last bracket is well formed.
    return stat.rpartition(")")[2].split()[_START_TIME_FIELD]
