"""Thin layers on the good image, each with one fault, really built, looked into and run."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from gate.engine import owner_label
from gate.errors import GateError
from tests.faults.stage import KEPT, LOOKS, Stage, of_agreed_python, recorded, twin

FILES = Path(__file__).with_name("layers")
# Test tools as they are installed beside this suite: what a careless `pip install` would have shipped.
SHIPPED = ("pytest", "pluggy", "iniconfig", "packaging", "pygments")


class Layers:
    """Builds the thin images of a session two at a time, ahead of the tests, and removes them."""

    def __init__(self, on: Stage) -> None:
        self._on, self._beside = on, ThreadPoolExecutor(2, thread_name_prefix="layer")
        self._made: dict[str, Future] = {}
        self._images: list[str] = []

    def begin(self, name: str, spec: dict) -> None:
        """Begin to build an image and to look into it."""
        self._made[name] = self._beside.submit(self._make, spec)

    def world(self, name: str, world):
        """The world with the thin image in the good one's place."""
        return replace(world, candidate=self._made[name].result())

    def close(self) -> None:
        """Remove every image that was built."""
        self._beside.shutdown(cancel_futures=True)
        for image in dict.fromkeys(self._images):
            self._on.engine.client.images.remove(image, force=True)

    def _make(self, spec):
        image = self._loaded(spec["platform"]) if "platform" in spec else self._built(spec["lines"])
        candidate = twin(self._on, image)
        good = recorded(self._on).__dict__
        looks = spec.get("looks", [])
        assert set(looks) <= set(LOOKS), looks
        kept = (*KEPT, "base_reference", "base_provenance")
        candidate.__dict__ |= {name: good[name] for name in kept if name not in looks}
        if "platform" in spec:
            own = candidate.image
            candidate.__dict__["image"] = replace(
                self._on.good.image,
                image_id=own.image_id,
                engine_id=own.engine_id,
                architecture=own.architecture,
                os=own.os,
            )
        if "libraries" in looks:
            answers = {name: candidate.libraries(name) for name in candidate.browser_paths}
            candidate.__dict__["libraries"] = answers.__getitem__
        for name in looks:
            # What cannot be had is asked for again by the scenario that needs it, and said there.
            with suppress(GateError):
                getattr(candidate, name)
        if "interpreter" in candidate.__dict__:
            candidate.__dict__["interpreter"] = of_agreed_python(self._on, candidate.__dict__["interpreter"])
        candidate.close()
        return candidate

    def _loaded(self, platform):
        image = load_bare(self._on.engine.client, platform)
        self._images.append(image)
        return image

    def _built(self, lines):
        dockerfile = "\n".join([f"FROM {self._on.good.image.image_id}", *lines]) + "\n"
        image, _ = self._on.engine.client.images.build(
            fileobj=context(dockerfile), custom_context=True, labels=owner_label(), rm=True, forcerm=True
        )
        self._images.append(str(image.id))
        return str(image.id)


def load_bare(client: Any, platform: str) -> str:
    """Load an image of one file for another platform, and return its ID: the engine loads what it cannot run."""
    system, _, architecture = platform.partition("/")
    layer = _tar({"file": b"one file\n"})
    identity = "sha256:" + hashlib.sha256(layer).hexdigest()
    config = {"os": system, "architecture": architecture, "config": {"Labels": owner_label()},
              "rootfs": {"type": "layers", "diff_ids": [identity]}}  # fmt: skip
    body = json.dumps(config).encode()
    digest = hashlib.sha256(body).hexdigest()
    manifest = json.dumps([{"Config": f"{digest}.json", "RepoTags": None, "Layers": ["layer.tar"]}]).encode()
    client.images.load(_tar({f"{digest}.json": body, "layer.tar": layer, "manifest.json": manifest}))
    return f"sha256:{digest}"


def context(dockerfile: str) -> io.BytesIO:
    """A build's context: the Dockerfile, and the files that its lines may copy."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name in SHIPPED if "dev/" in dockerfile else ():
            _distribution(archive, name)
        archive.add(FILES, "files", filter=lambda member: None if "__pycache__" in member.name else member)
        _text(archive, "Dockerfile", dockerfile.encode())
    file.seek(0)
    return file


def _distribution(archive, name):
    installed = distribution(name)
    for each in installed.files or ():
        if ".." not in each.parts and "__pycache__" not in each.parts:
            archive.add(str(each.locate()), f"dev/{each}")


def _tar(files):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, content in files.items():
            _text(archive, name, content)
    return file.getvalue()


def _text(archive, name, content):
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))
