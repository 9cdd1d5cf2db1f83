"""The remediation of each finding through the recorded scans: found, mitigated, rescanned. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from gate.check import CheckResult, Rejection, check
from gate.scan.exceptions.exception_checks import VEX
from gate.scan.findings import Severity
from gate.scan.records import RecordedFinding, ScanRecord
from gate.text import for_markdown, format_time


@dataclass(frozen=True)
class Remediation:
    """The history of one finding.

    Attributes:
        note: the finding as it was last seen.
        found: the first scan that had it.
        last: the last scan that had it.
        mitigation: what was done about it ("" when nothing was).
        rescanned: the scan that proves the mitigation (None when none does).
    """

    note: RecordedFinding
    found: ScanRecord
    last: ScanRecord
    mitigation: str
    rescanned: ScanRecord | None

    @property
    def closed(self) -> bool:
        """Whether it was mitigated and scanned again since."""
        return bool(self.mitigation) and self.rescanned is not None


def remediations(records: Iterable[ScanRecord]) -> tuple[Remediation, ...]:
    """Of every finding in the records, those of withdrawn candidates included: worst first, then oldest."""
    ordered = sorted(records, key=lambda record: record.at)
    seen: dict[tuple[str, str], list[tuple[int, RecordedFinding]]] = {}
    for at, record in enumerate(ordered):
        for note in record.findings:
            seen.setdefault(note.key, []).append((at, note))
    found = (_remediation(places, ordered) for places in seen.values())
    return tuple(sorted(found, key=lambda each: (-each.note.rank, each.found.at, each.note.key)))


def _remediation(places: list[tuple[int, RecordedFinding]], ordered: list[ScanRecord]) -> Remediation:
    first, (last, note) = ordered[places[0][0]], places[-1]
    final, later = ordered[last], ordered[last + 1 :]
    if not later:
        return Remediation(note, first, final, _standing(note), final if note.decision != "open" else None)
    after = next((record for record in later if _can_differ(final, record)), None)
    # From the same image and the same data a finding can only vanish where the scanner contradicts itself.
    return Remediation(note, first, final, _gone(note, final, after) if after else "", after)


def _can_differ(one: ScanRecord, other: ScanRecord) -> bool:
    """Whether two scans may find different things: of another image, or from data that is not known to be the same."""
    data = {one.source_updated_at, other.source_updated_at}
    return one.digest != other.digest or len(data) > 1 or None in data


def _standing(note: RecordedFinding) -> str:
    """The mitigation of a finding that is still there."""
    if note.decision in {"open", "monitor"}:
        return "" if note.decision == "open" else "monitored, as the policy says"
    if note.decision.startswith(VEX):
        return f"{note.decision.removeprefix(VEX).replace('_', ' ')} by a vendor's statement, until {note.until}"
    return f"excepted until {note.until}: {note.decision}"


def _gone(note: RecordedFinding, last: ScanRecord, after: ScanRecord) -> str:
    """The mitigation of a finding that the next scan no longer has."""
    if after.digest == last.digest:
        return "no longer reported for the same image: the vulnerability data changed"
    way = f"{note.package} {note.installed} replaced" + (f" (fixed in {note.fixed})" if note.fixed else "")
    return f"{way} in a new image" + (", the candidate withdrawn" if last.event == "withdrawn" else "")


def _open_finding() -> tuple[tuple[Remediation, ...], str]:
    night = datetime(2026, 1, 2, 3, 12, tzinfo=UTC)
    note = RecordedFinding("CVE-2026-0001", "openssl", "3.0.1", "3.0.2", "HIGH", 7.5, "open")
    record = ScanRecord(night, "candidate", "sha256:a", (), "aws", "BASIC", night, night, "rescanned", (note,))
    return remediations([record]), "HIGH"


@check(9, known_bad=_open_finding)
def remediated(history: tuple[Remediation, ...], at_least: str) -> CheckResult:
    """Each finding of this severity or above was mitigated, and scanned again since."""
    return CheckResult.of(
        Rejection(
            f"{each.note.id} in {each.note.package} {each.note.installed} ({each.note.rank.name}) was found on "
            f"{format_time(each.found.at)} and has not been mitigated and scanned again",
            where=each.last.digest,
            remedy="upgrade, patch the base image, or decide in the register; then scan again",
        )
        for each in history
        if each.note.rank >= Severity.of(at_least) and not each.closed
    )


HEAD = "| vulnerability | package | severity | found | mitigated | rescanned |\n|---|---|---|---|---|---|\n"


def markdown(history: Iterable[Remediation]) -> str:
    """The history as a Markdown table for VALIDATION.md; a sentence when nothing was ever found."""
    rows = "".join(_row(each) for each in history)
    return HEAD + rows if rows else "No recorded scan has found a vulnerability.\n"


def _row(each: Remediation) -> str:
    note, found = each.note, each.found
    event = " (candidate withdrawn)" if found.event == "withdrawn" else ""
    cells = (
        for_markdown(note.id),
        for_markdown(f"{note.package} {note.installed}"),
        for_markdown(note.severity),
        f"{format_time(found.at)} `{for_markdown(found.digest)}`{event}",
        for_markdown(each.mitigation or "open"),
        f"{format_time(each.rescanned.at)} `{for_markdown(each.rescanned.digest)}`" if each.rescanned else "not yet",
    )
    return "| " + " | ".join(cells) + " |\n"
