"""Removing what killed runs left behind: containers, networks, volumes and images of dead owners, nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import partial
from typing import Any

import docker
from docker.errors import APIError, NotFound

from gate.engine.owner import OWNER, is_dead, is_foreign

# Nothing of ours lives for a day, but a shared engine's clock and another machine's runs are not ours to check sooner.
FOREIGN_SECONDS = 24 * 3600
_CONFLICT = 409
_FILTER = {"label": OWNER}


def sweep(client: docker.DockerClient, now: float | None = None) -> tuple[str, ...]:
    """Remove the leftovers of dead owners, containers first; returns what was removed, as "container x".

    What belongs to another boot or another machine is removed only when it is a day old and not running.

    Raises:
        docker.errors.DockerException: the engine does not answer (see `gate.engine.asking`).
    """
    clock = time.time() if now is None else now
    return tuple(name for name, remove in _leftovers(client, clock) if _removed(remove))


def _leftovers(client: docker.DockerClient, now: float) -> Iterator[tuple[str, Callable[[], Any]]]:
    # Low-level listings: the high-level ones inspect each object and fail when one vanishes meanwhile.
    api: Any = client.api
    for c in _orphans(api.containers(all=True, filters=_FILTER), now):
        yield (
            f"container {(c['Names'] or [c['Id']])[0].lstrip('/')}",
            partial(api.remove_container, c["Id"], v=True, force=True),
        )
    for n in _orphans(api.networks(filters=_FILTER), now):
        yield f"network {n['Name']}", partial(api.remove_network, n["Id"])
    for v in _orphans(api.volumes(filters=_FILTER)["Volumes"] or (), now):
        yield f"volume {v['Name']}", partial(api.remove_volume, v["Name"], force=True)
    for i in _orphans(api.images(filters=_FILTER), now):
        yield f"image {i['Id']}", partial(api.remove_image, i["Id"], force=True)


def _orphans(found: Iterable[dict[str, Any]], now: float) -> list[dict[str, Any]]:
    return [each for each in found if is_leftover(each, now)]


def is_leftover(found: dict[str, Any], now: float) -> bool:
    """Whether what a listing of the engine describes is of an owner that is dead, or foreign and long idle."""
    owner = (found.get("Labels") or {}).get(OWNER, "")
    if is_dead(owner):
        return True
    old = now - _created(found) > FOREIGN_SECONDS
    return bool(owner) and is_foreign(owner) and old and found.get("State") != "running"


def _created(found: dict[str, Any]) -> float:
    """Seconds since the epoch; containers and images give a number, networks and volumes a date."""
    value = found.get("Created", found.get("CreatedAt"))
    if isinstance(value, int):
        return value
    # Go prints nanoseconds, which datetime does not take; seconds are enough.
    text = str(value).replace("Z", "+00:00")
    head, dot, tail = text.partition(".")
    return datetime.fromisoformat(head + (tail.lstrip("0123456789") if dot else "")).timestamp()


def _removed(remove: Callable[[], Any]) -> bool:
    try:
        remove()
    except NotFound:
        return False
    except APIError as refusal:
        # Another run is removing the same leftover, or something alive still uses it.
        if refusal.status_code == _CONFLICT:
            return False
        raise
    return True
