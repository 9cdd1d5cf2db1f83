"""A minimal client of the registry protocol, and images for it; it can also send what no real client would."""

from __future__ import annotations

import base64
import gzip
import hashlib
import http.client
import io
import json
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

DOCKER = "application/vnd.docker.distribution.manifest.v2+json"
INDEX = "application/vnd.oci.image.index.v1+json"


def layer(files: dict[str, str]) -> bytes:
    """An uncompressed layer; the same files give the same bytes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()


def login(ecr: Any) -> tuple[str, str]:
    """User and password for /v2/."""
    answer = ecr.get_authorization_token()
    user, _, password = base64.b64decode(answer["authorizationData"][0]["authorizationToken"]).decode().partition(":")
    return user, password


def digest(content: bytes) -> str:
    """The content's digest, as registries write it."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@dataclass(frozen=True)
class RegistryResponse:
    """A response of a registry."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        """The registry protocol's error code."""
        return str(json.loads(self.body)["errors"][0]["code"])

    @property
    def message(self) -> str:
        """The registry protocol's error message."""
        return str(json.loads(self.body)["errors"][0]["message"])


@dataclass(frozen=True)
class RegistryClient:
    """A client of the registry protocol, with one login."""

    host: str
    login: tuple[str, str] | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] = b"",
        headers: dict[str, str] | None = None,
        *,
        chunked: bool = False,
    ) -> RegistryResponse:
        """Send one request; return the whole response."""
        sent = {**(headers or {}), **self._authorization()}
        if chunked:
            sent["Transfer-Encoding"] = "chunked"
        connection = http.client.HTTPConnection(self.host, timeout=60)
        try:
            connection.request(method, path, body, sent, encode_chunked=chunked)
            response = connection.getresponse()
            return RegistryResponse(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()

    def upload(self, repository: str, content: bytes) -> str:
        """Upload a blob; return its digest."""
        begun = self.ask("POST", f"/v2/{repository}/blobs/uploads/")
        assert begun.status == 202, begun
        location = begun.headers["Location"]
        ended = self.ask("PUT", f"{location}&digest={digest(content)}", content)
        assert ended.status == 201, ended
        return digest(content)

    def push(self, repository: str, tag: str, content: str) -> RegistryResponse:
        """Push an image with one layer that holds the content."""
        body = manifest(self, repository, content)
        return self.ask("PUT", f"/v2/{repository}/manifests/{tag}", body, {"Content-Type": DOCKER})

    def _authorization(self) -> dict[str, str]:
        if self.login is None:
            return {}
        encoded = base64.b64encode(":".join(self.login).encode()).decode()
        return {"Authorization": f"Basic {encoded}"}


def manifest(registry: RegistryClient, repository: str, content: str) -> bytes:
    """Upload the layer and the configuration of an image; return its manifest."""
    compressed = gzip.compress(layer({"content": content}), mtime=0)
    config = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}}).encode()
    parts = [(_CONFIG, config), (_LAYER, compressed)]
    for _, part in parts:
        registry.upload(repository, part)
    described = [{"mediaType": media, "size": len(part), "digest": digest(part)} for media, part in parts]
    whole = {"schemaVersion": 2, "mediaType": DOCKER, "config": described[0], "layers": described[1:]}
    return json.dumps(whole).encode()


_CONFIG = "application/vnd.docker.container.image.v1+json"
_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
