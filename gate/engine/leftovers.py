"""What killed runs left behind, found by the label of the run that started it, and removed by the next run.

Containers, networks, volumes and images carry the owner as a label, processes carry it in their environment.
"""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any, Literal

import docker
from docker.errors import APIError, NotFound

OWNER = "release-gate.owner"
# In the environment of everything that a run starts, because a process has no labels.
OWNER_VARIABLE = "RELEASE_GATE_OWNER"
# Nothing of a run lives for a day. Sooner, the clocks of two machines that share an engine might differ.
FOREIGN_SECONDS = 24 * 3600
_FILTER = {"label": OWNER}
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
# proc(5), /proc/pid/stat: field 22 is the start time; counted from the field after the command's closing bracket.
_START_TIME = 22 - 3


def owner_label() -> dict[str, str]:
    """The label of what this process starts: boot id, pid, and the process's start time."""
    return {OWNER: f"{_boot()}:{os.getpid()}:{_started(os.getpid())}"}


def owner_state(owner: str) -> Literal["alive", "dead", "unknown"]:
    """Whether the process that a label names still runs.

    The start time tells it from a later process with the same pid. Of another boot, of another machine that shares the
    engine, and of a label that cannot be read, nothing is known.
    """
    boot, _, rest = owner.partition(":")
    pid, _, started = rest.partition(":")
    if boot != _boot() or not pid.isdigit():
        return "unknown"
    return "alive" if _started(int(pid)) == started else "dead"


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


def sweep(client: docker.DockerClient) -> tuple[str, ...]:
    """Remove the leftovers of dead owners, containers first; returns what was removed, as "container x".

    Raises:
        docker.errors.DockerException: the engine does not answer (see `gate.engine.engine_errors`).
    """
    now = time.time()
    return tuple(name for found, name, remove in _labelled(client.api) if is_leftover(found, now) and _removed(remove))


def _labelled(api: Any) -> Iterator[tuple[dict[str, Any], str, Callable[[], Any]]]:
    """What carries an owner: as the engine lists it, its name, and what removes it."""
    # Low-level listings: the high-level ones inspect each object and fail when one vanishes meanwhile.
    for c in api.containers(all=True, filters=_FILTER):
        name = (c["Names"] or [c["Id"]])[0].lstrip("/")
        yield c, f"container {name}", partial(api.remove_container, c["Id"], v=True, force=True)
    for n in api.networks(filters=_FILTER):
        yield n, f"network {n['Name']}", partial(api.remove_network, n["Id"])
    for v in api.volumes(filters=_FILTER)["Volumes"] or ():
        yield v, f"volume {v['Name']}", partial(api.remove_volume, v["Name"], force=True)
    for i in api.images(filters=_FILTER):
        yield i, f"image {i['Id']}", partial(api.remove_image, i["Id"], force=True)


def is_leftover(found: dict[str, Any], now: float) -> bool:
    """Whether what a listing of the engine describes belongs to a dead owner.

    What belongs to another boot or another machine counts only when it is a day old and does not run.
    """
    owner = (found.get("Labels") or {}).get(OWNER, "")
    if (state := owner_state(owner)) != "unknown":
        return state == "dead"
    if not owner or found.get("State") == "running":
        return False
    # Containers and images give seconds since the epoch, networks and volumes a date.
    made = found.get("Created", found.get("CreatedAt"))
    seconds = made if isinstance(made, int) else datetime.fromisoformat(str(made)).timestamp()
    return now - seconds > FOREIGN_SECONDS


def _removed(remove: Callable[[], Any]) -> bool:
    try:
        remove()
    except NotFound:
        return False
    except APIError as refusal:
        # Another run is removing the same leftover, or something alive still uses it.
        if refusal.status_code == HTTPStatus.CONFLICT:
            return False
        raise
    return True


def mark_children() -> None:
    """Let every process that this one starts from now on carry its owner."""
    os.environ[OWNER_VARIABLE] = owner_label()[OWNER]


def end_leftover_processes(processes: Path = Path("/proc")) -> tuple[str, ...]:
    """End the processes of dead owners (a `docker build`, an SBOM being made); returns them, as "process docker build".

    Where the system shows no environments (anything but Linux) nothing is known of the owners, and nothing is ended.
    """
    found = [each for each in processes.glob("[0-9]*") if owner_state(_owner(each)) == "dead"]
    named = [(each, _command(each)) for each in found]
    return tuple(f"process {command}" for each, command in named if _ended(each))


def _owner(process: Path) -> str:
    prefix = f"{OWNER_VARIABLE}=".encode()
    try:
        variables = (process / "environ").read_bytes().split(b"\0")
    except OSError:  # gone meanwhile, or another user's
        return ""
    found = (each.removeprefix(prefix).decode(errors="replace") for each in variables if each.startswith(prefix))
    return next(found, "")


def _command(process: Path) -> str:
    try:
        words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return process.name
    return " ".join(words[:2])


def _ended(process: Path) -> bool:
    try:
        descriptor = os.pidfd_open(int(process.name))
    except ProcessLookupError:
        return False
    try:
        # Asked again now that the pid cannot pass to another process.
        if owner_state(_owner(process)) != "dead":
            return False
        signal.pidfd_send_signal(descriptor, signal.SIGKILL)
    except ProcessLookupError:
        return False
    finally:
        os.close(descriptor)
    return True
