"""The seal of a run: the sha-256 of every file that it left, of the scans on record then, and of its notes.

`seal.json` is written last but for the statement, which is about it; so a signature of the statement covers them all.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from gate.evidence.reading import HashedFiles, as_written, hashed, is_folder, names_in
from gate.evidence.store import ENVELOPE, INDEX, SEAL, STATEMENT, plain, readable, write_whole
from gate.typed import typed

VERSION = 1
EVIDENCE_INDEX = f"evidence/{INDEX}"
LOCK = ".lock"
# Folders of other runs and of the recorded scans: each has a seal of its own, or a place of its own in this one.
APART = ("partial", "promotion", "rescan", "runs", "scans")
# The run writes these after its seal; what they say is checked by itself.
_AFTER = (SEAL, STATEMENT, ENVELOPE, LOCK)
NOTES = "VALIDATION.md"
_BESIDE = re.compile(r"(?:\.\./){0,2}[A-Za-z0-9_.-]+\.md")


@dataclass(frozen=True)
class NotesSeal:
    """The run's section of the deployment notes.

    Attributes:
        file: the document, as a path from the run's folder.
        section: the key of the section's markers.
        sha256: of the section as it was written.
    """

    file: str
    section: str
    sha256: str


@dataclass(frozen=True)
class Seal:
    """What a run sealed, as its file states it.

    Attributes:
        sealed_at: UTC.
        files: the sha-256 of each file of the run's folder, by name; evidence/index.json stands for all of evidence/.
        history: the sha-256 of each recorded scan, by name.
        notes: of its section in the deployment notes; None when it wrote none.
    """

    sealed_at: datetime
    files: Mapping[str, str]
    history: Mapping[str, str]
    notes: NotesSeal | None
    version: int = VERSION


def own_files(folder: Path, apart: Collection[str] = ()) -> tuple[str, ...]:
    """The names that a run's seal lists: all files of its folder, but what has a seal or a check of its own.

    Folders `apart` belong to other runs.

    Raises:
        EvidenceDamaged: it holds more than can be looked at.
    """
    names = names_in(folder, ("evidence", *apart, *_AFTER, NOTES))
    return (EVIDENCE_INDEX, *names)


def seal_folder(folder: Path, scans: Path, notes: NotesSeal | None, at: datetime) -> Seal:
    """Write the seal of a run that has written everything else.

    What cannot be read is left out, and whoever verifies the folder is told of it.
    """
    files = hashed(folder, own_files(folder, APART)).hashes
    made = Seal(at.replace(microsecond=0), files, history_in(scans).hashes, notes)
    write_whole(folder / SEAL, readable(plain(made)))
    return made


def history_in(scans: Path) -> HashedFiles:
    """The recorded scans of a folder of them."""
    return hashed(scans, names_in(scans) if is_folder(scans) else (), "rescan/scans/")


def notes_seal(folder: Path, document: Path, key: str, section: str) -> NotesSeal:
    """The seal of a section that was written into a document."""
    return NotesSeal(os.path.relpath(document, folder), key, sha256_of_text(section))


def sha256_of_text(text: str) -> str:
    """The sha-256 of a text in UTF-8."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def seal_in(found: Mapping[str, Any]) -> Seal:
    """The seal, read back from its file's content.

    Raises:
        EvidenceDamaged: it has gaps, or forms that this gate does not know.
    """
    with as_written(SEAL, SEAL):
        if found["version"] != VERSION:
            raise ValueError(f"version {found['version']!r} is not known here")
        made: Seal = typed(Seal, found)
        if made.notes and not _BESIDE.fullmatch(made.notes.file):
            raise ValueError(f"{made.notes.file!r} is no document beside a run's folder")
    return made
