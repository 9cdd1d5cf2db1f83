"""The checks before everything else: each lack is one sentence."""

from __future__ import annotations

import pytest

from tests.setup.machine import Machine, one_sentence

pytestmark = pytest.mark.slow

GB = 1024 * 1024  # in df's kilobytes


def free(machine: Machine, gigabytes: int) -> None:
    """Let df say how much is free."""
    machine.has("df", f"echo head; echo 'disk 1 1 {gigabytes * GB} 1% /'")


def test_sound_machine_passes_in_silence(machine: Machine) -> None:
    """Where nothing is lacking, nothing is said."""
    done = machine.runs("preflight")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_short_disk_is_one_sentence_with_both_numbers(machine: Machine) -> None:
    """Seven of eight gigabytes stop the run, and the sentence gives both."""
    free(machine, 7)
    sentence = one_sentence(machine.runs("preflight"))
    assert "8 GB of free disk are needed" in sentence
    assert "7 GB are free" in sentence


def test_disk_is_looked_at_where_docker_keeps_its_data(machine: Machine) -> None:
    """The engine's own data folder is what is measured, not the root of the machine."""
    data = machine.tree / "docker-data"
    data.mkdir()
    machine.has("docker", f'[ "$1" = info ] && echo {data} && exit 0; exit 1')
    free(machine, 1)
    assert f"below {data}," in one_sentence(machine.runs("preflight"))


def test_built_image_needs_no_eight_gigabytes_more(machine: Machine) -> None:
    """A second run is not refused the room that the first one took."""
    machine.has("docker", f'[ "$1" = info ] && echo {machine.tree}; exit 0')
    free(machine, 3)
    assert machine.runs("preflight").returncode == 0
    assert "image inspect my-team/scraper:latest" in machine.calls("docker")
    free(machine, 1)
    assert "2 GB of free disk" in one_sentence(machine.runs("preflight"))


def test_old_python_is_one_sentence_with_its_version(machine: Machine) -> None:
    """A Python before 3.11 stops the run, and the sentence says which it is."""
    machine.has("python3", '[ "$1" = --version ] && echo "Python 3.9.2" && exit 0; exit 1')
    sentence = one_sentence(machine.runs("preflight"))
    assert "3.11" in sentence
    assert "Python 3.9.2" in sentence


def test_named_python_is_not_replaced_by_another(machine: Machine) -> None:
    """PYTHON that is no Python 3.11 is an error, even where a good one lies beside it."""
    assert "3.11" in one_sentence(machine.runs("preflight", PYTHON="/nowhere/python"))
