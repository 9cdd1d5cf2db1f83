"""What the engine says of an image: its configuration, its layers and what each cost."""

from __future__ import annotations

import tarfile
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

import docker

from gate.engine.archive import SavedImage, read_saved
from gate.engine.patience import download
from gate.engine.stream import as_file

_ARCHIVE_BYTES = 40 << 30


@dataclass(frozen=True)
class HistoryEntry:
    """One instruction of the build, oldest first in a list of them.

    Attributes:
        instruction: what the builder recorded ("" when it recorded nothing).
        size_bytes: the files that it added, uncompressed; 0 for an instruction that only changes the configuration.
    """

    instruction: str
    size_bytes: int


@dataclass(frozen=True)
class ImageConfig:
    """An image as the engine describes it.

    Attributes:
        reference: what it was asked for by.
        image_id: the digest of its configuration, the same on every engine and in every registry.
        engine_id: what this engine calls it: that digest, or the manifest's (or index's) in containerd's store.
        architecture: as in the OCI image configuration, e.g. "amd64".
        os: as there, e.g. "linux".
        env: the environment a container starts with.
        layers: the digests of the uncompressed layers, lowest first (rootfs.diff_ids).
        size_bytes: of the files in all layers, uncompressed; the same on every engine.
        history: every instruction with its size, oldest first.
        repo_digests: the digests under which registries hold it, as name@digest; none for one that was only built.
    """

    reference: str
    image_id: str
    engine_id: str
    architecture: str
    os: str
    env: Mapping[str, str]
    entrypoint: tuple[str, ...]
    cmd: tuple[str, ...]
    workdir: str
    user: str
    labels: Mapping[str, str]
    layers: tuple[str, ...]
    size_bytes: int
    history: tuple[HistoryEntry, ...]
    repo_digests: tuple[str, ...] = ()

    @property
    def platform(self) -> str:
        """As os/architecture."""
        return f"{self.os}/{self.architecture}"

    @property
    def layer_costs(self) -> tuple[HistoryEntry, ...]:
        """The instructions that added something, lowest layer first."""
        return tuple(entry for entry in self.history if entry.size_bytes)


def inspect(
    client: docker.DockerClient, reference: str, saved: MutableMapping[str, SavedImage] | None = None
) -> ImageConfig:
    """Ask the engine for an image.

    Args:
        client: of the engine.
        reference: the image.
        saved: what was read of saved images, by the engine's IDs; it is read there and kept there.

    Raises:
        docker.errors.ImageNotFound: there is none of that name here.
        tarfile.ReadError: the engine saves it otherwise than whole.
    """
    api: Any = client.api
    attributes = api.inspect_image(reference)
    # By the ID, so that a tag moved in between cannot mix two images.
    engine_id = attributes["Id"]
    entries = api.history(engine_id) if counts_files(client.version(), client.info()) else []
    if entries and not any(map(_by_buildkit, entries)):
        image_id, history = engine_id, _history(entries)
    else:
        kept = {} if saved is None else saved
        whole = kept.get(engine_id) or kept.setdefault(engine_id, _saved(api, engine_id))
        image_id, history = whole.config_digest, costs(whole)
    return described(reference, attributes, image_id, history)


def described(
    reference: str, attributes: Mapping[str, Any], image_id: str, history: tuple[HistoryEntry, ...]
) -> ImageConfig:
    """An image by what the engine answers to `docker image inspect`, besides what is asked in other ways."""
    config = attributes.get("Config") or {}
    return ImageConfig(
        reference=reference,
        image_id=image_id,
        engine_id=attributes["Id"],
        architecture=attributes["Architecture"],
        os=attributes["Os"],
        env=dict(entry.partition("=")[::2] for entry in config.get("Env") or ()),
        entrypoint=tuple(config.get("Entrypoint") or ()),
        cmd=tuple(config.get("Cmd") or ()),
        workdir=config.get("WorkingDir") or "",
        user=config.get("User") or "",
        labels=dict(config.get("Labels") or {}),
        layers=tuple(attributes["RootFS"].get("Layers") or ()),
        size_bytes=sum(entry.size_bytes for entry in history),
        history=history,
        repo_digests=tuple(attributes.get("RepoDigests") or ()),
    )


def counts_files(version: Mapping[str, Any], info: Mapping[str, Any]) -> bool:
    """Whether image IDs are digests of configurations, and sizes those of files: Docker's own store.

    containerd's store has manifests' digests for IDs and counts blocks on its disk; Podman counts the tar around the
    files. `Size` says yet something else on both.

    Args:
        version: the answer of /version.
        info: the answer of /info.
    """
    is_docker = "Engine" in [each.get("Name") for each in version.get("Components") or ()]
    return is_docker and ["driver-type", "io.containerd.snapshotter.v1"] not in (info.get("DriverStatus") or [])


def _by_buildkit(entry: Mapping[str, Any]) -> bool:
    """Whether BuildKit made it: of its layers Docker's own store counts no symbolic links, until they are pulled."""
    return str(entry.get("Comment") or "").startswith("buildkit.")


def _history(entries: list[dict[str, Any]]) -> tuple[HistoryEntry, ...]:
    return tuple(HistoryEntry(entry["CreatedBy"] or "", entry["Size"]) for entry in reversed(entries))


def costs(saved: SavedImage) -> tuple[HistoryEntry, ...]:
    """Each instruction with the size of the layer that it made.

    Raises:
        tarfile.ReadError: the history speaks of another number of layers than there are.
    """
    instructions = saved.instructions or (("", True),) * len(saved.layers)
    if sum(makes_layer for _, makes_layer in instructions) != len(saved.layers):
        raise tarfile.ReadError("the history of the saved image does not fit its layers")
    sizes = iter(saved.layer_bytes)
    return tuple(HistoryEntry(said, next(sizes) if makes_layer else 0) for said, makes_layer in instructions)


def _saved(api: Any, identity: str) -> SavedImage:
    chunks = download(api, f"/images/{identity}/get")
    with tarfile.open(fileobj=as_file(chunks, _ARCHIVE_BYTES), mode="r|") as archive:
        return read_saved(archive)
