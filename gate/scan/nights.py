"""Tonight's scan beside last night's: what is new, fixed and re-scored, and why. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from gate.check import ACCEPTED, CheckResult, check, reject
from gate.scan.findings import Severity
from gate.scan.moments import when
from gate.scan.records import Noted, ScanRecord
from gate.text import for_markdown


@dataclass(frozen=True)
class Rescored:
    """One finding whose severity or score is another than last night."""

    before: Noted
    after: Noted


@dataclass(frozen=True)
class Changes:
    """The difference between two nights.

    Attributes:
        before: last night's record (None on the first night).
        tonight: tonight's.
        new: findings that were not there.
        fixed: findings that are no longer there.
        rescored: findings with another severity or score.
    """

    before: ScanRecord | None
    tonight: ScanRecord
    new: tuple[Noted, ...] = ()
    fixed: tuple[Noted, ...] = ()
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
        """Whether the vulnerability data is another; None when one of the scans does not tell its age."""
        if self.before is None or None in {self.before.source_updated_at, self.tonight.source_updated_at}:
            return None
        return self.before.source_updated_at != self.tonight.source_updated_at

    @property
    def reason(self) -> str:
        """What the difference comes from, in a sentence."""
        if self.before is None:
            return "the first recorded night: there is nothing to compare with"
        data = {True: "the vulnerability data changed", False: "", None: "the scans do not tell their data's age"}
        image = f"the image changed from {self.before.digest} to {self.tonight.digest}" if self.image_changed else ""
        said = data[self.data_changed]
        if not image and said:
            return f"only {said}: the image is the same" if self.data_changed else f"the image is the same; {said}"
        return (
            "; ".join(part for part in (image, said) if part) or "neither the image nor the vulnerability data changed"
        )


def compare(before: ScanRecord | None, tonight: ScanRecord) -> Changes:
    """What is new, fixed and re-scored tonight; on the first night nothing is."""
    if before is None:
        return Changes(None, tonight)
    old, new = _worst(before.findings), _worst(tonight.findings)
    rescored = (
        Rescored(old[key], new[key])
        for key in sorted(old.keys() & new.keys())
        if (old[key].severity, old[key].score) != (new[key].severity, new[key].score)
    )
    return Changes(
        before,
        tonight,
        new=tuple(new[key] for key in sorted(new.keys() - old.keys())),
        fixed=tuple(old[key] for key in sorted(old.keys() - new.keys())),
        rescored=tuple(rescored),
    )


def last_before(records: Iterable[ScanRecord], began: datetime, digest: str) -> ScanRecord | None:
    """The record that a run's scan is compared with: the last from before the run began, never one of its own.

    One of the same digest goes before a later one of another image: with another image every change has a reason. Of
    several from the same vulnerability data it is the first: a scanner that contradicted itself last night and still
    does so tonight is still not believed, and one that has come to its senses is.

    Args:
        records: of the run's target, in any order.
        began: when the run began.
        digest: of the image that the run checks ("" when it is not known).
    """
    earlier = sorted((record for record in records if record.at < began), key=lambda record: record.at)
    same = [record for record in earlier if record.digest == digest]
    last = next(reversed(same or earlier), None)
    if last is None or last.source_updated_at is None:
        return last
    return next(each for each in same or [last] if each.source_updated_at == last.source_updated_at)


def _worst(findings: Iterable[Noted]) -> dict[tuple[str, str], Noted]:
    worst: dict[tuple[str, str], Noted] = {}
    for each in findings:
        known = worst.setdefault(each.key, each)
        if (each.rank, each.score or 0.0) > (known.rank, known.score or 0.0):
            worst[each.key] = each
    return worst


def _contradiction() -> tuple[Changes]:
    night = datetime(2026, 1, 2, 3, 12, tzinfo=UTC)
    before = ScanRecord(night, "rescanned", "sha256:a", (), "aws", "BASIC", night, night, "rescanned", ())
    found = Noted("CVE-2026-0001", "openssl", "3.0.1", "", "HIGH", 7.5, "open")
    return (compare(before, replace(before, findings=(found,))),)


@check(9, known_bad=_contradiction)
def explained(changes: Changes) -> CheckResult:
    """What changed overnight has a reason: another image, or other vulnerability data."""
    if not changes.any or changes.image_changed or changes.data_changed is not False or changes.before is None:
        return ACCEPTED
    named = [note.id for note in (*changes.new, *changes.fixed, *(pair.after for pair in changes.rescored))]
    return reject(
        f"The scanner answers differently about the same image from the same vulnerability data "
        f"({when(changes.tonight.source_updated_at)}): {', '.join(named[:10])}",
        where=f"{changes.tonight.digest}, nights of {when(changes.before.at)} and {when(changes.tonight.at)}",
        remedy="scan once more; if it stays so, believe the worse of the two and ask the scanner's maker",
    )


@dataclass(frozen=True)
class TrendPoint:
    """One night in the trend: how many open findings of each severity."""

    at: datetime
    digest: str
    counts: tuple[tuple[str, int], ...]


def trend(nights: Iterable[ScanRecord]) -> tuple[TrendPoint, ...]:
    """The nights, oldest first, as counts by severity from the worst down; unknown words count as the worst."""
    return tuple(
        TrendPoint(night.at, night.digest, _counts(night)) for night in sorted(nights, key=lambda night: night.at)
    )


def _counts(night: ScanRecord) -> tuple[tuple[str, int], ...]:
    ranks = [each.rank for each in night.findings]
    return tuple((severity.name, ranks.count(severity)) for severity in sorted(Severity, reverse=True))


_COLUMNS = ("night", "digest", "scan", "new", "fixed", "re-scored", "critical", "high", "why")
LOG_HEAD = f"| {' | '.join(_COLUMNS)} |\n{'|---' * len(_COLUMNS)}|\n"


def log_row(changes: Changes) -> str:
    """The row of VALIDATION.md's rescan log."""
    night, counts = changes.tonight, dict(_counts(changes.tonight))
    cells = [
        when(night.at),
        f"`{for_markdown(night.digest)}`",
        for_markdown(night.provenance),
        *(str(len(group)) for group in (changes.new, changes.fixed, changes.rescored)),
        str(counts["CRITICAL"]),
        str(counts["HIGH"]),
        for_markdown(changes.reason + (f"; not yet rated: {counts['UNRATED']}" if counts["UNRATED"] else "")),
    ]
    return "| " + " | ".join(cells) + " |\n"
