"""Clients that nobody here wrote: installed on first use, kept under .cache/."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_LOCK = _ROOT / "tests" / "clients" / "requirements.txt"


def aws_cli() -> Path:
    """The folder with the AWS CLI's `aws`, in an environment made from the hash-locked set."""
    environment = _ROOT / ".cache" / f"clients-{hashlib.sha256(_LOCK.read_bytes()).hexdigest()[:12]}"
    environment.parent.mkdir(exist_ok=True)
    with (environment.parent / "clients.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (environment / "complete").exists():
            shutil.rmtree(environment, ignore_errors=True)
            _run(sys.executable, "-m", "venv", str(environment))
            pip = str(environment / "bin" / "pip")
            _run(pip, "install", "--quiet", "--require-hashes", "--no-deps", "-r", str(_LOCK))
            (environment / "complete").touch()
    return environment / "bin"


def skopeo() -> str:
    """The program skopeo, from Debian's package."""
    if shutil.which("skopeo") is None:
        if os.geteuid() != 0 or shutil.which("apt-get") is None:
            raise RuntimeError("this test needs skopeo: install it (on Debian: apt-get install skopeo)")
        quietly = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        _run("apt-get", "update", "-qq", env=quietly)
        _run("apt-get", "install", "-y", "-qq", "--no-install-recommends", "skopeo", env=quietly)
    return "skopeo"


def _run(*command: str, env: dict[str, str] | None = None) -> None:
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout}\n{done.stderr}")
