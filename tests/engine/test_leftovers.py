"""Whether an owner still runs, and that only the leftovers of dead ones are removed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gate.engine import OWNER, Engine, owner_label
from gate.engine.leftovers import (
    FOREIGN_SECONDS,
    OWNER_VARIABLE,
    end_leftover_processes,
    is_leftover,
    mark_children,
    owner_state,
)

BOOT = owner_label()[OWNER].split(":")[0]
FOREIGN = "another-machine:1:1"
SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
# A run that is killed at once, and the process that it leaves behind.
KILLED = f"""
import os, signal, subprocess, sys
from gate.engine.leftovers import mark_children
mark_children()
silent = dict(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(subprocess.Popen({SLEEP!r}, **silent, start_new_session=True).pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_living_process_is_alive() -> None:
    """The label of this very process."""
    own = owner_label()[OWNER]
    assert owner_state(own) == "alive"
    assert own.split(":")[1] == str(os.getpid())


def test_ended_process_is_dead() -> None:
    """The label that a process made of itself is dead once it has ended."""
    script = "from gate.engine.leftovers import owner_label; print(*owner_label().values())"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    ended = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert ended.stdout.startswith(BOOT)
    assert owner_state(ended.stdout.strip()) == "dead"


def test_reused_pid_is_dead() -> None:
    """A living process with the same pid and another start time is not the owner."""
    assert owner_state(f"{BOOT}:{os.getpid()}:1") == "dead"


@pytest.mark.parametrize("owner", ["", "somebody", f"{BOOT}", f"{BOOT}:x:y", FOREIGN])
def test_unreadable_label_is_nobodys(owner: str) -> None:
    """A label that names no process of this boot is not taken for a dead one."""
    assert owner_state(owner) == "unknown"


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
    """Containers, networks and volumes of a dead owner are removed; those of others, and without owner, stay."""
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
    """A sweep returns what it removed; another run may be faster once, but not three times in a row."""
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
    """What another run is removing at this moment is gone a moment later."""
    deadline = time.monotonic() + 10
    while _left(engine, things) and time.monotonic() < deadline:
        time.sleep(0.1)


def _quietly(engine: Engine, container: str, network: str, volume: str) -> None:
    engine.remove(container)
    for found in engine.client.networks.list(names=[network]):
        found.remove()
    for each in engine.client.volumes.list(filters={"name": volume}):
        each.remove()


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
    assert f"process {sys.executable} -c" in end_leftover_processes()
    deadline = time.monotonic() + 5
    while runs(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not runs(pid)


def test_what_a_living_run_started_goes_on(monkeypatch) -> None:
    """A process of this run, and one without owner, are left alone."""
    monkeypatch.setenv(OWNER_VARIABLE, "")
    nobodys = subprocess.Popen(SLEEP)
    mark_children()
    ours = subprocess.Popen(SLEEP)
    try:
        end_leftover_processes()
        assert os.environ[OWNER_VARIABLE] == owner_label()[OWNER]
        assert (nobodys.poll(), ours.poll()) == (None, None)
    finally:
        for each in (nobodys, ours):
            each.kill()
            each.wait()


def test_a_zombie_is_no_living_owner() -> None:
    """A killed run that its parent has not reaped yet is dead."""
    run = subprocess.Popen([sys.executable, "-c", KILLED], stdout=subprocess.PIPE, text=True,
                           env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])})  # fmt: skip
    pid = int(run.stdout.readline())
    while runs(run.pid):
        time.sleep(0.01)
    assert Path(f"/proc/{run.pid}").exists()
    end_leftover_processes()
    run.communicate()
    deadline = time.monotonic() + 5
    while runs(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not runs(pid)
