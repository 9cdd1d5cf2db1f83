"""A run's folder as it is found on the disk: names, hashes, and the few files that are read whole."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gate.errors import EvidenceDamaged, WrongUse
from gate.evidence.reading import content, is_folder, is_there, json_object, names_in, sha256_of, shown
from gate.evidence.store import INDEX

# In bytes: of all records of a run, and of all files of a folder whose hashes are taken.
RECORDS, ALL = 256 << 20, 1 << 30
_RECORD = re.compile(r"\d{3,9}-[a-z0-9-]+\.json")


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


@dataclass(frozen=True)
class RunFolder:
    """What stands in a run's folder.

    Attributes:
        path: the folder that holds verdict.json and evidence/.
        evidence: every file in evidence/ but the index; records are kept whole.
    """

    path: Path
    evidence: HashedFiles

    @property
    def records(self) -> Mapping[str, bytes]:
        """The content of each record, by name."""
        return self.evidence.kept

    def raw(self, name: str) -> bytes:
        """A file's content.

        Raises:
            EvidenceDamaged: it is not there, or cannot be read.
        """
        return content(self.path / name, name)

    def object(self, name: str) -> dict[str, Any]:
        """The JSON object that a file holds.

        Raises:
            EvidenceDamaged: it is missing, unreadable, cut short or holds something else.
        """
        return json_object(self.raw(name), name)


def read(path: Path) -> RunFolder:
    """Look at a run's folder; every file of its evidence is read once.

    Raises:
        WrongUse: it is no run's folder.
        EvidenceDamaged: it holds more than can be looked at.
    """
    if not is_there(path / "verdict.json") and not is_folder(path / "evidence"):
        inside = is_there(path / INDEX)
        raise WrongUse(
            f"{path} holds no run: neither verdict.json nor evidence/ is in it",
            remedy=f"name the folder above it: {path.parent}"
            if inside
            else "name the folder of a run, such as reports",
        )
    base = path / "evidence"
    names = names_in(base) if is_folder(base) else ()
    return RunFolder(path, hashed(base, (name for name in names if name != INDEX), "evidence/", _RECORD))


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
            seen += _size(base / name)
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


def _size(path: Path) -> int:
    try:
        return os.lstat(path).st_size
    except OSError:  # whoever opens it says why
        return 0
