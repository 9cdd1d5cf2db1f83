"""A real headless browser to look at reports with: the release image's own Chrome, in a container without a network."""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

from gate.engine import Engine, owner_label

IMAGE = "naver-sms-automation:latest"
_HERE = Path(__file__).parent
_CACHE = _HERE.parents[1] / ".cache"
_LOOK = "/look"
_SECONDS = 240


def look_at(engine: Engine, reports: dict[str, Path], pictures: Path) -> dict[str, Any]:
    """What `drive.py` saw of each report, by name; its screenshots are left in the folder `pictures`.

    Raises:
        AssertionError: the browser did not get through; the message holds what it said.
    """
    api = engine.client.api
    container = api.create_container(
        IMAGE,
        entrypoint=["python3", f"{_LOOK}/drive.py", _LOOK],
        command=[],
        user="0:0",
        labels=owner_label(),
        host_config=api.create_host_config(network_mode="none"),
    )["Id"]
    try:
        files = {f"{name}.html": path for name, path in reports.items()}
        api.put_archive(container, "/", _packed({**files, "axe.min.js": axe(), "drive.py": _HERE / "drive.py"}))
        api.start(container)
        code = api.wait(container, timeout=_SECONDS)["StatusCode"]
        said = api.logs(container, stdout=True, stderr=False).decode()
        assert code == 0, f"the browser ended with {code}:\n{api.logs(container).decode()[-4000:]}"
        _unpack(b"".join(api.get_archive(container, _LOOK)[0]), pictures)
        found: dict[str, Any] = json.loads(said)
        return found
    finally:
        engine.remove(container)


def _packed(files: dict[str, Path]) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name, path in files.items():
            tar.add(path, f"{_LOOK}/{name}")
    return archive.getvalue()


def _unpack(archive: bytes, pictures: Path) -> None:
    pictures.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar.getmembers():
            if member.isfile() and member.name.endswith(".png"):
                (pictures / Path(member.name).name).write_bytes(tar.extractfile(member).read())


def axe() -> Path:
    """axe-core's one file, installed by the lock beside this module on first use."""
    wanted = {name: (_HERE / name).read_bytes() for name in ("package.json", "package-lock.json")}
    folder = _CACHE / f"axe-{hashlib.sha256(wanted['package-lock.json']).hexdigest()[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            for name, content in wanted.items():
                (folder / name).write_bytes(content)
            _run([_npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder)
            (folder / "complete").touch()
    return folder / "node_modules" / "axe-core" / "axe.min.js"


def _npm() -> str:
    if shutil.which("npm") is None:
        assert os.geteuid() == 0, "this test needs npm: install it (on Debian: apt-get install npm)"
        assert shutil.which("apt-get"), "this test needs npm: install it"
        quietly = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        _run(["apt-get", "update", "-qq"], _HERE, quietly)
        _run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "npm"], _HERE, quietly)
    return "npm"


def _run(command: list[str], folder: Path, env: dict[str, str] | None = None) -> None:
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, f"{' '.join(command)} failed:\n{done.stdout}\n{done.stderr}"
