"""Found → mitigated → rescanned: the way of each finding through the recorded scans. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from gate.check import CheckResult, Rejection, check
from gate.scan.findings import Severity
from gate.scan.moments import when
from gate.scan.records import Noted, ScanRecord
from gate.text import for_markdown


@dataclass(frozen=True)
class Link:
    """The chain of one finding.

    Attributes:
        note: the finding as it was last seen.
        found: the first scan that had it.
        last: the last scan that had it.
        mitigation: what was done about it ("" when nothing was).
        rescanned: the scan that proves the mitigation (None when none does).
    """

    note: Noted
    found: ScanRecord
    last: ScanRecord
    mitigation: str
    rescanned: ScanRecord | None

    @property
    def closed(self) -> bool:
        """Whether it was mitigated and scanned again since."""
        return bool(self.mitigation) and self.rescanned is not None


def chain(records: Iterable[ScanRecord]) -> tuple[Link, ...]:
    """The chain of every finding in the records, withdrawn candidates' included; worst first, then oldest."""
    ordered = sorted(records, key=lambda record: record.at)
    seen: dict[tuple[str, str], list[tuple[int, Noted]]] = {}
    for at, record in enumerate(ordered):
        for note in record.findings:
            seen.setdefault(note.key, []).append((at, note))
    links = (_link(places, ordered) for places in seen.values())
    return tuple(sorted(links, key=lambda link: (-link.note.rank, link.found.at, link.note.key)))


def _link(places: list[tuple[int, Noted]], ordered: list[ScanRecord]) -> Link:
    first, (last, note) = ordered[places[0][0]], places[-1]
    final, later = ordered[last], ordered[last + 1 :]
    if not later:
        return Link(note, first, final, _standing(note), final if note.decision != "open" else None)
    after = next((record for record in later if _can_differ(final, record)), None)
    # A finding that is gone from the same image and the same data was not mitigated: the scanner contradicts itself.
    return Link(note, first, final, _gone(note, final, after) if after else "", after)


def _can_differ(one: ScanRecord, other: ScanRecord) -> bool:
    """Whether two scans may find different things: of another image, or from data that is not known to be the same."""
    told = one.source_updated_at is not None and other.source_updated_at is not None
    return one.digest != other.digest or not told or one.source_updated_at != other.source_updated_at


def _standing(note: Noted) -> str:
    """The mitigation of a finding that is still there."""
    if note.decision in {"open", "monitor"}:
        return "" if note.decision == "open" else "monitored, as the policy says"
    return f"excepted until {note.until}: {note.decision}"


def _gone(note: Noted, last: ScanRecord, after: ScanRecord) -> str:
    """The mitigation of a finding that the next scan no longer has."""
    if after.digest == last.digest:
        return "no longer reported for the same image: the vulnerability data changed"
    way = f"{note.package} {note.installed} replaced" + (f" (fixed in {note.fixed})" if note.fixed else "")
    return f"{way} in a new image" + (", the candidate withdrawn" if last.event == "withdrawn" else "")


def _open_chain() -> tuple[tuple[Link, ...], str]:
    night = datetime(2026, 1, 2, 3, 12, tzinfo=UTC)
    note = Noted("CVE-2026-0001", "openssl", "3.0.1", "3.0.2", "HIGH", 7.5, "open")
    record = ScanRecord(night, "candidate", "sha256:a", (), "aws", "BASIC", night, night, "rescanned", (note,))
    return chain([record]), "HIGH"


@check(9, known_bad=_open_chain)
def chain_closed(links: tuple[Link, ...], at_least: str) -> CheckResult:
    """Every finding of this severity or above leads from found over mitigated to rescanned."""
    return CheckResult.of(
        Rejection(
            f"{link.note.id} in {link.note.package} {link.note.installed} ({link.note.rank.name}) was found on "
            f"{when(link.found.at)} and has not been mitigated and scanned again",
            where=link.last.digest,
            remedy="upgrade, patch the base image, or decide in the register; then scan again",
        )
        for link in links
        if link.note.rank >= Severity.of(at_least) and not link.closed
    )


HEAD = "| vulnerability | package | severity | found | mitigated | rescanned |\n|---|---|---|---|---|---|\n"


def markdown(links: Iterable[Link]) -> str:
    """The chain as a Markdown table for VALIDATION.md; a sentence when nothing was ever found."""
    rows = "".join(_row(link) for link in links)
    return HEAD + rows if rows else "No recorded scan has found a vulnerability.\n"


def _row(link: Link) -> str:
    note, found = link.note, link.found
    event = " (candidate withdrawn)" if found.event == "withdrawn" else ""
    again = f"{when(link.rescanned.at)} `{for_markdown(link.rescanned.digest)}`" if link.rescanned else "not yet"
    cells = (
        for_markdown(note.id),
        for_markdown(f"{note.package} {note.installed}"),
        for_markdown(note.severity),
        f"{when(found.at)} `{for_markdown(found.digest)}`{event}",
        for_markdown(link.mitigation or "open"),
        again,
    )
    return "| " + " | ".join(cells) + " |\n"
