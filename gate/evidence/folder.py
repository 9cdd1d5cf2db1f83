"""A run's folder as it is found on the disk: names, hashes, and the few files that are read whole."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gate.errors import EvidenceDamaged, WrongUse
from gate.evidence.store import INDEX

RUN_AGAIN = "restore it from the run's artefact; if there is none, run the gate again"
_RECORD = re.compile(r"\d{3,}-[a-z0-9-]+\.json")


@dataclass(frozen=True)
class Folder:
    """What stands in a run's folder.

    Attributes:
        path: the folder that holds verdict.json and evidence/.
        hashes: the sha-256 of each file in evidence/ but the index, by name; None where it cannot be read.
        records: the content of each record, by name.
    """

    path: Path
    hashes: Mapping[str, str | None]
    records: Mapping[str, bytes]

    def raw(self, name: str) -> bytes:
        """A file's content.

        Raises:
            EvidenceDamaged: it is not there, or cannot be read.
        """
        file = self.path / name
        if not file.exists():
            raise EvidenceDamaged(
                f"{name} is missing: it was removed, or the run was cut short before it was written",
                where=str(file),
                remedy=RUN_AGAIN,
            )
        try:
            return file.read_bytes()
        except OSError as error:
            raise EvidenceDamaged(
                f"{name} cannot be read: {error.strerror}", where=str(file), remedy=RUN_AGAIN
            ) from error

    def object(self, name: str) -> dict[str, Any]:
        """The JSON object that a file holds.

        Raises:
            EvidenceDamaged: it is missing, unreadable, cut short or holds something else.
        """
        return json_object(self.raw(name), name)


def json_object(raw: bytes, name: str) -> dict[str, Any]:
    """The JSON object in a file's content.

    Raises:
        EvidenceDamaged: it is cut short or holds something else.
    """
    try:
        found = json.loads(raw)
        if not isinstance(found, dict):
            raise ValueError(f"a JSON object was expected, not {type(found).__name__}")
    except (ValueError, RecursionError) as error:
        raise EvidenceDamaged(f"{name} is not whole: {error}", where=name, remedy=RUN_AGAIN) from error
    return found


def read(path: Path) -> Folder:
    """Look at a run's folder; every file of its evidence is read once.

    Raises:
        WrongUse: it is no run's folder.
    """
    if not (path / "verdict.json").exists() and not (path / "evidence").is_dir():
        inside = (path / INDEX).exists()
        raise WrongUse(
            f"{path} holds no run: neither verdict.json nor evidence/ is in it",
            remedy=f"name the folder above it: {path.parent}"
            if inside
            else "name the folder of a run, such as reports",
        )
    hashes: dict[str, str | None] = {}
    records: dict[str, bytes] = {}
    base = path / "evidence"
    for file in sorted(p for p in base.rglob("*") if p.is_symlink() or not p.is_dir()):
        name = file.relative_to(base).as_posix()
        if name == INDEX:
            continue
        content = _content(file)
        hashes[name] = None if content is None else hashlib.sha256(content).hexdigest()
        if content is not None and _RECORD.fullmatch(name):
            records[name] = content
    return Folder(path, hashes, records)


def _content(file: Path) -> bytes | None:
    # A link's target can change, or stay behind, without the folder changing: it is no evidence.
    if file.is_symlink() or not file.is_file():
        return None
    try:
        return file.read_bytes()
    except OSError:
        return None
