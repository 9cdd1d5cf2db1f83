"""The difference of two recorded scans: what is new, fixed and re-scored since the earlier one, and why. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from gate.check import ACCEPTED, CheckResult, check, reject
from gate.scan.findings import Severity
from gate.scan.records import RecordedFinding, ScanRecord
from gate.text import for_markdown, format_time


@dataclass(frozen=True)
class Rescored:
    """One finding whose severity or score has changed."""

    before: RecordedFinding
    after: RecordedFinding


@dataclass(frozen=True)
class ScanDiff:
    """The difference between two scans.

    Attributes:
        before: the earlier record (None on the first night).
        tonight: the later one.
        new: findings that were not there.
        fixed: findings that are no longer there.
        rescored: findings with another severity or score.
    """

    before: ScanRecord | None
    tonight: ScanRecord
    new: tuple[RecordedFinding, ...] = ()
    fixed: tuple[RecordedFinding, ...] = ()
    rescored: tuple[Rescored, ...] = ()

    @property
    def any(self) -> bool:
        """Whether anything is different."""
        return bool(self.new or self.fixed or self.rescored)

    @property
    def image_changed(self) -> bool:
        """Whether the two scans are of two images."""
        return self.before is not None and self.before.digest != self.tonight.digest

    @property
    def data_changed(self) -> bool | None:
        """Whether the vulnerability data changed; None when one of the scans does not give its date."""
        if self.before is None or None in {self.before.source_updated_at, self.tonight.source_updated_at}:
            return None
        return self.before.source_updated_at != self.tonight.source_updated_at

    @property
    def reason(self) -> str:
        """What the difference comes from, in a sentence."""
        if self.before is None:
            return "the first recorded night: there is nothing to compare with"
        data = {
            True: "the vulnerability data changed",
            False: "the vulnerability data is the same",
            None: "the scans do not date their vulnerability data",
        }
        image = f"changed from {self.before.digest} to {self.tonight.digest}" if self.image_changed else "is the same"
        return f"the image {image}; {data[self.data_changed]}"


def compare(before: ScanRecord | None, tonight: ScanRecord) -> ScanDiff:
    """What is new, fixed and re-scored tonight; on the first night nothing is."""
    if before is None:
        return ScanDiff(None, tonight)
    old, new = _worst(before.findings), _worst(tonight.findings)
    rescored = (
        Rescored(old[key], new[key])
        for key in sorted(old.keys() & new.keys())
        if (old[key].severity, old[key].score) != (new[key].severity, new[key].score)
    )
    return ScanDiff(
        before,
        tonight,
        new=tuple(new[key] for key in sorted(new.keys() - old.keys())),
        fixed=tuple(old[key] for key in sorted(old.keys() - new.keys())),
        rescored=tuple(rescored),
    )


def last_before(records: Iterable[ScanRecord], began: datetime, digest: str) -> ScanRecord | None:
    """The record that a run's scan is compared with: the last from before the run began, never one of its own.

    A record of the same digest is preferred to a later one of another image, with which every change has a reason. Of
    several from the same vulnerability data the first is taken: a later one may already hold a contradiction.
    """
    earlier = sorted((record for record in records if record.at < began), key=lambda record: record.at)
    same = [record for record in earlier if record.digest == digest]
    last = next(reversed(same or earlier), None)
    if last is None or last.source_updated_at is None:
        return last
    return next(each for each in same or [last] if each.source_updated_at == last.source_updated_at)


def _worst(findings: Iterable[RecordedFinding]) -> dict[tuple[str, str], RecordedFinding]:
    worst: dict[tuple[str, str], RecordedFinding] = {}
    for each in findings:
        known = worst.setdefault(each.key, each)
        if (each.rank, each.score or 0.0) > (known.rank, known.score or 0.0):
            worst[each.key] = each
    return worst


def _contradiction() -> tuple[ScanDiff]:
    night = datetime(2026, 1, 2, 3, 12, tzinfo=UTC)
    before = ScanRecord(night, "rescanned", "sha256:a", (), "aws", "BASIC", night, night, "rescanned", ())
    found = RecordedFinding("CVE-2026-0001", "openssl", "3.0.1", "", "HIGH", 7.5, "open")
    return (compare(before, replace(before, findings=(found,))),)


@check(9, known_bad=_contradiction)
def explained(diff: ScanDiff) -> CheckResult:
    """What changed overnight has a reason: another image, or other vulnerability data."""
    if not diff.any or diff.image_changed or diff.data_changed is not False or diff.before is None:
        return ACCEPTED
    named = [note.id for note in (*diff.new, *diff.fixed, *(pair.after for pair in diff.rescored))]
    return reject(
        f"The scanner answers differently about the same image from the same vulnerability data "
        f"({format_time(diff.tonight.source_updated_at)}): {', '.join(named[:10])}",
        where=f"{diff.tonight.digest}, nights of {format_time(diff.before.at)} and {format_time(diff.tonight.at)}",
        remedy="scan once more; if it stays so, believe the worse of the two and ask the scanner's maker",
    )


@dataclass(frozen=True)
class TrendPoint:
    """One scan in the trend: how many open findings of each severity."""

    at: datetime
    digest: str
    counts: tuple[tuple[str, int], ...]


def trend(records: Iterable[ScanRecord]) -> tuple[TrendPoint, ...]:
    """The records, oldest first, as counts by severity from the worst down; unknown words count as CRITICAL."""
    return tuple(TrendPoint(each.at, each.digest, _counts(each)) for each in sorted(records, key=lambda one: one.at))


def _counts(record: ScanRecord) -> tuple[tuple[str, int], ...]:
    ranks = [each.rank for each in record.findings]
    return tuple((severity.name, ranks.count(severity)) for severity in sorted(Severity, reverse=True))


_COLUMNS = ("night", "digest", "scan", "new", "fixed", "re-scored", "critical", "high", "why")
LOG_HEAD = f"| {' | '.join(_COLUMNS)} |\n{'|---' * len(_COLUMNS)}|\n"


def log_row(diff: ScanDiff) -> str:
    """The row of VALIDATION.md's rescan log."""
    night, counts = diff.tonight, dict(_counts(diff.tonight))
    cells = [
        format_time(night.at),
        f"`{for_markdown(night.digest)}`",
        for_markdown(night.provenance),
        *(str(len(group)) for group in (diff.new, diff.fixed, diff.rescored)),
        str(counts["CRITICAL"]),
        str(counts["HIGH"]),
        for_markdown(diff.reason + (f"; not yet rated: {counts['UNRATED']}" if counts["UNRATED"] else "")),
    ]
    return "| " + " | ".join(cells) + " |\n"
