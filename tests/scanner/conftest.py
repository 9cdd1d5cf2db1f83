"""Advisories, packages and images made for a test; a registry that serves the images."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from localaws.ecr.scanning import ImageSource
from localaws.scanner.packages import DEBIAN, PYPI, Package

CRITICAL = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
DEBIAN_12 = 'PRETTY_NAME="Debian GNU/Linux 12"\nID=debian\nVERSION_ID="12"\n'


def osv(
    id: str = "CVE-2026-0001",
    ecosystem: str = "PyPI",
    name: str = "thing",
    events: list[dict[str, str]] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """An OSV record: by default `thing` before 2.0 on PyPI, CRITICAL."""
    events = events or [{"introduced": "0"}, {"fixed": "2.0"}]
    affected = {"package": {"ecosystem": ecosystem, "name": name}, "ranges": [{"type": "ECOSYSTEM", "events": events}]}
    record = {"id": id, "modified": "2026-01-02T03:04:05Z", "affected": [affected]}
    return record | {"severity": [{"type": "CVSS_V3", "score": CRITICAL}]} | more


def pypi(name: str = "thing", version: str = "1.0") -> Package:
    """An installed Python package."""
    return Package(name, version, PYPI, "", name.lower(), version, "/METADATA")


def deb(name: str, version: str, source: str = "", source_version: str = "", release: str = "12") -> Package:
    """An installed Debian package."""
    return Package(name, version, DEBIAN, release, source or name, source_version or version)


@pytest.fixture
def write_advisories(tmp_path: Path) -> Callable[..., Path]:
    """Writes records, one file each, into a folder of advisories."""
    folder = tmp_path / "advisories"
    folder.mkdir()

    def write(*records: dict[str, Any]) -> Path:
        for number, record in enumerate(records):
            (folder / f"{number}-{record.get('id', 'x')}.json").write_text(json.dumps(record))
        return folder

    return write


def layer(files: dict[str, str | None], links: dict[str, str] | None = None) -> bytes:
    """A gzipped layer; a file of None is a whiteout's, links are hard links."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            body = (content or "").encode()
            member.size = len(body)
            tar.addfile(member, io.BytesIO(body))
        for name, target in (links or {}).items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.LNKTYPE, target
            tar.addfile(member)
    return gzip.compress(packed.getvalue(), mtime=0)


def stanza(package: str, version: str, source: str = "") -> str:
    """A package in dpkg's status."""
    lines = [f"Package: {package}", "Status: install ok installed", "Architecture: amd64", f"Version: {version}"]
    return "\n".join(
        [*lines, *([f"Source: {source}"] if source else []), "Maintainer: nobody", "Description: x", "", ""]
    )


def dist_info(name: str, version: str) -> dict[str, str | None]:
    """A Python package as pip leaves it."""
    folder = f"var/task/{name}-{version}.dist-info"
    return {
        f"{folder}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\n",
        f"{folder}/RECORD": "",
    }


class FakeRegistry:
    """A registry of one repository, `image`, that gives what it is told to, broken or not."""

    def __init__(self, host: str, blobs: dict[str, bytes]) -> None:
        self._host = host
        self.blobs = blobs

    def push(self, *layers: bytes) -> ImageSource:
        """Take an image of these layers, gzipped or not."""
        descriptors = [{"mediaType": OCI_LAYER, "digest": self._put(each), "size": len(each)} for each in layers]
        rootfs = {"type": "layers", "diff_ids": [each["digest"] for each in descriptors]}
        body = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": rootfs}).encode()
        config = {"mediaType": OCI_CONFIG, "digest": self._put(body), "size": len(body)}
        manifest = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": descriptors}
        return self.push_manifest(json.dumps(manifest).encode())

    def push_manifest(self, manifest: bytes) -> ImageSource:
        """Take a manifest as it is."""
        return ImageSource(self._host, "image", self._put(manifest))

    def _put(self, body: bytes) -> str:
        digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
        self.blobs[digest] = body
        return digest


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    """A registry on a free port of 127.0.0.1."""
    blobs: dict[str, bytes] = {}

    class Counter(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b"{}" if self.path == "/v2/" else blobs.get(self.path.rpartition("/")[2])
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Type", OCI_MANIFEST if "/manifests/" in self.path else "application/octet-stream")
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_: object) -> None:
            """Keep the tests' output quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Counter)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield FakeRegistry(f"127.0.0.1:{server.server_address[1]}", blobs)
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def make() -> SimpleNamespace:
    """What tests are made of, such as `make.osv(…)`, `make.deb(…)` and `make.layer(…)`."""
    return SimpleNamespace(
        osv=osv, pypi=pypi, deb=deb, layer=layer, stanza=stanza, dist_info=dist_info, debian_12=DEBIAN_12
    )
