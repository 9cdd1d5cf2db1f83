"""Reading files of a folder that is not trusted: regular files only, of stated sizes, and JSON of stated depth.

A link, a named pipe, a device or a socket is reported and never opened.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gate.errors import EvidenceDamaged
from gate.typed import UNTYPED

RUN_AGAIN = "restore it from the run's artefact; if there is none, run the gate again"
# In bytes: of a file whose hash is taken, and of one that is read as a whole.
LARGEST, READ_WHOLE = 64 << 20, 32 << 20
# Of all records of a run, and of all files of a folder whose hashes are taken.
RECORDS, ALL = 256 << 20, 1 << 30
# Of files in one folder, and of folders inside each other. A run leaves about two hundred files, two folders deep.
MOST_FILES, DEEPEST = 20_000, 12
_KINDS = (
    (stat.S_ISLNK, "a link"),
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (lambda mode: stat.S_ISCHR(mode) or stat.S_ISBLK(mode), "a device"),
)


def content(path: Path, name: str, most: int = 0) -> bytes:
    """What a regular file of at most so many bytes, or `READ_WHOLE`, holds; `name` is its name in a sentence.

    Raises:
        EvidenceDamaged: it is missing, is no regular file, is larger, or cannot be read.
    """
    most = most or READ_WHOLE
    try:
        _refuse(os.lstat(path), name, path, most)
        # What stands at the path may be another thing by now: it is neither followed nor waited for.
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(number, "rb") as file:
            _refuse(os.fstat(number), name, path, most)
            # It may grow while it is read.
            found = file.read(most + 1)
    except FileNotFoundError as error:
        gone = "is missing: it was removed, or the run was cut short before it was written"
        raise _damaged(name, path, gone) from error
    except OSError as error:
        raise _damaged(name, path, f"cannot be read: {error.strerror}") from error
    if len(found) > most:
        raise _damaged(name, path, f"is larger than {most:,} bytes and was not read")
    return found


def sha256_of(path: Path, name: str) -> str:
    """The sha-256 of a regular file of at most `LARGEST` bytes; raises as `content` does."""
    return hashlib.sha256(content(path, name, LARGEST)).hexdigest()


@dataclass(frozen=True)
class HashedFiles:
    """Files of a folder, by name.

    Attributes:
        hashes: the sha-256 of each that could be read.
        unread: why each other one could not ("… cannot be read as a plain file: it is a link").
        kept: the content of those that were asked for.
    """

    hashes: Mapping[str, str]
    unread: Mapping[str, str]
    kept: Mapping[str, bytes]


def hashed(base: Path, names: Iterable[str], prefix: str = "", whole: re.Pattern[str] | None = None) -> HashedFiles:
    """The sha-256 of files in a folder; of those whose name is of the form `whole` the content, up to `RECORDS` bytes.

    `prefix` stands before a name in a sentence.
    """
    hashes: dict[str, str] = {}
    unread: dict[str, str] = {}
    kept: dict[str, bytes] = {}
    seen = 0
    for name in names:
        keep = whole is not None and bool(whole.fullmatch(name))
        try:
            seen += os.lstat(base / name).st_size if is_there(base / name) else 0  # whoever opens it says why
            told = shown(prefix + name)
            if seen > (RECORDS if keep else ALL):
                raise EvidenceDamaged(f"{told} was not read: the files before it are too large together")
            if keep:
                kept[name] = content(base / name, told)
                hashes[name] = hashlib.sha256(kept[name]).hexdigest()
            else:
                hashes[name] = sha256_of(base / name, told)
        except EvidenceDamaged as damage:
            unread[name] = damage.cause
    return HashedFiles(hashes, unread, kept)


def _refuse(about: os.stat_result, name: str, path: Path, most: int) -> None:
    for is_so, kind in _KINDS:
        if is_so(about.st_mode):
            raise _damaged(name, path, f"cannot be read as a plain file: it is {kind}")
    if about.st_size > most:
        raise _damaged(name, path, f"is larger than {most:,} bytes and was not read")


def _damaged(name: str, path: Path, what: str) -> EvidenceDamaged:
    return EvidenceDamaged(f"{name} {what}", where=str(path), remedy=RUN_AGAIN)


def names_in(base: Path, skipped: Collection[str] = ()) -> tuple[str, ...]:
    """Everything below a folder that is no folder itself, by its path in it, sorted; links are not followed.

    What is directly in it under a `skipped` name is not looked at.

    Raises:
        EvidenceDamaged: there are more than `MOST_FILES`, folders lie deeper than `DEEPEST`, or one cannot be listed.
    """
    found: list[str] = []
    ahead = [("", 0)]
    entries = 0
    while ahead:
        folder, depth = ahead.pop()
        if depth > DEEPEST:
            raise _damaged(str(base), base, f"holds folders more than {DEEPEST} deep")
        for entry in entries_of(base / folder):
            entries += 1
            if entries > MOST_FILES:
                raise _damaged(str(base), base, f"holds more than {MOST_FILES:,} files")
            name = f"{folder}/{entry.name}" if folder else entry.name
            if name in skipped:
                continue
            if entry.is_dir(follow_symlinks=False):
                ahead.append((name, depth + 1))
            else:
                found.append(name)
    return tuple(sorted(found))


def entries_of(folder: Path) -> Iterator[os.DirEntry[str]]:
    """What lies in a folder itself.

    Raises:
        EvidenceDamaged: it cannot be listed.
    """
    try:
        with os.scandir(folder) as entries:
            yield from entries
    except OSError as error:
        raise _damaged(folder.name, folder, f"cannot be listed: {error.strerror}") from error


def shown(name: str) -> str:
    """A file's name as it can stand in a sentence: of visible characters, and so that every name can be told."""
    return name if name and name.isprintable() else ascii(name)


def is_folder(path: Path) -> bool:
    """Whether a folder is there: itself, and not a link to one."""
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False


def is_there(path: Path) -> bool:
    """Whether anything has this name, be it a link to nothing."""
    return os.path.lexists(path)


def json_in(folder: Path, name: str) -> dict[str, Any]:
    """The JSON object that a file of a folder holds; raises as `content` and `json_object` do."""
    return json_object(content(folder / name, name), name)


def json_object(raw: bytes, name: str) -> dict[str, Any]:
    """The JSON object in a file's content.

    Raises:
        EvidenceDamaged: it is cut short, holds something else, or one name twice: readers would differ about it.
    """
    try:
        found = json.loads(raw, object_pairs_hook=_once)
        if not isinstance(found, dict):
            raise ValueError(f"a JSON object was expected, not {type(found).__name__}")
    except (ValueError, RecursionError) as error:
        raise EvidenceDamaged(f"{name} is not whole: {error}", where=name, remedy=RUN_AGAIN) from error
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"it holds {name!r} twice")
        found[name] = value
    return found


@contextmanager
def as_written(what: str, where: str = "") -> Iterator[None]:
    """Around code that takes a JSON value for what a run writes.

    Raises:
        EvidenceDamaged: it has gaps, or forms that this gate does not know and so cannot check.
    """
    try:
        yield
    except UNTYPED as error:
        raise EvidenceDamaged(
            f"{what} cannot be read: {type(error).__name__}: {error}",
            where=where,
            remedy="verify with the version of the gate that made the run; else run the gate again",
        ) from error
