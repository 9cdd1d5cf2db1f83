"""The environment: made from the hash-locked file, and only when that file has changed."""

from __future__ import annotations

import sys

import pytest

from tests.setup.machine import Machine, one_sentence

pytestmark = pytest.mark.slow


def test_second_run_does_nothing_and_a_changed_lock_installs_again(machine: Machine) -> None:
    """The stamp holds the hash of requirements.txt: the same file is no work, another one is."""
    first = machine.runs("venv")
    assert first.returncode == 0, first.stderr
    assert "installing the locked Python packages" in first.stdout
    again = machine.runs("venv")
    assert (again.returncode, again.stdout) == (0, "")
    (machine.tree / "requirements.txt").write_text("# nothing is needed, said otherwise\n")
    assert "installing the locked Python packages" in machine.runs("venv").stdout


def test_requirement_without_hash_is_refused_and_tried_again(machine: Machine) -> None:
    """A package that is not locked by hash stops set-up; nothing is marked as done."""
    (machine.tree / "requirements.txt").write_text("idna==3.10\n")
    python = machine.tree / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/bash\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    for _ in range(2):
        done = machine.runs("venv", PIP_NO_INDEX="1")
        assert "pip could not install the locked packages" in one_sentence(done)
    assert not (machine.tree / ".venv" / ".made-from").exists()


def test_python_without_its_venv_module_is_one_sentence(machine: Machine) -> None:
    """On Debian's bare Python, a person who may not install is told the package's name."""
    machine.has("id", "echo 1000")
    machine.has("python3", '[ "$1" = -m ] && exit 1; exit 0')
    assert "apt-get install python3-venv" in one_sentence(machine.runs("venv"))
