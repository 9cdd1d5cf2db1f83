"""The archive of `docker save`: read once, from front to end, for an image's identity and sizes.

Engines report sizes differently: the bytes of the files, the blocks that they take on disk, or the tar around them.
Measured here, an image has the same size on each of them: that of its files, as Docker's own store counts it.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any, cast

from gate.errors import ImageUnavailable

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_DOCUMENT_BYTES = 8 << 20
_CHUNK = 1 << 20


@dataclass(frozen=True)
class HistoryEntry:
    """One instruction of the build.

    Attributes:
        instruction: what the builder recorded ("" when it recorded nothing).
        size_bytes: the files that it added, uncompressed; 0 for an instruction that only changes the configuration.
    """

    instruction: str
    size_bytes: int


@dataclass(frozen=True)
class SavedImage:
    """An image as its archive holds it.

    Attributes:
        config_digest: sha256 of its configuration.
        layers: the digests of the uncompressed layers, lowest first (OCI image configuration, rootfs.diff_ids).
        history: each instruction with the size of its layer, oldest first; one entry per layer where none is recorded.
    """

    config_digest: str
    layers: tuple[str, ...]
    history: tuple[HistoryEntry, ...]


def read_saved(archive: tarfile.TarFile) -> SavedImage:
    """Read an archive in the layout of Docker (manifest.json) or of OCI with that file beside it, as engines write it.

    Args:
        archive: opened as a stream ("r|").

    Raises:
        tarfile.ReadError: it names no image, or not all that the image consists of is in it.
        ImageUnavailable: a layer is compressed in a way that Lambda does not admit.
    """
    documents: dict[str, bytes] = {}
    sizes: dict[str, int] = {}
    for member in archive:
        file = archive.extractfile(member) if member.isfile() else None
        if file is None:
            continue
        reader = io.BufferedReader(cast(io.RawIOBase, file), _CHUNK)
        start = reader.peek(4)[:4]
        if start[:1] in (b"{", b"["):
            documents[member.name] = reader.read(_DOCUMENT_BYTES)
        elif start[:2] == _GZIP or member.size >= tarfile.BLOCKSIZE:
            digest, size = _layer(reader, start, member.name)
            sizes[digest] = size
    return _image(documents, sizes)


def _layer(reader: IO[bytes], start: bytes, name: str) -> tuple[str, int]:
    if start == _ZSTD:
        raise ImageUnavailable(f"the layer {name} is compressed with zstd, and Lambda admits only gzip",
                               where="docker save", remedy="build it with gzip")  # fmt: skip
    whole = _Hashed(gzip.GzipFile(fileobj=reader) if start[:2] == _GZIP else reader)
    try:
        with tarfile.open(fileobj=cast(IO[bytes], whole), mode="r|", bufsize=_CHUNK) as layer:
            size = sum(map(_bytes, layer))
        while whole.read(_CHUNK):
            pass  # what follows the last member is part of the digest
    except (gzip.BadGzipFile, zlib.error, EOFError) as damage:
        raise tarfile.ReadError(f"{name}: {damage}") from damage
    return f"sha256:{whole.hash.hexdigest()}", size


def _bytes(member: tarfile.TarInfo) -> int:
    """A further name of a file costs nothing; a symbolic link is as long as what it names."""
    if member.issym():
        return len(member.linkname.encode("utf-8", "surrogateescape"))
    return member.size if member.isreg() else 0


class _Hashed:
    def __init__(self, file: IO[bytes] | gzip.GzipFile) -> None:
        self._file = file
        self.hash = hashlib.sha256()

    def read(self, size: int) -> bytes:
        found = self._file.read(size)
        self.hash.update(found)
        return found


def _image(documents: Mapping[str, bytes], sizes: Mapping[str, int]) -> SavedImage:
    try:
        [entry] = json.loads(documents["manifest.json"])
        raw = documents[entry["Config"]]
        config: dict[str, Any] = json.loads(raw)
        layers = tuple(config["rootfs"]["diff_ids"])
        # History is optional (OCI image configuration).
        history = _history(config.get("history") or [{}] * len(layers), [sizes[layer] for layer in layers])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise tarfile.ReadError(f"the saved image is not whole ({error!r})") from error
    return SavedImage(f"sha256:{hashlib.sha256(raw).hexdigest()}", layers, history)


def _history(instructions: Sequence[Mapping[str, Any]], sizes: Sequence[int]) -> tuple[HistoryEntry, ...]:
    if sum(not each.get("empty_layer") for each in instructions) != len(sizes):
        raise tarfile.ReadError("the history of the saved image does not fit its layers")
    left = iter(sizes)
    return tuple(
        HistoryEntry(str(each.get("created_by") or ""), 0 if each.get("empty_layer") else next(left))
        for each in instructions
    )
