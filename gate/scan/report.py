"""The answer about one scan as a frozen value, and whether Amazon Inspector keeps it current. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from gate.missing_facts import PartialFacts, fact_or_missing, fact_or_reason
from gate.scan.findings import Finding, miscounted
from gate.scan.statuses import Mode, Outcome, meaning_of
from gate.text import format_time

# A result is too old at this age, unless Inspector keeps it current.
FRESH = timedelta(hours=24)
# Clocks of two machines differ a little.
SKEW = timedelta(minutes=5)
# ECR and Inspector each date a scan of the image; dates within a day are of the same scan.
_SAME_SCAN = timedelta(days=1)


@dataclass(frozen=True)
class InspectorCoverage(PartialFacts):
    """Whether Amazon Inspector says that it covers the image (Inspector2 ListCoverage).

    Attributes:
        listed: whether the digest is among the covered resources; a missing fact where it could not be asked.
        status: ACTIVE or INACTIVE.
        reason: Inspector's reason code.
        last_scanned_at: when Inspector last looked, if given.
    """

    listed: bool
    status: str = ""
    reason: str = ""
    last_scanned_at: datetime | None = None

    @property
    def active(self) -> bool:
        """Whether Inspector says that it watches the image now; no, where it could not be asked."""
        return fact_or_missing(lambda: self.listed) is True and (self.status, self.reason) == ("ACTIVE", "SUCCESSFUL")

    @property
    def state(self) -> str:
        """Its state in a few words."""
        listed = fact_or_reason(lambda: self.listed)
        if isinstance(listed, str):
            return f"not known: it {listed}"
        return f"{self.status} ({self.reason})" if listed else "not among the covered resources"


@dataclass(frozen=True)
class ScanReport:
    """A scan of one digest, as all pages of the answer say.

    Attributes:
        digest: the digest that the answer names.
        tag: the tag that was asked for ("" when asked by digest).
        mode: basic or enhanced, from the configuration and from what the answer holds.
        status: ECR's scan status.
        completed_at: when the scan ended, if given.
        vulnerability_source_updated_at: the date of the vulnerability data, if given.
        findings: all of them, suppressed ones too.
        counts: `findingSeverityCounts` as reported.
        pages: how many pages were read.
        read_at: when the gate read the answer.
        provenance: "rescanned", "continuous result", or "not rescanned, result of …".
        frequency: the repository's scan frequency (SCAN_ON_PUSH, CONTINUOUS_SCAN, MANUAL).
        inspector: Inspector's coverage, under enhanced scanning.
        description: ECR's words on the status.
        steady: False when status, completion or counts changed from one page to the next: the pages are of two scans.
    """

    digest: str
    tag: str
    mode: Mode
    status: str
    completed_at: datetime | None
    vulnerability_source_updated_at: datetime | None
    findings: tuple[Finding, ...]
    counts: tuple[tuple[str, int], ...]
    pages: int
    read_at: datetime
    provenance: str
    frequency: str = ""
    inspector: InspectorCoverage | None = None
    description: str = ""
    steady: bool = True

    @property
    def outcome(self) -> Outcome:
        """What its status means; pages of two scans are waited out."""
        return meaning_of(self.status).outcome(self.mode) if self.steady else Outcome.WAIT

    @property
    def whole(self) -> bool:
        """Whether it lists as many findings as it counts: each of the two may come before the other."""
        return not miscounted(self.findings, self.counts)

    @property
    def summary(self) -> str:
        """What it holds, in a few words."""
        ended = "without a time of completion"
        if self.completed_at:
            ended = f"completed at {format_time(self.completed_at)}"
        counted = ", ".join(f"{number} {word}" for word, number in self.counts) or "none"
        return f"status {self.status or '(none)'}, {ended}; findings listed: {len(self.findings)}, counted: {counted}"

    def has_result_of(self, other: ScanReport) -> bool:
        """Whether two answers hold the same result."""
        mine, theirs = ((each.status, each.completed_at, each.counts, each.findings) for each in (self, other))
        return mine == theirs

    @property
    def open(self) -> tuple[Finding, ...]:
        """The findings that count: all but those that Inspector has closed."""
        return tuple(finding for finding in self.findings if not finding.closed)

    @property
    def continuous(self) -> bool:
        """Whether Inspector keeps the result current: it watches the image now, and looks again when its data changes.

        When it last scanned is shown and does not count: an image is scanned again only when a vulnerability is added
        that concerns it (Inspector user guide, "Last scanned at"). A date from before ECR's result contradicts that.
        """
        if self.mode is not Mode.ENHANCED or self.frequency != "CONTINUOUS_SCAN" or not self.inspector:
            return False
        return self.inspector.active and self._same_scan(self.inspector.last_scanned_at)

    def _same_scan(self, looked: datetime | None) -> bool:
        if looked is None or self.completed_at is None:
            return True
        return self.completed_at - looked < _SAME_SCAN and looked - self.read_at <= SKEW

    @property
    def current_at(self) -> datetime | None:
        """When the result was last known to be current: a continuous one when read, any other when completed."""
        ended = self.completed_at
        if ended is None or ended - self.read_at > SKEW:  # one of the clocks is wrong
            return ended
        return self.read_at if self.continuous else ended

    @property
    def current_by(self) -> str:
        """The rule behind `current_at`, as a person reads it."""
        if self.mode is Mode.BASIC:
            return "basic scanning: a result is as old as its scan"
        if self.frequency != "CONTINUOUS_SCAN":
            return f"enhanced scanning with the frequency {self.frequency or '(none)'}: a result is as old as its scan"
        covered = self.inspector or InspectorCoverage(listed=False)
        looked = covered.last_scanned_at
        last = f", its last look at {format_time(looked)}" if looked else ""
        kept = "kept current by Inspector" if self.continuous else "as old as its scan, for Inspector does not keep it"
        return f"continuous scanning: the result is {kept}; its coverage is {covered.state}{last}"
