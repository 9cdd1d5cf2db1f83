"""Layers as tar files on this machine's disk, kept from run to run by the SHA-256 of their content.

That digest is what an image's configuration calls a layer by (OCI image spec, "Layer DiffID"). A kept file is hashed
again before it is read, so one that was changed meanwhile is not taken for the layer.
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import lzma
import os
import re
import tarfile
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from gate.errors import ImageUnavailable

# Of all that is written in a run; Lambda's own limit for an image is 10 GB.
LIMIT_BYTES = 40 << 30
BUFFER = 1 << 20
_ZSTANDARD = b"\x28\xb5\x2f\xfd"
_UNPACKED: Mapping[bytes, Callable[[Any], Any]] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}
_HEAD = 512
# What the readers raise at damaged content: bz2 an OSError, as gzip does in part.
DAMAGED = (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, OSError)
_DIGEST = re.compile(r"(?:sha256:)?[0-9a-f]{64}")
# What no run has written or read for so long is removed. Runs about different images, one after the other or side by
# side, keep their layers.
_KEPT_SECONDS = 3600


class LayerFile:
    """A layer on the disk, or the content of one of its files, which is a part of it.

    Args:
        file: holds it.
        begin: where it begins there, in bytes.
        size: in bytes; all of the file, unless it is given.
    """

    def __init__(self, file: IO[bytes], begin: int = 0, size: int | None = None) -> None:
        self._file, self._begin = file, begin
        self.size = os.fstat(file.fileno()).st_size if size is None else size

    def part(self, begin: int, size: int) -> LayerFile:
        """A part of it."""
        return LayerFile(self._file, self._begin + begin, size)

    def read(self, begin: int, size: int) -> bytes:
        """Some bytes of it.

        Raises:
            tarfile.ReadError: it ends before.
        """
        found, begin = b"", self._begin + begin
        while len(found) < size:  # Linux reads at most 2 GB at once
            piece = os.pread(self._file.fileno(), size - len(found), begin + len(found))
            if not piece:
                raise tarfile.ReadError("unexpected end of data")
            found = found + piece if found else piece
        return found

    def pieces(self, size: int) -> Iterator[bytes]:
        """The whole of it, in pieces of this size."""
        return (self.read(begin, min(size, self.size - begin)) for begin in range(0, self.size, size))

    def hashed(self, algorithm: str) -> str:
        """Its digest, as "algorithm:hex"."""
        hasher = hashlib.new(algorithm, usedforsecurity=False)
        for piece in self.pieces(BUFFER):
            hasher.update(piece)
        return f"{algorithm}:{hasher.hexdigest()}"

    def stream(self) -> IO[bytes]:
        """A whole layer from its beginning, to be closed by itself."""
        self._file.seek(0)
        return open(os.dup(self._file.fileno()), "rb")


class LayerFolder:
    """A folder of layers.

    Raises:
        ImageUnavailable: it cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._left = folder, LIMIT_BYTES
        self._opened: list[IO[bytes]] = []
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as refused:
            raise self._no_room(refused) from refused

    def kept(self, digest: str) -> LayerFile | None:
        """The layer with this digest; None where none can be read. What has another content by now is removed."""
        path = self._path(digest)
        if not _DIGEST.fullmatch(digest):
            return None
        try:
            opened = path.open("rb", buffering=0)
            self._opened.append(opened)
            os.utime(opened.fileno())
            file = LayerFile(opened)
            if file.hashed("sha256") == digest:
                return file
        except (OSError, tarfile.TarError):
            return None  # absent, another user's, or cut meanwhile: the engine is asked
        path.unlink(missing_ok=True)
        return None

    def add(self, source: IO[bytes]) -> tuple[str, LayerFile]:
        """Write what a source holds; returns its digest and the file.

        Raises:
            ImageUnavailable: it is larger than the limit, or there is no room for it.
        """
        try:
            handle, name = tempfile.mkstemp(dir=self._folder, suffix=".part")
        except OSError as refused:
            raise self._no_room(refused) from refused
        file = open(handle, "w+b", buffering=0)  # noqa: SIM115 - closed by `close`
        self._opened.append(file)
        try:
            digest = f"sha256:{self._copied(source, file)}"
            os.replace(name, self._path(digest))
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        return digest, LayerFile(file)

    def _copied(self, source: IO[bytes], file: Any) -> str:
        hasher = hashlib.sha256()
        while piece := source.read(BUFFER):
            self._left -= len(piece)
            if self._left < 0:
                raise ImageUnavailable(f"the image is larger than the {LIMIT_BYTES} bytes that the gate reads")
            hasher.update(piece)
            left = memoryview(piece)
            try:
                while left:
                    left = left[file.write(left) :]
            except OSError as full:
                raise self._no_room(full) from full
        return hasher.hexdigest()

    def unpack(self, archive: IO[bytes], files: dict[str, LayerFile]) -> str:
        """Write the layers of an archive of `docker save`, by digest; returns why one cannot be read, or "".

        Configurations, indexes and attestations are JSON.

        Raises:
            tarfile.TarError: it is no tar archive or ends early.
        """
        why = ""
        with tarfile.open(fileobj=archive, mode="r|", bufsize=BUFFER) as opened:
            for member in opened:
                content: Any = opened.extractfile(member) if member.isfile() else None
                head = content.peek(_HEAD)[:_HEAD] if content else b""
                unpacked = next((reader for magic, reader in _UNPACKED.items() if head.startswith(magic)), None)
                if head.startswith(_ZSTANDARD):
                    why = "it is compressed with Zstandard, which Lambda does not accept either"
                elif head and (unpacked or head[257:262] == b"ustar" or not any(head)):
                    try:
                        digest, file = self.add(unpacked(content) if unpacked else content)
                        files[digest] = file
                    except DAMAGED as error:
                        why = str(error)
        return why

    def remove_unused(self) -> None:
        """Remove what no run has used for an hour."""
        for path in self._folder.iterdir():
            with suppress(FileNotFoundError):  # another run has put its file in place, or removed it
                if time.time() - path.stat().st_mtime > _KEPT_SECONDS:
                    path.unlink()

    def close(self) -> None:
        """Close every file that was opened; they stay on the disk."""
        for file in self._opened:
            file.close()

    def _path(self, digest: str) -> Path:
        return self._folder / digest.removeprefix("sha256:")

    def _no_room(self, error: OSError) -> ImageUnavailable:
        return ImageUnavailable(
            f"there is no room to look into the image: {error.strerror}",
            where="/".join(self._folder.parts[-2:]),  # no path of this machine
            remedy="make as much room there as the image takes",
        )
