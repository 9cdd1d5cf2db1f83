"""Environments for programs that cannot share ours, installed once from the hash-locked set beside them."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

_CACHE = Path(__file__).resolve().parents[1] / ".cache"


def installed(lock: Path, name: str) -> Path:
    """The folder with the programs of the environment that a requirements file locks, kept in .cache/ under `name`.

    Raises:
        RuntimeError: it cannot be installed.
    """
    environment = _CACHE / f"{name}-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"
    _CACHE.mkdir(exist_ok=True)
    with (_CACHE / f"{name}.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not (environment / "complete").exists():
            shutil.rmtree(environment, ignore_errors=True)
            _run(sys.executable, "-m", "venv", str(environment))
            pip = str(environment / "bin" / "pip")
            _run(pip, "install", "--quiet", "--require-hashes", "--no-deps", "-r", str(lock))
            (environment / "complete").touch()
    return environment / "bin"


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout}\n{done.stderr}")
