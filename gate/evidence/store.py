"""The evidence folder: one JSON file per observation, on disk the moment it is recorded."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gate.evidence.redact import Redactor
from gate.missing_facts import MissingFact

INDEX = "index.json"
# Beside the evidence: the hash of every file of the run; what the run states about the image; the same, signed.
SEAL, STATEMENT, ENVELOPE = "seal.json", "statement.intoto.json", "statement.dsse.json"


@dataclass(frozen=True)
class EvidenceRecord:
    """One observation.

    Attributes:
        number: its place in the run, from 1.
        criterion: the acceptance criterion it serves, 0 for the run as a whole.
        scenario: the scenario it was recorded for ("" outside scenarios).
        title: what was looked at, in a few words.
        asked: the equivalent command or API call.
        answer: what came back, redacted.
        target: "local" or "aws".
        provenance: "real" or "simulated".
        digest: the digest or image ID under judgement ("" before it is known).
        at: UTC time, ISO 8601.
        sha256: of the answer's canonical JSON.
    """

    number: int
    criterion: int
    scenario: str
    title: str
    asked: str
    answer: Any
    target: str
    provenance: str
    digest: str
    at: str
    sha256: str

    @property
    def file_name(self) -> str:
        """The record's file: its number, then its title."""
        slug = re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")[:60]
        return f"{self.number:03d}-{slug or 'record'}.json"


class EvidenceStore:
    """The evidence of one run. Safe to use from the threads that gather facts side by side.

    Args:
        folder: where the records go; the next run of the kind starts with an empty one.
        target: "local" or "aws".
        redactor: every record passes through it before it is written.
        now: the clock.
        kept: the run's own dated folder, which stays; every file is there as well from the moment it is written.
    """

    def __init__(
        self,
        folder: Path,
        target: str,
        redactor: Redactor,
        now: Callable[[], datetime] | None = None,
        kept: Path | None = None,
    ) -> None:
        self.folder = folder
        self.kept = kept or folder
        self.redactor = redactor
        self.target = target
        self.digest = ""
        self.records: list[EvidenceRecord] = []
        self._now = now or (lambda: datetime.now(UTC))
        self._lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)

    def record(
        self, title: str, answer: Any, *, asked: str, criterion: int = 0, scenario: str = "", provenance: str = "real"
    ) -> EvidenceRecord:
        """Redact an observation, write it to disk, and return it."""
        clean = self.redactor.value({"title": title, "asked": asked, "answer": plain(answer)})
        with self._lock:
            record = EvidenceRecord(
                number=len(self.records) + 1,
                criterion=criterion,
                scenario=scenario,
                **clean,
                target=self.target,
                provenance=provenance,
                digest=self.digest,
                at=self._now().isoformat(timespec="milliseconds"),
                sha256=hashlib.sha256(canonical(clean["answer"])).hexdigest(),
            )
            self._write(record.file_name, readable(vars(record)))
            self.records.append(record)
        return record

    def attach(self, name: str, content: bytes) -> Path:
        """Keep a file beside the records (a screenshot, a log, an SBOM) and return its path."""
        self._write(name, content)
        return self.folder / name

    def _write(self, name: str, content: bytes) -> None:
        for folder in {self.folder, self.kept}:
            write_whole(folder / name, content)

    def seal(self) -> dict[str, str]:
        """Write the index: the sha-256 of every file in the folder, by name; the dated folder holds the same files."""
        files = sorted(p for p in self.folder.rglob("*") if p.is_file() and p.name != INDEX)
        index = {}
        for file in files:
            name, content = file.relative_to(self.folder).as_posix(), file.read_bytes()
            index[name] = hashlib.sha256(content).hexdigest()
            # Not every file came through this store: the zip function's baseline is kept before the first push.
            if not (self.kept / name).exists():
                write_whole(self.kept / name, content)
        self._write(INDEX, readable(index))
        return index


def plain(value: Any) -> Any:
    """The value as JSON can hold it: dataclasses as objects, times in ISO 8601, paths and bytes as text."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type | MissingFact):
        # As it is held: to read a missing fact by its name would raise its error.
        return {each.name: plain(object.__getattribute__(value, each.name)) for each in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(inner) for inner in (sorted(value) if isinstance(value, set | frozenset) else value)]
    if isinstance(value, bytes):
        return f"{len(value)} bytes, sha256:{hashlib.sha256(value).hexdigest()}"
    if isinstance(value, datetime):
        return value.isoformat()
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return str(value)


def canonical(value: Any) -> bytes:
    """The bytes of a JSON value of which a sha-256 is taken: equal values have equal bytes."""
    return _bytes(json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")))


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that a reader, or a crash, never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.name}.{os.getpid()}")
    with half.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    half.replace(path)


def readable(value: Any) -> bytes:
    """A JSON value as a person reads it in a file."""
    return _bytes(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def _bytes(text: str) -> bytes:
    # A file's name in an image may be no text at all. Python holds such bytes as lone surrogates, which UTF-8 has no
    # form for; written as an escape, which JSON has for them, they read back as they were.
    return text.encode("utf-8", "backslashreplace")
