"""The members of archives, read one after the other within stated limits. Pure.

Where a limit is reached, a member says why it was not read.
"""

from __future__ import annotations

import bz2
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

MB = 1_000_000
# How deeply archives may be nested, and how large one member, and all members of one file, may be unpacked.
DEPTH = 4
MEMBER_BYTES = 256 * MB
TOTAL_BYTES = 1_024 * MB
MEMBERS = 100_000
# Formats that Python's standard library cannot read, by their first bytes.
_UNSUPPORTED = {
    b"\x28\xb5\x2f\xfd": "Zstandard",
    b"7z\xbc\xaf\x27\x1c": "7-Zip",
    b"Rar!\x1a\x07": "RAR",
    b"\x04\x22\x4d\x18": "LZ4",
    b"MSCF\0\0\0\0": "Cabinet",
    b"\xed\xab\xee\xdb": "RPM",
    b"PACK\0\0\0\2": "git",
    b"# v2 git bundle": "git",
    b"# v3 git bundle": "git",
}
_AR = b"!<arch>\n"
_COMPRESSED = {b"\x1f\x8b\x08": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\0": "xz", b"\x5d\0\0\x80\0": "lzma"}
_ZIP = (b"PK\3\4", b"PK\5\6", b"PK\7\x08")
_UNREADABLE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    ValueError,
    NotImplementedError,
    RuntimeError,
    IndexError,
    OverflowError,
    MemoryError,
)


# A file inside an archive: its name there ("" for the archive itself), its content, and why that was not read, as the
# end of a sentence that begins with the name ("" where it was).
Member = tuple[str, bytes, str]


@dataclass
class UnpackBudget:
    """How much of one file may still be unpacked, nested archives included."""

    left_bytes: int = TOTAL_BYTES
    left_members: int = MEMBERS

    def take(self, size: int) -> str:
        """Count one more member; returns the limit that it exceeds, as the end of a sentence, or ""."""
        self.left_members -= 1
        self.left_bytes -= size
        if self.left_members < 0:
            return f"holds more than {MEMBERS} members"
        return f"unpacks to more than {TOTAL_BYTES // MB} MB" if self.left_bytes < 0 else ""


def is_archive(data: bytes) -> bool:
    """Whether a file is an archive, or a compressed file."""
    if data.startswith((*_ZIP, *_COMPRESSED, *_UNSUPPORTED, _AR)) or data[257:262] == b"ustar":
        return not data.startswith(b"BZh") or data[4:10] == b"1AY&SY"
    return _is_git_object(data) or _ends_in_zip(data)


def _is_git_object(data: bytes) -> bool:
    """Whether it is an object of a git repository that is no part of a pack (gitrepository-layout(5), objects)."""
    if data[:2] not in {b"x\x01", b"x\x5e", b"x\x9c", b"x\xda"}:
        return False
    try:
        return zlib.decompressobj().decompress(data[:64], 8).startswith((b"blob ", b"commit ", b"tag ", b"tree "))
    except zlib.error:
        return False


def _ends_in_zip(data: bytes) -> bool:
    """Whether a zip follows a program, as in a self-extracting file or a zipapp (PEP 441).

    A library that reads zips contains their signatures too, so the first member must be readable.
    """
    if data.rfind(b"PK\5\6", max(0, len(data) - 66_000)) < 0:
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            first = next(iter(archive.infolist()), None)
            return first is not None and data[first.header_offset :].startswith(_ZIP[0])
    except _UNREADABLE:
        return False


def members(data: bytes, budget: UnpackBudget) -> Iterator[Member]:
    """The members of an archive, as far as the budget allows."""
    foreign = next((name for magic, name in _UNSUPPORTED.items() if data.startswith(magic)), "")
    if foreign:
        yield "", b"", f"is packed with {foreign}, which cannot be read here"
        return
    try:
        yield from _read(data, budget)
    except _UNREADABLE as error:
        yield "", b"", f"is a damaged or unknown archive ({type(error).__name__})"


def _read(data: bytes, budget: UnpackBudget) -> Iterator[Member]:
    kind = next((name for magic, name in _COMPRESSED.items() if data.startswith(magic)), "")
    if kind:
        yield from _limited("", _decompress(kind, data), budget)
    elif _is_git_object(data):
        content = zlib.decompressobj().decompress(data, MEMBER_BYTES + 1)
        yield from _limited("", content if len(content) <= MEMBER_BYTES else None, budget)
    elif data[257:262] == b"ustar":
        yield from _tar(data, budget)
    elif data.startswith(_AR):
        yield from _ar(data, budget)
    else:
        yield from _zip(data, budget)


def _limited(name: str, content: bytes | None, budget: UnpackBudget) -> Iterator[Member]:
    """A member, or the limit that it exceeds (None: larger than one member may be)."""
    if content is None:
        yield name, b"", f"unpacks to more than {MEMBER_BYTES // MB} MB"
    else:
        limit = budget.take(len(content))
        yield name, b"" if limit else content, limit


def _decompress(kind: str, data: bytes) -> bytes | None:
    if kind == "gzip":
        return _gunzip(data)
    with bz2.BZ2File(io.BytesIO(data)) if kind == "bzip2" else lzma.LZMAFile(io.BytesIO(data)) as file:
        content = file.read(MEMBER_BYTES + 1)
    return content if len(content) <= MEMBER_BYTES else None


def _gunzip(data: bytes) -> bytes | None:
    """All parts of a gzip file (RFC 1952, 2.2); anything after the last is padding."""
    found = b""
    while data.startswith(b"\x1f\x8b\x08"):
        part = zlib.decompressobj(wbits=31)
        found += part.decompress(data, MEMBER_BYTES + 1 - len(found))
        if len(found) > MEMBER_BYTES:
            return None
        if not part.eof:
            raise EOFError
        data = part.unused_data
    return found


def _tar(data: bytes, budget: UnpackBudget) -> Iterator[Member]:
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
        for member in archive:
            if not member.isfile():
                continue
            file = archive.extractfile(member) if member.size <= MEMBER_BYTES else None
            yield from _limited(member.name, file.read() if file else None, budget)


def _zip(data: bytes, budget: UnpackBudget) -> Iterator[Member]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for member in archive.infolist():
            if member.is_dir():
                continue
            if member.flag_bits & 1:
                yield member.filename, b"", "is encrypted"
                continue
            with archive.open(member) as file:
                content = file.read(MEMBER_BYTES + 1)
            yield from _limited(member.filename, content if len(content) <= MEMBER_BYTES else None, budget)


def _ar(data: bytes, budget: UnpackBudget) -> Iterator[Member]:
    """The members of an ar archive, such as a .deb or a static library (deb(5), ar(5))."""
    position = len(_AR)
    while position + 60 <= len(data):
        name = data[position : position + 16].decode("latin-1").strip().rstrip("/")
        size = int(data[position + 48 : position + 58])
        yield from _limited(name, data[position + 60 : position + 60 + size], budget)
        position += 60 + size + size % 2
