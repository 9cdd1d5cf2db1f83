"""The registry behind the gateway: blobs and manifests by digest, over its HTTP protocol."""

from __future__ import annotations

import hashlib
import http.client
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from localaws.ecr.errors import EcrError
from localaws.ecr.manifest import KNOWN

_TIMEOUT = 300.0
_OK = 200
_CREATED = 201
MANIFEST_LIMIT = 4 * 1024 * 1024  # ECR's API reference, PutImage: at most 4194304


class Blobs:
    """A client of the registry, for what the ECR API needs of it.

    Attributes:
        host: `host:port`, plain HTTP, no authentication.
    """

    def __init__(self, host: str) -> None:
        self.host = host

    @contextmanager
    def request(
        self,
        method: str,
        path: str,
        headers: dict[str, str] | None = None,
        body: Iterable[bytes] | bytes | None = None,
        *,
        chunked: bool = False,
    ) -> Iterator[http.client.HTTPResponse]:
        """One exchange with the registry; bodies stream in both directions."""
        connection = http.client.HTTPConnection(self.host, timeout=_TIMEOUT)
        try:
            connection.request(method, path, body=body, headers=headers or {}, encode_chunked=chunked)
            yield connection.getresponse()
        finally:
            connection.close()

    def manifest(self, repository: str, digest: str) -> bytes:
        """The manifest of that digest, byte for byte.

        Raises:
            EcrError: ImageNotFoundException: the registry does not have it.
        """
        # The registry answers with an OCI manifest only if the request accepts one.
        accept = {"Accept": ", ".join(sorted(KNOWN))}
        with self.request("GET", f"/v2/{repository}/manifests/{digest}", accept) as response:
            body = response.read(MANIFEST_LIMIT + 1)
            if response.status != _OK:
                raise EcrError("ImageNotFoundException", f"the registry no longer has {repository}@{digest}")
            return body

    def put_manifest(self, repository: str, digest: str, media_type: str, body: bytes) -> None:
        """Store a manifest under its digest.

        Raises:
            EcrError: LayersNotFoundException or InvalidParameterException, as the registry found.
        """
        path = f"/v2/{repository}/manifests/{digest}"
        with self.request("PUT", path, {"Content-Type": media_type}, body) as response:
            answer = response.read(65536).decode(errors="replace")
            if response.status == _CREATED:
                return
            if "BLOB_UNKNOWN" in answer:
                raise EcrError("LayersNotFoundException", f"Layers of {digest} do not exist in {repository}: {answer}")
            raise EcrError("InvalidParameterException", f"the registry refuses the manifest: {answer}")

    def put(self, repository: str, content: bytes) -> str:
        """Store a small blob; return its digest.

        Raises:
            EcrError: ServerException: the registry does not accept it.
        """
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        with self.request("POST", f"/v2/{repository}/blobs/uploads/", {"Content-Length": "0"}) as begun:
            place = begun.headers.get("Location", "")
        headers = {"Content-Length": str(len(content)), "Content-Type": "application/octet-stream"}
        with self.request("PUT", f"{place}&digest={digest}", headers, content) as ended:
            if ended.status != _CREATED:
                raise EcrError("ServerException", f"the registry does not accept a blob: HTTP {ended.status}", 500)
        return digest

    def size(self, repository: str, digest: str) -> int | None:
        """Bytes of a blob; None if the repository has none of that digest."""
        with self.request("HEAD", f"/v2/{repository}/blobs/{digest}") as response:
            return int(response.headers["Content-Length"]) if response.status == _OK else None
