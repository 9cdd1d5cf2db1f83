"""Real clients: installed on first use, kept under .cache/."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.pypi import installed

_LOCK = Path(__file__).parents[1] / "clients" / "requirements.txt"


def aws_cli() -> Path:
    """The folder with the AWS CLI's `aws`, in an environment made from the hash-locked set."""
    return installed(_LOCK, "clients")


def oras(script: str, *arguments: str) -> str:
    """Run a script of the ORAS project's Python SDK; return its output."""
    done = subprocess.run(
        [str(installed(_LOCK, "clients") / "python"), "-c", script, *arguments],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"the ORAS SDK failed:\n{done.stdout}\n{done.stderr}")
    return done.stdout


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
