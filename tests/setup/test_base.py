"""The Debian base: present, else pulled, else made from packages; then nothing more is done."""

from __future__ import annotations

import pytest

from tests.setup.machine import Machine, one_sentence

pytestmark = pytest.mark.slow

BASE = "debian:bookworm-slim"


def docker(machine: Machine, *, present: int = 1, pull: int = 1) -> None:
    """An engine: exit codes of looking for the image, and of pulling it."""
    machine.has(
        "docker",
        f'case "$1" in image) exit {present};; pull) echo "no registry answers" >&2; exit {pull};; esac',
    )


def test_present_base_is_left_alone(machine: Machine) -> None:
    """With the image there, one look is all."""
    docker(machine, present=0)
    assert machine.runs("base").returncode == 0
    assert machine.calls("docker") == [f"image inspect {BASE}"]


def test_missing_base_is_pulled(machine: Machine) -> None:
    """A registry that answers is preferred to making the image."""
    docker(machine, pull=0)
    machine.has("mmdebstrap")
    assert machine.runs("base").returncode == 0
    assert machine.calls("mmdebstrap") == []


def test_unreachable_registry_leads_to_debians_packages(machine: Machine) -> None:
    """Where nothing can be pulled, the image is made and imported under the same name."""
    docker(machine)
    machine.has("mmdebstrap")
    done = machine.runs("base")
    assert done.returncode == 0, done.stderr
    assert "bookworm" in machine.calls("mmdebstrap")[0]
    assert machine.calls("docker")[-1].endswith(f"base.tar {BASE}")


def test_mmdebstrap_is_installed_first(machine: Machine) -> None:
    """The tool that makes the image is installed where it is missing."""
    docker(machine)
    assert machine.runs("base").returncode != 0, "the stand-in of apt-get installs nothing"
    assert any("mmdebstrap" in call for call in machine.calls("apt-get"))


def test_neither_pulled_nor_allowed_to_make_is_one_sentence(machine: Machine) -> None:
    """Who may not install is told what the pull said."""
    docker(machine)
    machine.has("id", "echo 1000")
    assert "no registry answers" in one_sentence(machine.runs("base"))


def test_failed_bootstrap_names_both_logs(machine: Machine) -> None:
    """When both ways fail, the sentence names where each way's output lies, and nothing is imported."""
    docker(machine)
    machine.has("mmdebstrap", "exit 25")
    sentence = one_sentence(machine.runs("base"))
    assert ".cache/pull.log" in sentence
    assert ".cache/mmdebstrap.log" in sentence
    assert not any(call.startswith("import") for call in machine.calls("docker"))
