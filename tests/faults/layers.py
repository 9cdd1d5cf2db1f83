"""Thin layers on the good image, each with one fault, really built, looked into and run."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import tarfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, suppress
from dataclasses import replace
from importlib.metadata import distribution
from pathlib import Path
from typing import IO, Any

from gate.candidate import is_named_like_chrome
from gate.engine import owner_label
from gate.errors import GateError
from gate.image.archive import ImageArchive, read_image
from gate.image.layer_files import LayerFile, LayerFolder
from tests.faults.stage import KEPT, LOOKS, Stage, of_agreed_python, recorded, twin

FILES = Path(__file__).with_name("layers")
# The looks for which the layers themselves are read.
_FILES = {"tree", "layers"}
# Test tools as they are installed beside this suite: what a careless `pip install` would have shipped.
SHIPPED = ("pytest", "pluggy", "iniconfig", "packaging", "pygments")


def specs_of(items: Iterable[Any]) -> dict[str, dict]:
    """What the thin images of these tests are, by the fault's name; other folders call other things a fault."""
    faults = (item.callspec.params.get("fault") for item in items if hasattr(item, "callspec"))
    return {each.name: each.made["layer"] for each in faults if "layer" in getattr(each, "made", ())}


class Layers:
    """Builds the thin images of a session two at a time, ahead of the tests, and removes them.

    Args:
        on: the good release.
        specs: what each image is, by the fault's name.
    """

    def __init__(self, on: Stage, specs: dict[str, dict]) -> None:
        self._on, self._beside = on, ThreadPoolExecutor(2, thread_name_prefix="layer")
        self._images: dict[str, str] = {}
        # To look at all files takes a `docker save`, here one for all images: it sends the layers that they share once.
        looked_at = ["\n".join(each["lines"]) for each in specs.values() if _FILES & {*each.get("looks", ())}]
        self._saved = self._beside.submit(self._save, looked_at)
        self._made = {name: self._beside.submit(self._make, spec) for name, spec in specs.items()}

    def world(self, name: str, world):
        """The world with the thin image in the good one's place."""
        return replace(world, candidate=self._made[name].result())

    def close(self) -> None:
        """Remove every image that was built."""
        self._beside.shutdown(cancel_futures=True)
        for image in dict.fromkeys(self._images.values()):
            self._on.engine.client.images.remove(image, force=True)
        self._saved.result().remove()

    def _save(self, dockerfiles):
        folder = Saved(self._on.folder / "layers")
        if dockerfiles:
            folder.fill(self._on.engine.client.api, [self._built(each) for each in dockerfiles])
        return folder

    def _archive(self, digests):
        """The files of an image: those of the good one as they are known, and those of the layers above."""
        good = self._on.good.archive._layers
        assert tuple(digests[: len(good)]) == tuple(self._on.good.image.layers)
        above = read_image(digests[len(good) :], self._saved.result(), _nothing_to_save, keep=is_named_like_chrome)
        return ImageArchive((*good, *above._layers))

    def _make(self, spec):
        if _FILES & {*spec.get("looks", ())}:
            self._saved.result()  # which has built the image
        image = self._loaded(spec["platform"]) if "platform" in spec else self._built("\n".join(spec["lines"]))
        candidate = twin(self._on, image)
        good = recorded(self._on).__dict__
        looks = spec.get("looks", [])
        assert set(looks) <= set(LOOKS), looks
        kept = (*KEPT, "base_reference", "base_provenance")
        candidate.__dict__ |= {name: good[name] for name in kept if name not in looks}
        if _FILES & {*looks}:
            candidate.__dict__["archive"] = self._archive(candidate.image.layers)
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
        return self._images.setdefault(platform, load_bare(self._on.engine.client, platform))

    def _built(self, lines):
        if lines not in self._images:
            image, _ = self._on.engine.client.images.build(
                fileobj=context(f"FROM {self._on.good.image.image_id}\n{lines}\n"),
                custom_context=True, labels=owner_label(), rm=True, forcerm=True,
            )  # fmt: skip
            self._images[lines] = str(image.id)
        return self._images[lines]


class Saved(LayerFolder):
    """The layers of several images, kept until all tests are done."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._files: dict[str, LayerFile] = {}

    def fill(self, api: Any, images: Sequence[str]) -> None:
        """Write the layers of these images."""
        with closing(api.get(api._url("/images/get"), params={"names": images}, stream=True, timeout=600)) as answer:
            answer.raise_for_status()
            self.unpack(answer.raw, self._files)

    def kept(self, digest: str) -> LayerFile | None:
        """The layer, which was hashed when it was written."""
        return self._files.get(digest)

    def remove(self) -> None:
        """All of them, a gigabyte."""
        self.close()
        shutil.rmtree(self._folder)


def _nothing_to_save() -> AbstractContextManager[IO[bytes]]:
    raise AssertionError("a layer is missing from what the engine saved")


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
