"""A download from the engine as a file, read once from front to end and never beyond a limit."""

from __future__ import annotations

import io
from collections.abc import Iterable

from gate.errors import ImageUnavailable


class _Chunks(io.RawIOBase):
    def __init__(self, chunks: Iterable[bytes], limit: int) -> None:
        self._chunks = iter(chunks)
        self._limit = self._left = limit
        self._held = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._held:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._left -= len(chunk)
            if self._left < 0:
                raise ImageUnavailable(f"the image is larger than the {self._limit} bytes that the gate reads")
            self._held = memoryview(chunk)
        size = min(len(buffer), len(self._held))
        buffer[:size] = self._held[:size]
        self._held = self._held[size:]
        return size


def as_file(chunks: Iterable[bytes], limit: int) -> io.BufferedReader:
    """The chunks as a binary file.

    Args:
        chunks: what the engine sends.
        limit: bytes; reading past them raises `ImageUnavailable`.
    """
    return io.BufferedReader(_Chunks(chunks, limit), buffer_size=1 << 20)
