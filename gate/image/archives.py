"""Archives inside files: their members, one after the other, within stated limits. Pure but for memory.

A limit that is reached is never passed over: it is yielded in the place of what was not read.
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
# How deep archives may lie in one another, how large one member may be unpacked, and all of one file together.
DEPTH = 4
MEMBER_BYTES = 256 * MB
TOTAL_BYTES = 1_024 * MB
MEMBERS = 100_000
# Formats for which Python has no reader, by their first bytes.
_FOREIGN = {
    b"\x28\xb5\x2f\xfd": "Zstandard",
    b"7z\xbc\xaf\x27\x1c": "7-Zip",
    b"Rar!\x1a\x07": "RAR",
    b"\x04\x22\x4d\x18": "LZ4",
    b"MSCF\0\0\0\0": "Cabinet",
    b"\xed\xab\xee\xdb": "RPM",
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


@dataclass(frozen=True)
class Member:
    """A file inside an archive.

    Attributes:
        name: as the archive names it.
        data: its content.
    """

    name: str
    data: bytes


@dataclass(frozen=True)
class Unread:
    """What could not be looked into.

    Attributes:
        name: of the member ("" for the archive itself).
        why: the end of a sentence that begins with its name.
    """

    name: str
    why: str


@dataclass
class Budget:
    """What may still be unpacked of one file; archives in archives share it."""

    left_bytes: int = TOTAL_BYTES
    left_members: int = MEMBERS

    def take(self, size: int) -> str:
        """Note one more member; the sentence of the limit that it reaches, or ""."""
        self.left_members -= 1
        self.left_bytes -= size
        if self.left_members < 0:
            return f"holds more than {MEMBERS} members"
        return f"unpacks to more than {TOTAL_BYTES // MB} MB" if self.left_bytes < 0 else ""


def is_archive(data: bytes) -> bool:
    """Whether a file is of a format that holds other files, or one file compressed."""
    if data.startswith((*_ZIP, *_COMPRESSED, *_FOREIGN, _AR)) or data[257:262] == b"ustar":
        return not data.startswith(b"BZh") or data[4:10] == b"1AY&SY"
    return _ends_in_zip(data)


def _ends_in_zip(data: bytes) -> bool:
    """Whether a program stands before a zip, as in a self-extracting file or a zipapp (PEP 441).

    A library that reads zips holds their marks as well: only what opens to its first member is one.
    """
    if data.rfind(b"PK\5\6", max(0, len(data) - 66_000)) < 0:
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            first = next(iter(archive.infolist()), None)
            return first is not None and data[first.header_offset :].startswith(_ZIP[0])
    except _UNREADABLE:
        return False


def members(data: bytes, budget: Budget) -> Iterator[Member | Unread]:
    """The members of an archive, as far as the budget reaches."""
    foreign = next((name for magic, name in _FOREIGN.items() if data.startswith(magic)), "")
    if foreign:
        yield Unread("", f"is packed with {foreign}, which cannot be read here")
        return
    try:
        yield from _opened(data, budget)
    except _UNREADABLE as error:
        yield Unread("", f"is a damaged or unknown archive ({type(error).__name__})")


def _opened(data: bytes, budget: Budget) -> Iterator[Member | Unread]:
    kind = next((name for magic, name in _COMPRESSED.items() if data.startswith(magic)), "")
    if kind:
        yield from _within("", _unpacked(kind, data), budget)
    elif data[257:262] == b"ustar":
        yield from _tar(data, budget)
    elif data.startswith(_AR):
        yield from _ar(data, budget)
    else:
        yield from _zip(data, budget)


def _within(name: str, content: bytes | None, budget: Budget) -> Iterator[Member | Unread]:
    """A member, or the limit that it goes beyond (None: larger than one member may be)."""
    if content is None:
        yield Unread(name, f"unpacks to more than {MEMBER_BYTES // MB} MB")
    elif limit := budget.take(len(content)):
        yield Unread(name, limit)
    else:
        yield Member(name, content)


def _unpacked(kind: str, data: bytes) -> bytes | None:
    if kind == "gzip":
        return _gunzipped(data)
    with bz2.BZ2File(io.BytesIO(data)) if kind == "bzip2" else lzma.LZMAFile(io.BytesIO(data)) as file:
        content = file.read(MEMBER_BYTES + 1)
    return content if len(content) <= MEMBER_BYTES else None


def _gunzipped(data: bytes) -> bytes | None:
    """All parts of a gzip file (RFC 1952, 2.2); what comes behind the last is padding."""
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


def _tar(data: bytes, budget: Budget) -> Iterator[Member | Unread]:
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
        for member in archive:
            if not member.isfile():
                continue
            file = archive.extractfile(member) if member.size <= MEMBER_BYTES else None
            yield from _within(member.name, file.read() if file else None, budget)


def _zip(data: bytes, budget: Budget) -> Iterator[Member | Unread]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for member in archive.infolist():
            if member.is_dir():
                continue
            if member.flag_bits & 1:
                yield Unread(member.filename, "is encrypted")
                continue
            with archive.open(member) as file:
                content = file.read(MEMBER_BYTES + 1)
            yield from _within(member.filename, content if len(content) <= MEMBER_BYTES else None, budget)


def _ar(data: bytes, budget: Budget) -> Iterator[Member | Unread]:
    """The members of an ar archive, as a .deb or a static library is one (deb(5), ar(5))."""
    position = len(_AR)
    while position + 60 <= len(data):
        name = data[position : position + 16].decode("latin-1").strip().rstrip("/")
        size = int(data[position + 48 : position + 58])
        yield from _within(name, data[position + 60 : position + 60 + size], budget)
        position += 60 + size + size % 2
