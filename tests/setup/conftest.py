"""A made-up machine for the set-up scripts."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tests.setup.machine import REAL, ROOT, Machine


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Debian, root, no Docker, nothing set up, room on the disk."""
    shutil.copytree(ROOT / "setup", tmp_path / "setup")
    (tmp_path / "bin").mkdir()
    (tmp_path / "requirements.txt").write_text("# nothing is needed\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\nrepository = my-team/scraper\n")
    (tmp_path / "os-release").write_text("ID=debian\n")
    for program in REAL:
        (tmp_path / "bin" / program).symlink_to(shutil.which(program) or f"/no/{program}")
    made = Machine(tmp_path)
    made.has("id", "echo 0")
    made.has("apt-get")
    made.has("df", "echo head; echo 'disk 1 1 99000000 1% /'")
    made.has("python3", f'exec {sys.executable} "$@"')
    return made
