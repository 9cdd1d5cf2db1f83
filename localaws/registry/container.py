"""The registry's image, its container and the volume that keeps its blobs between runs."""

from __future__ import annotations

import hashlib
import time
from http.client import HTTPException
from pathlib import Path

import docker
from docker.errors import BuildError, DockerException, ImageNotFound, NotFound
from docker.models.containers import Container

from gate.engine.leftovers import owner_label
from localaws import LocalTargetError
from localaws.ecr.blobs import Blobs

BLOBS = "release-gate-registry-blobs"
KEPT = {"release-gate.kept": "registry blobs"}
_CONTEXT = Path(__file__).parent
_START_SECONDS = 30.0
_HOST = "127.0.0.1"


class Registry:
    """One registry container on a free port of 127.0.0.1.

    Attributes:
        host: `127.0.0.1:port`, plain HTTP, no authentication: only the ECR API in front of it uses it.
    """

    def __init__(self, client: docker.DockerClient, volume: str = BLOBS) -> None:
        self._client = client
        self._volume = volume
        self._container: Container | None = None
        self.host = ""

    def start(self) -> None:
        """Build the image unless this version of it exists, start the container, wait until it answers.

        Raises:
            LocalTargetError: the image cannot be built or the registry does not answer.
        """
        image = _ensure_image(self._client)
        _ensure_volume(self._client, self._volume)
        self._container = self._client.containers.run(
            image,
            detach=True,
            ports={"5000/tcp": (_HOST, 0)},
            volumes={self._volume: {"bind": "/var/lib/registry", "mode": "rw"}},
            labels=owner_label(),
        )
        self._container.reload()
        port = self._container.attrs["NetworkSettings"]["Ports"]["5000/tcp"][0]["HostPort"]
        self.host = f"{_HOST}:{port}"
        self._await_answer()

    def stop(self) -> None:
        """Remove the container; the volume with the blobs stays."""
        if self._container is None:
            return
        try:
            self._container.remove(force=True)
        except NotFound:
            return
        finally:
            self._container = None

    def _await_answer(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                with Blobs(self.host).request("GET", "/v2/"):
                    return
            except (HTTPException, OSError) as error:
                if time.monotonic() > deadline:
                    self.stop()
                    raise LocalTargetError(f"the registry does not answer on {self.host}: {error}") from error
                time.sleep(0.02)


def _ensure_image(client: docker.DockerClient) -> str:
    recipe = b"".join((_CONTEXT / name).read_bytes() for name in ("Dockerfile", "config.yml"))
    tag = f"release-gate/registry:{hashlib.sha256(recipe).hexdigest()[:12]}"
    try:
        return str(client.images.get(tag).id)
    except ImageNotFound:
        return _build(client, tag)


def _build(client: docker.DockerClient, tag: str) -> str:
    try:
        return str(client.images.build(path=str(_CONTEXT), tag=tag, rm=True, forcerm=True)[0].id)
    except (BuildError, DockerException) as failure:
        raise LocalTargetError(
            f"the local registry's image cannot be built: {failure}. It needs the image debian:bookworm-slim "
            "(`make accept` sets it up) and Debian's package archive."
        ) from failure


def _ensure_volume(client: docker.DockerClient, name: str) -> None:
    try:
        client.volumes.get(name)
    except NotFound:
        # No owner, so that it is never swept; a label that says what it is.
        client.volumes.create(name, labels=KEPT)
