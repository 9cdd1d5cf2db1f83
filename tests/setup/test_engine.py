"""The Docker engine: the one that answers is used; else one is installed where that is ours to do."""

from __future__ import annotations

import os
import signal
import time

import pytest

from tests.setup.machine import Machine, one_sentence

pytestmark = pytest.mark.slow

SILENT = "exit 1"


def docker_that_answers_once_started(machine: Machine) -> None:
    """A docker client whose engine is up when dockerd has been started."""
    machine.has("docker", f'[ -e "{machine.tree}/started" ]')


def dockerd(machine: Machine) -> None:
    """What apt-get would install: an engine that stays."""
    package = machine.tree / "dockerd-package"
    package.write_text(f'#!/bin/bash\necho $$ > "{machine.tree}/pid"; touch "{machine.tree}/started"; exec sleep 30\n')
    package.chmod(0o755)
    machine.has("apt-get", f'case "$*" in *docker.io*) cp "{package}" "{machine.tree}/bin/dockerd";; esac')


def test_answering_engine_is_used_as_it_is(machine: Machine) -> None:
    """Where an engine answers, nothing is installed and nothing is said."""
    machine.has("docker")
    done = machine.runs("engine")
    assert (done.returncode, done.stdout) == (0, "")
    assert machine.calls("apt-get") == []


def test_missing_engine_is_installed_and_outlives_the_script(machine: Machine) -> None:
    """Root on Debian gets docker.io and a running dockerd that stays when the script has ended."""
    docker_that_answers_once_started(machine)
    dockerd(machine)
    done = machine.runs("engine")
    assert done.returncode == 0, done.stderr
    assert machine.calls("apt-get")[0] == "update"
    assert "docker.io" in machine.calls("apt-get")[1]
    pid = int((machine.tree / "pid").read_text())
    os.kill(pid, 0)
    os.kill(pid, signal.SIGKILL)


def test_no_engine_and_no_root_is_one_sentence(machine: Machine) -> None:
    """Who may not install is told what to install, and nothing is tried."""
    machine.has("docker", SILENT)
    machine.has("id", "echo 1000")
    assert "install Docker Engine 20.10 or newer" in one_sentence(machine.runs("engine"))
    assert machine.calls("apt-get") == []


def test_no_engine_on_another_distribution_is_one_sentence(machine: Machine) -> None:
    """Root elsewhere than on Debian or Ubuntu is told what to install."""
    (machine.tree / "os-release").write_text("ID=fedora\n")
    assert "install Docker Engine 20.10 or newer" in one_sentence(machine.runs("engine"))
    assert machine.calls("apt-get") == []


def test_ubuntu_counts_as_debian(machine: Machine) -> None:
    """A distribution made of Debian says so in ID_LIKE."""
    (machine.tree / "os-release").write_text('ID=linuxmint\nID_LIKE="ubuntu debian"\n')
    machine.has("apt-get", SILENT)
    assert "apt-get could not install docker.io" in one_sentence(machine.runs("engine"))


def test_named_engine_that_is_silent_is_named(machine: Machine) -> None:
    """With DOCKER_HOST set, no other engine is installed in its place."""
    machine.has("docker", SILENT)
    sentence = one_sentence(machine.runs("engine", DOCKER_HOST="tcp://10.0.0.9:2376"))
    assert "tcp://10.0.0.9:2376" in sentence
    assert machine.calls("apt-get") == []


def test_engine_that_never_answers_is_a_sentence_in_time(machine: Machine) -> None:
    """A dockerd that ends at once cannot hang set-up, and its log is named."""
    machine.has("docker", SILENT)
    machine.has("dockerd", "echo no room for layers >&2; exit 1")
    begun = time.monotonic()
    done = machine.runs("engine", ENGINE_WAIT_SECONDS="1")
    assert time.monotonic() - begun < 20
    assert ".cache/dockerd.log" in one_sentence(done)
    assert "no room for layers" in done.stderr


def test_systemd_starts_the_engine_where_it_runs(machine: Machine) -> None:
    """On a machine with systemd the engine is its service, not a process of ours."""
    (machine.tree / "systemd").mkdir()
    docker_that_answers_once_started(machine)
    machine.has("dockerd", "exit 1")
    machine.has("systemctl", f'touch "{machine.tree}/started"')
    assert machine.runs("engine").returncode == 0
    assert machine.calls("systemctl") == ["start docker"]
    assert machine.calls("dockerd") == []
