"""Who an owner is, and that only the leftovers of dead ones are removed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gate.engine import OWNER, Engine, owner_label
from gate.engine.owner import is_dead, is_foreign
from gate.engine.sweep import FOREIGN_SECONDS, is_leftover

BOOT = owner_label()[OWNER].split(":")[0]
FOREIGN = "another-machine:1:1"


def test_living_process_is_not_dead() -> None:
    """The label of this very process is neither dead nor foreign."""
    own = owner_label()[OWNER]
    assert not is_dead(own)
    assert not is_foreign(own)
    assert own.split(":")[1] == str(os.getpid())


def test_ended_process_is_dead() -> None:
    """The label that a process made of itself is dead once it has ended."""
    script = "from gate.engine.owner import owner_label; print(*owner_label().values())"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    ended = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert ended.stdout.startswith(BOOT)
    assert is_dead(ended.stdout.strip())


def test_reused_pid_is_dead() -> None:
    """A living process with the same pid and another start time is not the owner."""
    assert is_dead(f"{BOOT}:{os.getpid()}:1")


@pytest.mark.parametrize("owner", ["", "somebody", f"{BOOT}", f"{BOOT}:x:y"])
def test_unreadable_label_is_nobodys(owner: str) -> None:
    """A label that names no process of this boot is not taken for a dead one."""
    assert not is_dead(owner)


@pytest.mark.parametrize(
    ("listed", "leftover"),
    [
        ({"Created": 0, "State": "exited"}, True),
        ({"Created": 0, "State": "running"}, False),
        ({"Created": "1970-01-01T00:00:00.123456789Z"}, True),
        ({"CreatedAt": "1970-01-01T00:00:00Z"}, True),
        ({"CreatedAt": "1970-01-01T09:00:00.5+09:00"}, True),
        ({"Created": 100, "State": "exited"}, False),
        ({"CreatedAt": "1970-01-01T00:01:00Z"}, False),
    ],
)
def test_foreign_leftovers_go_when_a_day_old_and_idle(listed: dict[str, object], leftover: bool) -> None:
    """What another machine or boot left is removed late, and never while it runs; every form of date is read."""
    assert is_leftover({**listed, "Labels": {OWNER: FOREIGN}}, FOREIGN_SECONDS + 30) is leftover


@pytest.mark.docker
def test_only_the_dead_are_swept(engine: Engine, tiny_image: str) -> None:
    """Containers, networks and volumes of a dead owner go; those of the living, of others and of nobody stay."""
    owners = {"dead": f"{BOOT}:{os.getpid()}:1", "alive": owner_label()[OWNER], "foreign": FOREIGN, "nobody": ""}
    made = {name: _make(engine, tiny_image, owner) for name, owner in owners.items()}
    try:
        engine.sweep()
        _wait_for_another(engine, made["dead"])
        left = {name: _left(engine, things) for name, things in made.items()}
        assert left == {"dead": 0, "alive": 3, "foreign": 3, "nobody": 3}
    finally:
        for container, network, volume in made.values():
            _quietly(engine, container, network, volume)


@pytest.mark.docker
def test_what_was_removed_is_named(engine: Engine) -> None:
    """A sweep says what it took; another run of this machine may be faster once, but not three times in a row."""
    name = f"release-gate-tests-{os.getpid()}-named"

    def named() -> bool:
        engine.client.volumes.create(name, labels={OWNER: f"{BOOT}:{os.getpid()}:1"})
        return f"volume {name}" in engine.sweep()

    assert any(named() for _ in range(3))


def _make(engine: Engine, image: str, owner: str) -> tuple[str, str, str]:
    labels = {OWNER: owner} if owner else {}
    name = f"release-gate-tests-{os.getpid()}-{owner.replace(':', '-')}"
    container = engine.client.containers.create(image, ["none"], labels=labels)
    engine.client.networks.create(name, labels=labels, internal=True)
    engine.client.volumes.create(name, labels=labels)
    return str(container.id), name, name


def _left(engine: Engine, things: tuple[str, str, str]) -> int:
    container, network, volume = things
    client = engine.client
    return (
        (container in [c.id for c in client.containers.list(all=True)])
        + (network in [n.name for n in client.networks.list()])
        + (volume in [v.name for v in client.volumes.list()])
    )


def _wait_for_another(engine: Engine, things: tuple[str, str, str]) -> None:
    """What another run of this machine is removing at this moment is gone a moment later."""
    deadline = time.monotonic() + 10
    while _left(engine, things) and time.monotonic() < deadline:
        time.sleep(0.1)


def _quietly(engine: Engine, container: str, network: str, volume: str) -> None:
    engine.remove(container)
    for found in engine.client.networks.list(names=[network]):
        found.remove()
    for each in engine.client.volumes.list(filters={"name": volume}):
        each.remove()
