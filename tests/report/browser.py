"""A real headless browser to look at reports with: the release image's own Chrome, in a container without a network."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

from gate.engine import Engine, owner_label
from tests.npm import installed

IMAGE = "naver-sms-automation:latest"
_HERE = Path(__file__).parent
_LOOK = "/look"
_SECONDS = 240


def look_at(engine: Engine, reports: dict[str, Path], pictures: Path) -> dict[str, Any]:
    """What `drive.py` saw of each report, by name; its screenshots and prints are left in the folder `pictures`.

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
            if member.isfile() and member.name.endswith((".png", ".pdf")):
                (pictures / Path(member.name).name).write_bytes(tar.extractfile(member).read())


def axe() -> Path:
    """axe-core's one file, installed by the lock beside this module on first use."""
    return installed(_HERE, "axe") / "axe-core" / "axe.min.js"
