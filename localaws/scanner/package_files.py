"""The files of an image that name its packages, read from its layers. No program of the image is run.

Every layer is streamed once. Of its files, package databases, Python's package metadata and what names the distribution
are kept; of all others the names, because a file of a later layer may replace or remove one that was kept.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from http.client import HTTPException
from itertools import accumulate
from typing import Any

from isal import igzip, isal_zlib

from localaws.ecr.scanning import ImageSource
from localaws.scanner import ScanFailed

_OK = 200
_WHITEOUT, _OPAQUE = ".wh.", ".wh..wh..opq"
_CHUNK = 1024 * 1024
_BLOCK = 64 * 1024  # tarfile copies its buffer at every header: small blocks are faster
_MOST_KEPT = 128 * 1024 * 1024
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_WANTED = re.compile(
    r"(?:^|/)(?:dpkg/status|dpkg/status\.d/[^/]+|dpkg/info/[^/]+\.(?:list|md5sums)"
    r"|[^/]+\.(?:dist-info/METADATA|egg-info/PKG-INFO|egg-info))$|(?:^|/)os-release$",
    re.IGNORECASE,
)
# The databases of other package managers; their content is not read.
FOREIGN = re.compile(r"(?:^|/)(rpm|apk)/(?:rpmdb\.sqlite|Packages(?:\.db)?|db/installed)$")
_UNREADABLE: tuple[Any, ...] = (tarfile.TarError, EOFError, OSError, isal_zlib.IsalError, HTTPException)


@dataclass
class _Layer:
    """One layer; paths have no leading slash.

    Attributes:
        kept: the content of each file that is wanted.
        names: of everything else but folders.
        hidden: what it removes from lower layers, with all below.
        linked: hard links by a wanted name to a file that was not kept.
    """

    kept: dict[str, bytes] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    hidden: set[str] = field(default_factory=set)
    linked: set[str] = field(default_factory=set)


def package_files(source: ImageSource) -> Mapping[str, bytes]:
    """What a container of the image sees of these files, by absolute path.

    Raises:
        ScanFailed: the manifest or a layer cannot be read completely.
    """
    found: dict[str, bytes] = {}
    with ThreadPoolExecutor(2) as workers:
        for layer in workers.map(lambda digest: _layer(source, digest), _digests(source)):
            gone = layer.names | layer.hidden | layer.kept.keys()
            found = {path: each for path, each in found.items() if gone.isdisjoint(_with_parents(path))}
            found |= layer.kept
    return {f"/{path}": content for path, content in found.items()}


def _with_parents(path: str) -> Iterator[str]:
    return accumulate(path.split("/"), "{}/{}".format)


def _digests(source: ImageSource) -> list[str]:
    try:
        return [str(layer["digest"]) for layer in json.loads(source.manifest())["layers"]]
    except (ValueError, KeyError, TypeError) as broken:
        raise ScanFailed(
            "The manifest names no layers: an index cannot be scanned, scan the images it names."
        ) from broken


def _layer(source: ImageSource, digest: str) -> _Layer:
    """Read one layer; again, if a file that is wanted is a hard link to one that was not kept."""
    also = frozenset[str]()
    try:
        while (layer := _read(source, digest, also)).linked - also:
            also |= layer.linked
    except _UNREADABLE as broken:
        raise ScanFailed(f"The layer {digest} cannot be read completely: {broken}.") from broken
    return layer


def _read(source: ImageSource, digest: str, also: frozenset[str]) -> _Layer:
    layer, size = _Layer(), 0
    with (
        _verified(source, digest) as packed,
        _unpacked(packed, digest) as stream,
        tarfile.open(fileobj=stream, mode="r|", bufsize=_BLOCK) as archive,
    ):
        for member in archive:
            path = _path(member.name)
            if member.isreg() and (_WANTED.search(path) or path in also) and (file := archive.extractfile(member)):
                size += member.size
                if size > _MOST_KEPT:
                    raise ScanFailed(f"The package databases in layer {digest} are larger than {_MOST_KEPT} bytes.")
                layer.kept[path] = file.read()
            else:
                _enter(layer, member, path)
    return layer


def _path(name: str) -> str:
    return name.removeprefix("./").strip("/")


def _enter(layer: _Layer, member: tarfile.TarInfo, path: str) -> None:
    """Take note of a member whose content is not read."""
    folder, _, name = path.rpartition("/")
    if name.startswith(_WHITEOUT):
        # OCI image specification, "Opaque Whiteout": the folder stays, and what lower layers have in it does not.
        layer.hidden.add(folder if name == _OPAQUE else _path(f"{folder}/{name.removeprefix(_WHITEOUT)}"))
    elif member.islnk() and _WANTED.search(path):
        first = _path(member.linkname)
        if first in layer.kept:
            layer.kept[path] = layer.kept[first]
        else:
            layer.linked.add(first)
    elif member.size and FOREIGN.search(path):
        layer.kept[path] = b""
    elif not member.isdir():
        layer.names.add(path)


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
