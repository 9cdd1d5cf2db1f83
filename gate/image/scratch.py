"""A file on this machine's disk for what is too large for memory; parts of it are read as files of their own."""

from __future__ import annotations

import io
import os
import tarfile
import tempfile
from typing import IO, Any

from gate.errors import ImageUnavailable

# Of all that is written to it; Lambda's own limit for an image is 10 GB.
LIMIT_BYTES = 40 << 30
BUFFER = 1 << 20
# On disk, where /tmp may lie in memory (Filesystem Hierarchy Standard, 5.15).
_LASTING = "/var/tmp"  # noqa: S108  # nosec B108


class ScratchFile:
    """A file without a name: its room is free again when it is closed, or when the process ends.

    Attributes:
        size: bytes written so far.
    """

    def __init__(self) -> None:
        self._where = os.environ.get("TMPDIR") or (_LASTING if os.access(_LASTING, os.W_OK) else "/tmp")  # noqa: S108
        try:
            self._file = tempfile.TemporaryFile(dir=self._where, buffering=0)  # noqa: SIM115 - closed by `close`
        except OSError as refused:
            raise self._no_room(refused) from refused
        self.size = 0

    def close(self) -> None:
        """Give the room back."""
        self._file.close()

    def append(self, source: IO[bytes]) -> int:
        """Write what a source holds at the end; returns where it begins.

        Raises:
            ImageUnavailable: it is larger than the limit, or there is no room for it.
        """
        begin = self.size
        while piece := source.read(BUFFER):
            if self.size + len(piece) > LIMIT_BYTES:
                raise ImageUnavailable(f"the image is larger than the {LIMIT_BYTES} bytes that the gate reads")
            self._write(piece)
        return begin

    def _write(self, piece: bytes) -> None:
        left = memoryview(piece)
        try:
            while left:
                written = os.pwrite(self._file.fileno(), left, self.size)
                left, self.size = left[written:], self.size + written
        except OSError as full:
            raise self._no_room(full) from full

    def _no_room(self, error: OSError) -> ImageUnavailable:
        return ImageUnavailable(
            f"there is no room to look into the image: {error.strerror}",
            where=self._where,
            remedy="make as much room as the image takes, or let TMPDIR name a folder that has it",
        )

    def read(self, begin: int, size: int) -> bytes:
        """A part of it.

        Raises:
            tarfile.ReadError: it ends before.
        """
        found = os.pread(self._file.fileno(), size, begin)
        while len(found) < size:  # Linux reads at most 2 GB at once
            piece = os.pread(self._file.fileno(), size - len(found), begin + len(found))
            if not piece:
                raise tarfile.ReadError("unexpected end of data")
            found += piece
        return found

    def part(self, begin: int, size: int) -> io.BufferedReader:
        """A part of it as a file."""
        return io.BufferedReader(_Part(self._file.fileno(), begin, size))


class _Part(io.RawIOBase):
    def __init__(self, descriptor: int, begin: int, size: int) -> None:
        self._descriptor, self._begin, self._size, self._at = descriptor, begin, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        return self._at

    def readinto(self, buffer: Any) -> int:
        wanted = max(0, min(len(buffer), self._size - self._at))
        found = os.preadv(self._descriptor, [memoryview(buffer)[:wanted]], self._begin + self._at)
        self._at += found
        return found
