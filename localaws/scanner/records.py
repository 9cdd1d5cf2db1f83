"""OSV records as they lie on disk: single JSON files, and zip archives as OSV publishes them (`all.zip`).

Nothing is unpacked to disk; every size is bounded before it is read.
"""

from __future__ import annotations

import json
import os
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from localaws.scanner.failure import ScanFailed

_MIB = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """How much is read.

    Attributes:
        record: bytes of one record (the longest that OSV has published is about 3 MiB).
        total: bytes of all records together, unpacked.
        records: how many.
    """

    record: int = 16 * _MIB
    total: int = 8192 * _MIB
    records: int = 2_000_000


LIMITS = Limits()


def records_in(sources: Iterable[Path], limits: Limits = LIMITS) -> Iterator[tuple[str, Any]]:
    """Every record in the sources, each with the name of the file it was read from.

    Args:
        sources: directories (searched to the bottom for `*.json` and `*.zip`), archives or single files.
        limits: how much is read at most.

    Raises:
        ScanFailed: a source is missing; a file is unreadable, not JSON, too large, or named to leave its archive.
    """
    read, count = 0, 0
    for origin, content in _contents(sources, limits):
        read, count = read + len(content), count + 1
        if read > limits.total or count > limits.records:
            raise ScanFailed(f"The advisories are more than can be read ({count} records, {read} bytes at {origin}).")
        yield origin, _parsed(origin, content)


def _contents(sources: Iterable[Path], limits: Limits) -> Iterator[tuple[str, bytes]]:
    for source in sources:
        for path in _files(source):
            if path.suffix.lower() == ".zip":
                yield from _archived(path, limits)
            else:
                yield path.name, _whole(path, limits)


def _files(source: Path) -> Iterator[Path]:
    if not source.exists():
        raise ScanFailed(f"The advisories {source.name} do not exist. Give a directory or an archive of OSV records.")
    if source.is_file():
        yield source
        return
    for folder, below, names in os.walk(source):
        below.sort()
        yield from (Path(folder, name) for name in sorted(names) if name.lower().endswith((".json", ".zip")))


def _whole(path: Path, limits: Limits) -> bytes:
    try:
        with path.open("rb") as stream:
            return _bounded(stream, path.name, limits)
    except OSError as unreadable:
        raise ScanFailed(f"The advisory {path.name} cannot be read: {unreadable.strerror}.") from unreadable


def _archived(path: Path, limits: Limits) -> Iterator[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                if entry.is_dir() or not entry.filename.lower().endswith(".json"):
                    continue
                yield _entry(archive, entry, path.name, limits)
    except (zipfile.BadZipFile, zlib.error, OSError, NotImplementedError, RuntimeError, EOFError) as broken:
        if isinstance(broken, ScanFailed):
            raise
        raise ScanFailed(f"The archive of advisories {path.name} cannot be read: {broken}.") from broken


def _entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str, limits: Limits) -> tuple[str, bytes]:
    place = entry.filename.replace("\\", "/")
    if place.startswith("/") or ".." in place.split("/"):
        raise ScanFailed(f"The archive {name} holds {entry.filename!r}, which leads out of it: it is not OSV's.")
    with archive.open(entry) as stream:
        origin = f"{name}:{entry.filename}"
        return origin, _bounded(stream, origin, limits)


def _bounded(stream: IO[bytes], origin: str, limits: Limits) -> bytes:
    # What an archive says of its sizes may be a lie: what counts is what comes out.
    content = stream.read(limits.record + 1)
    if len(content) > limits.record:
        raise ScanFailed(f"The advisory {origin} is larger than {limits.record} bytes, so it was not read.")
    return content


def _parsed(origin: str, content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as broken:
        raise ScanFailed(
            f"The advisory {origin} cannot be read as JSON: {broken}. Repair it or take it out; until then nothing is "
            "known about the image."
        ) from broken
