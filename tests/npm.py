"""Packages from npm that tests use, installed once by the lock file beside the test that uses them."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

_CACHE = Path(__file__).resolve().parents[1] / ".cache"


def installed(lock_in: Path, name: str) -> Path:
    """The folder node_modules that a folder's package-lock.json describes, kept in .cache/ under `name`."""
    wanted = {each: (lock_in / each).read_bytes() for each in ("package.json", "package-lock.json")}
    folder = _CACHE / f"{name}-{hashlib.sha256(wanted['package-lock.json']).hexdigest()[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            for each, content in wanted.items():
                (folder / each).write_bytes(content)
            _run([npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder)
            (folder / "complete").touch()
    return folder / "node_modules"


def npm() -> str:
    """The npm of this machine, installed where that can be done."""
    if shutil.which("npm") is None:
        assert os.geteuid() == 0, "this test needs npm: install it (on Debian: apt-get install npm)"
        assert shutil.which("apt-get"), "this test needs npm: install it"
        quietly = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        _run(["apt-get", "update", "-qq"], _CACHE.parent, quietly)
        _run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "npm"], _CACHE.parent, quietly)
    return "npm"


def _run(command: list[str], folder: Path, env: dict[str, str] | None = None) -> None:
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, f"{' '.join(command)} failed:\n{done.stdout}\n{done.stderr}"
