"""An image reduced to the files that name its packages, so that syft reads a few megabytes instead of a gigabyte.

Every layer is streamed once. Of its files, package databases, Python's package metadata and whiteouts are kept; all
folders and symbolic links are. The layers are given to syft as an OCI layout (OCI image specification, "Image Layout"),
and it stacks them as those of a whole image.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from http.client import HTTPException
from pathlib import Path
from typing import Any

from isal import igzip, isal_zlib

from localaws.ecr.scanning import ImageSource
from localaws.scanner import ScanFailed

_OWNERSHIP = (".list", ".md5sums")  # which files belong to a package
_OK = 200
_WHITEOUT = ".wh."
_CHUNK = 1024 * 1024
_BLOCK = 64 * 1024  # tarfile copies its buffer at every header: small blocks are faster
_MOST_KEPT = 512 * 1024 * 1024
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
# The databases of dpkg, rpm and apk in any place; the files that name the distribution.
_FOLDERS = frozenset({"dpkg", "rpm", "apk"})
_FILES = frozenset({"os-release", "system-release-cpe", "redhat-release"})
_UNREADABLE: tuple[Any, ...] = (tarfile.TarError, EOFError, OSError, isal_zlib.IsalError, HTTPException)


def write_package_layers(source: ImageSource, folder: Path) -> None:
    """Write the reduced image as an OCI layout into an empty folder.

    Raises:
        ScanFailed: the manifest or a layer cannot be read completely.
    """
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    with ThreadPoolExecutor(2) as workers:
        layers = list(workers.map(lambda digest: _layer(source, digest, blobs), _layers(source)))
    rootfs = {"type": "layers", "diff_ids": [layer["digest"] for layer in layers]}
    config = _put(blobs, {"architecture": "amd64", "os": "linux", "config": {}, "rootfs": rootfs}, "config")
    manifest = _put(blobs, {"schemaVersion": 2, "config": config, "layers": layers}, "manifest")
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [manifest]}))
    (folder / "oci-layout").write_text(json.dumps({"imageLayoutVersion": "1.0.0"}))


def is_wanted(name: str) -> bool:
    """Whether a file of this name may show which packages are installed."""
    *folders, file = name.split("/")
    if file in _FILES or file.startswith(_WHITEOUT) or file.lower().endswith("-info"):
        return True
    if folders[-2:] == ["dpkg", "info"]:
        return file.endswith(_OWNERSHIP)
    return any(folder in _FOLDERS or folder.lower().endswith("-info") for folder in folders)


def _layers(source: ImageSource) -> list[str]:
    try:
        return [str(layer["digest"]) for layer in json.loads(source.manifest())["layers"]]
    except (ValueError, KeyError, TypeError) as broken:
        raise ScanFailed(
            "The manifest names no layers: an index cannot be scanned, scan the images it names."
        ) from broken


def _layer(source: ImageSource, digest: str, blobs: Path) -> dict[str, Any]:
    """Reduce one layer; again, if a file that is kept is a hard link to one that was left out."""
    reduced, also = blobs / digest.replace(":", "-"), frozenset[str]()
    try:
        while missing := _copy(source, digest, reduced, also):
            also |= missing
    except _UNREADABLE as broken:
        raise ScanFailed(f"The layer {digest} cannot be read completely: {broken}.") from broken
    with reduced.open("rb") as stream:
        name = hashlib.file_digest(stream, "sha256").hexdigest()
    reduced.replace(blobs / name)
    size = (blobs / name).stat().st_size
    return {"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": f"sha256:{name}", "size": size}


def _copy(source: ImageSource, digest: str, reduced: Path, also: frozenset[str]) -> frozenset[str]:
    """Copy the wanted files of a layer; return those that were left out although a wanted name links to them."""
    kept, linked, size = set[str](), set[str](), 0
    with (
        _verified(source, digest) as packed,
        _unpacked(packed, digest) as stream,
        tarfile.open(fileobj=stream, mode="r|", bufsize=_BLOCK) as layer,
        tarfile.open(reduced, "w") as copy,
    ):
        for member in layer:
            is_file = member.isreg() or member.islnk()
            if is_file and member.name not in also and not is_wanted(member.name):
                continue
            size += member.size
            if size > _MOST_KEPT:
                raise ScanFailed(f"The package databases in layer {digest} are larger than {_MOST_KEPT} bytes.")
            copy.addfile(member, layer.extractfile(member) if member.isreg() else None)
            kept.add(member.name)
            if member.islnk():
                linked.add(member.linkname)
    return frozenset(linked - kept - also)


@contextmanager
def _verified(source: ImageSource, digest: str) -> Iterator[Any]:
    """A layer's compressed bytes, whose digest is compared at the end: half a layer may look like a whole tar."""
    with source.blob(digest) as response:
        if response.status != _OK:
            raise ScanFailed(f"The registry does not hold the layer {digest} (HTTP {response.status}).")
        hashed = _Hashed(response)
        packed = io.BufferedReader(hashed, _CHUNK)
        yield packed
        while packed.read(_CHUNK):
            pass
        if f"sha256:{hashed.sha256.hexdigest()}" != digest:
            raise ScanFailed(f"What the registry gave as the layer {digest} is not that layer, or not all of it.")


class _Hashed(io.RawIOBase):
    """A response that is hashed while it is read."""

    def __init__(self, response: Any) -> None:
        self._response = response
        self.sha256 = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = int(self._response.readinto(buffer))
        self.sha256.update(memoryview(buffer)[:count])
        return count


def _unpacked(packed: Any, digest: str) -> AbstractContextManager[Any]:
    start = packed.peek(4)
    if start.startswith(_ZSTD):
        raise ScanFailed(f"The layer {digest} is packed with zstd, which Lambda refuses: build it with gzip layers.")
    # ISA-L decompresses three times as fast as zlib, and this is most of the time of a new image's scan.
    unpacked = igzip.open(packed) if start.startswith(_GZIP) else packed  # type: ignore[no-untyped-call]
    return nullcontext(unpacked)  # left open: what follows the tar in the stream must still be hashed


def _put(blobs: Path, content: dict[str, Any], kind: str) -> dict[str, Any]:
    body = json.dumps(content).encode()
    name = hashlib.sha256(body).hexdigest()
    (blobs / name).write_bytes(body)
    media_type = f"application/vnd.oci.image.{kind}.v1+json"
    return {"mediaType": media_type, "digest": f"sha256:{name}", "size": len(body)}
