"""What a run has left on disk so far, looked at as a stranger would: links, hashes, secrets."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from gate.evidence.reading import content, json_object
from gate.evidence.redact import HIDDEN, Redactor
from gate.evidence.store import EvidenceRecord

MAX_BYTES = 50_000_000
_TEXTS = {".json", ".html", ".xml", ".md", ".log", ".txt"}


def hashes_of(paths: Mapping[str, str], beside: Path) -> dict[str, str]:
    """The sha-256 of each linked file that exists, by the path it is linked with."""
    files = {path: beside / path for path in paths}
    return {path: hashlib.sha256(file.read_bytes()).hexdigest() for path, file in files.items() if file.is_file()}


def digests_of(records: Iterable[EvidenceRecord], folder: Path) -> dict[str, str]:
    """The digest in the file of each record, by the file's name, as it stands on the disk now.

    Raises:
        EvidenceDamaged: one of the files is not there, or is no record.
    """
    names = [record.file_name for record in records]
    return {name: str(json_object(content(folder / name, name), name).get("digest") or "") for name in names}


def secrets_in(places: list[Path], redactor: Redactor, canaries: Mapping[str, str]) -> dict[str, list[str]]:
    """Every text artefact, with the kinds of secret that are in it.

    Args:
        places: files, and folders that are searched whole.
        redactor: what it would still change was not redacted.
        canaries: name → value of secrets that the redactor was not told of.
    """
    files = [file for place in places for file in ([place] if place.is_file() else sorted(place.rglob("*")))]
    return {
        str(file.name): _kinds(file, redactor, canaries) for file in files if file.is_file() and file.suffix in _TEXTS
    }


def _kinds(file: Path, redactor: Redactor, canaries: Mapping[str, str]) -> list[str]:
    if file.stat().st_size > MAX_BYTES:
        return [f"more than {MAX_BYTES:,} bytes, too many to be searched"]
    text = file.read_text(encoding="utf-8", errors="replace")
    found = [name for name, value in canaries.items() if value in text]
    # The mark itself may stand where a shape would match again.
    bare = text.replace(HIDDEN, "")
    return found + (["a text with the shape of a secret"] if redactor.text(bare) != bare else [])
