"""What the engine says of an image: its configuration, its layers and their sizes."""

from __future__ import annotations

import tarfile
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

import docker

from gate.engine.capabilities import is_docker_own_store
from gate.engine.saved_image import HistoryEntry, SavedImage, read_saved
from gate.engine.transport import saved

# More than any image may have.
SAVED_BYTES = 40 << 30


@dataclass(frozen=True)
class InspectedImage:
    """An image on the engine (`docker image inspect`).

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


def inspect(client: docker.DockerClient, reference: str, measured: MutableMapping[str, SavedImage]) -> InspectedImage:
    """Ask the engine for an image.

    Args:
        client: of the engine.
        reference: the image.
        measured: saved images that were read already, by the engine's IDs; what is read now is added.

    Raises:
        docker.errors.DockerException: there is no such image, or the engine does not answer (see `engine_errors`).
        EngineUnavailable: the archive that it saves of the image is damaged.
    """
    api: Any = client.api
    attributes = api.inspect_image(reference)
    # By the ID, so that a tag moved in between cannot mix two images.
    engine_id = attributes["Id"]
    newest_first = api.history(engine_id) if is_docker_own_store(client.version(), client.info()) else []
    if newest_first and not any(map(_by_buildkit, newest_first)):
        image_id = engine_id
        history = tuple(HistoryEntry(each["CreatedBy"] or "", each["Size"]) for each in reversed(newest_first))
    else:
        if engine_id not in measured:
            with saved(api, engine_id, SAVED_BYTES) as file, tarfile.open(fileobj=file, mode="r|") as archive:
                measured[engine_id] = read_saved(archive)
        image_id, history = measured[engine_id].config_digest, measured[engine_id].history
    return _described(reference, attributes, image_id, history)


def _described(
    reference: str, attributes: Mapping[str, Any], image_id: str, history: tuple[HistoryEntry, ...]
) -> InspectedImage:
    config = attributes.get("Config") or {}
    return InspectedImage(
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


def _by_buildkit(entry: Mapping[str, Any]) -> bool:
    """Whether BuildKit made it: of its layers Docker's own store counts no symbolic links, until they are pulled."""
    return str(entry.get("Comment") or "").startswith("buildkit.")
