"""What the engine says of an image: its configuration, its layers and what each cost."""

from __future__ import annotations

import re
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import docker

from gate.engine.patience import download
from gate.engine.stream import as_file

# A legacy engine names the config <hex>.json, the containerd store blobs/sha256/<hex> (OCI image layout).
_DIGEST = re.compile(r'"Config"\s*:\s*"(?:blobs/sha256/)?([0-9a-f]{64})(?:\.json)?"')
_MANIFEST_BYTES = 1 << 20
_ARCHIVE_BYTES = 40 << 30


@dataclass(frozen=True)
class HistoryEntry:
    """One instruction of the build, oldest first in a list of them.

    Attributes:
        instruction: what the builder recorded ("" when it recorded nothing).
        size_bytes: what it added, uncompressed; 0 for an instruction that only changes the configuration.
    """

    instruction: str
    size_bytes: int


@dataclass(frozen=True)
class ImageConfig:
    """An image as the engine describes it.

    Attributes:
        reference: what it was asked for by.
        image_id: the digest of its configuration, under either image store of the engine.
        architecture: as in the OCI image configuration, e.g. "amd64".
        os: as there, e.g. "linux".
        env: the environment a container starts with.
        layers: the digests of the uncompressed layers, lowest first (rootfs.diff_ids).
        size_bytes: of all layers, uncompressed.
        history: every instruction with its size, oldest first.
        repo_digests: the digests under which registries hold it, as name@digest; none for one that was only built.
    """

    reference: str
    image_id: str
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


def inspect(client: docker.DockerClient, reference: str) -> ImageConfig:
    """Ask the engine for an image.

    Raises:
        docker.errors.ImageNotFound: there is none of that name here.
    """
    api: Any = client.api
    attributes = api.inspect_image(reference)
    # By the ID, so that a tag moved in between cannot mix two images.
    history = tuple(
        HistoryEntry(entry["CreatedBy"] or "", entry["Size"]) for entry in reversed(api.history(attributes["Id"]))
    )
    config = attributes.get("Config") or {}
    return ImageConfig(
        reference=reference,
        image_id=_config_digest(client, attributes["Id"]),
        architecture=attributes["Architecture"],
        os=attributes["Os"],
        env=dict(entry.partition("=")[::2] for entry in config.get("Env") or ()),
        entrypoint=tuple(config.get("Entrypoint") or ()),
        cmd=tuple(config.get("Cmd") or ()),
        workdir=config.get("WorkingDir") or "",
        user=config.get("User") or "",
        labels=dict(config.get("Labels") or {}),
        layers=tuple(attributes["RootFS"].get("Layers") or ()),
        # Not `Size`: under the containerd store that adds the compressed blobs to the unpacked layers.
        size_bytes=sum(entry.size_bytes for entry in history),
        history=history,
        repo_digests=tuple(attributes.get("RepoDigests") or ()),
    )


def _config_digest(client: docker.DockerClient, identity: str) -> str:
    if not uses_containerd_store(client.info()):
        return identity
    # There an image's ID is its manifest's (or index's) digest; only the saved archive names the configuration.
    with tarfile.open(
        fileobj=as_file(download(client.api, f"/images/{identity}/get"), _ARCHIVE_BYTES), mode="r|"
    ) as archive:
        return config_digest_in(archive)


def uses_containerd_store(info: Mapping[str, Any]) -> bool:
    """Whether the engine keeps images in containerd (its `DriverStatus` says so)."""
    return ["driver-type", "io.containerd.snapshotter.v1"] in (info.get("DriverStatus") or [])


def config_digest_in(archive: tarfile.TarFile) -> str:
    """The configuration's digest as the archive of `docker save` names it in its manifest.json.

    Raises:
        tarfile.ReadError: the archive has no manifest.json that names one.
    """
    for member in archive:
        if member.name == "manifest.json" and (file := archive.extractfile(member)):
            found = _DIGEST.search(file.read(_MANIFEST_BYTES).decode("utf-8", "replace"))
            if found:
                return f"sha256:{found.group(1)}"
    raise tarfile.ReadError("the saved image names no configuration")
