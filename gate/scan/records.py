"""Recorded scans, with which later ones are compared, and from which remediations are shown. JSON in, values out."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from gate.errors import EvidenceDamaged
from gate.evidence.store import write_whole
from gate.scan.exceptions.entries import Register
from gate.scan.exceptions.exception_checks import Disposition, dispositions
from gate.scan.findings import Severity
from gate.scan.report import ScanReport
from gate.scan.statuses import Mode
from gate.text import plain
from gate.typed import UNTYPED, typed

EVENTS = ("candidate", "withdrawn", "released", "rescanned")
_TARGETS = ("aws", "local", "aws-rehearsal")
_MAX_BYTES = 100_000_000


@dataclass(frozen=True)
class RecordedFinding:
    """One finding of a recorded scan, with its disposition then.

    Attributes:
        decision: of its exception, "vex: " and a vendor's status, "monitor", or "open".
        until: when its exception, or the entry of the vendor's document, expires.
    """

    id: str
    package: str
    installed: str
    fixed: str
    severity: str
    score: float | None
    decision: str
    until: date | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What makes it the same finding in another scan, whatever the version."""
        return self.id, self.package

    @property
    def rank(self) -> Severity:
        """The severity it counts as."""
        return Severity.of(self.severity) if self.id else Severity.CRITICAL


@dataclass(frozen=True)
class ScanRecord:
    """A scan at a moment.

    Attributes:
        at: when it was read.
        event: candidate (scanned before promotion), withdrawn (a candidate that was refused), released, rescanned.
        digest: of the image.
        tags: that named it.
        target: "aws", "local", or "aws-rehearsal" when what answered was not AWS.
        mode: of scanning.
        completed_at: when the scan ended.
        source_updated_at: the date of the vulnerability data.
        provenance: "rescanned", "not rescanned, result of …", "continuous result of …".
        findings: all open ones.
    """

    at: datetime
    event: str
    digest: str
    tags: tuple[str, ...]
    target: str
    mode: str
    completed_at: datetime | None
    source_updated_at: datetime | None
    provenance: str
    findings: tuple[RecordedFinding, ...]


def record_of(report: ScanReport, register: Register, *, event: str, tags: tuple[str, ...], target: str) -> ScanRecord:
    """The record of a scan, with the disposition of each finding when it was read."""
    given = dispositions(report.open, register.at(target, report.read_at.date()))
    return ScanRecord(
        at=report.read_at,
        event=event,
        digest=report.digest,
        tags=tags,
        target=target,
        mode=report.mode.value,
        completed_at=report.completed_at,
        source_updated_at=report.vulnerability_source_updated_at,
        provenance=report.provenance,
        findings=tuple(_noted(each) for each in given),
    )


def _noted(given: Disposition) -> RecordedFinding:
    f, word = given.finding, given.finding.severity.upper()
    return RecordedFinding(f.id, f.package, f.installed, f.fixed, word, f.score, given.decision, given.until)


def to_json(record: ScanRecord) -> str:
    """The record as JSON; times are ISO 8601 in UTC."""
    return json.dumps(asdict(record), default=lambda moment: moment.isoformat(), indent=1, ensure_ascii=False)


def from_json(text: str, where: str = "") -> ScanRecord:
    """The record that a JSON text holds.

    Raises:
        EvidenceDamaged: it holds none.
    """
    try:
        record: ScanRecord = typed(ScanRecord, json.loads(text), plain)
        for word, words in ((record.event, EVENTS), (record.target, _TARGETS), (record.mode, Mode.__members__)):
            if word not in words:
                raise ValueError(f"{word!r} is none of {', '.join(words)}")
    except UNTYPED as error:
        raise EvidenceDamaged(
            f"This is no record of a scan: {type(error).__name__}: {plain(str(error))}",
            where=where,
            remedy="name another record with --previous, or move this one away: then there is no earlier night",
        ) from error
    return record


def keep(record: ScanRecord, folder: Path) -> Path:
    """Write a record into a folder of records, all at once, under a name that sorts by time."""
    name = f"{record.at.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}-{record.event}-{record.digest[-12:]}.json"
    path = folder / name
    write_whole(path, to_json(record).encode())
    return path


def read(path: Path) -> ScanRecord:
    """The record in a file.

    Raises:
        EvidenceDamaged: the file is missing or holds none.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise EvidenceDamaged(f"The record is larger than {_MAX_BYTES:,} bytes", where=path.name)
        return from_json(path.read_text(encoding="utf-8"), path.name)
    except (OSError, UnicodeDecodeError) as error:
        raise EvidenceDamaged(f"The record of a scan cannot be read: {plain(str(error))}", where=path.name) from error


def read_all(folder: Path, target: str | None = None) -> tuple[ScanRecord, ...]:
    """All records of a folder, or those of one target, oldest first; none where there is no folder.

    Raises:
        EvidenceDamaged: one of them is unreadable.
    """
    every = sorted((read(path) for path in folder.glob("*.json")), key=lambda record: record.at)
    return tuple(record for record in every if target in {None, record.target})
