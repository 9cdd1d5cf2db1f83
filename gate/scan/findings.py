"""What a scan found, as frozen values. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from gate.facts import PartialFacts, fact_or_missing, fact_or_reason
from gate.scan.statuses import Mode
from gate.text import format_time

# A result may be so old, unless Inspector keeps it current.
FRESH = timedelta(hours=24)
# Clocks of two machines differ a little.
SKEW = timedelta(minutes=5)
# ECR and Inspector each date a look at the image; within a day they speak of the same one.
_SAME_LOOK = timedelta(days=1)


class Severity(IntEnum):
    """The severities in order. One that is not rated yet may be any, and stands above HIGH."""

    INFORMATIONAL = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    UNRATED = 4
    CRITICAL = 5

    @classmethod
    def of(cls, word: str) -> Severity:
        """The severity that a scanner's word stands for, in any case; a word that no model lists is CRITICAL."""
        return SEVERITY_WORDS.get(word.strip().upper(), cls.CRITICAL)

    @classmethod
    def knows(cls, word: str) -> bool:
        """Whether the word is one that a scanner of AWS uses."""
        return word.strip().upper() in SEVERITY_WORDS

    @property
    def title(self) -> str:
        """As a person reads it."""
        return "NOT YET RATED" if self is Severity.UNRATED else self.name


# ECR model, FindingSeverity, and Inspector2 model, Severity: UNDEFINED and UNTRIAGED both say "not rated yet".
SEVERITY_WORDS: Mapping[str, Severity] = {
    "INFORMATIONAL": Severity.INFORMATIONAL,
    "LOW": Severity.LOW,
    "MEDIUM": Severity.MEDIUM,
    "HIGH": Severity.HIGH,
    "CRITICAL": Severity.CRITICAL,
    "UNDEFINED": Severity.UNRATED,
    "UNTRIAGED": Severity.UNRATED,
}


@dataclass(frozen=True)
class Finding:
    """One vulnerability in one package. Texts are `gate.text.plain`.

    Attributes:
        id: the vulnerability, such as CVE-2023-4863.
        package: the package's name ("" when the scanner does not say).
        installed: the version in the image, with epoch and release where the scanner gives them.
        fixed: the first version without it ("" when there is none, or it is not given).
        severity: the scanner's own word.
        score: the CVSS score, if given.
        title: a bounded copy of the scanner's text.
        uri: where to read more.
        source: which of the two lists it came from.
        manager: the package manager that the scanner names ("" when it names none).
        suppressed: an Inspector suppression rule hides it from the console; never from the gate.
        closed: Inspector says that it is remediated.
        path: the file that proves the package ("" when the scanner names none).
        entry: its place in the answer; one entry that names three packages is three findings of one entry.
    """

    id: str
    package: str
    installed: str
    fixed: str
    severity: str
    score: float | None
    title: str
    uri: str
    source: Mode
    manager: str = ""
    suppressed: bool = False
    closed: bool = False
    entry: int = 0
    path: str = ""

    @property
    def rank(self) -> Severity:
        """The severity it counts as; one without an id counts as CRITICAL, because nobody can look it up."""
        return Severity.of(self.severity) if self.id else Severity.CRITICAL

    @property
    def named(self) -> str:
        """The finding in a few words, such as "CVE-2023-4863 in libwebp7 1.2.4-0.2"."""
        name = f"{self.id or 'an unnamed vulnerability'} in {self.package or 'an unnamed package'}"
        return f"{name} {self.installed}".strip()


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
    """A finished scan of one digest.

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

    @property
    def open(self) -> tuple[Finding, ...]:
        """The findings that count: all but those that Inspector has closed."""
        return tuple(finding for finding in self.findings if not finding.closed)

    @property
    def continuous(self) -> bool:
        """Whether Inspector keeps the result current: it watches the image now, and looks again when its data changes.

        When it last looked is shown and not counted: a quiet image is looked at only when a vulnerability is added that
        concerns it (Inspector user guide, "Last scanned at"). A look from before the result of ECR contradicts it.
        """
        if self.mode is not Mode.ENHANCED or self.frequency != "CONTINUOUS_SCAN" or not self.inspector:
            return False
        return self.inspector.active and self._same_look(self.inspector.last_scanned_at)

    def _same_look(self, looked: datetime | None) -> bool:
        if looked is None or self.completed_at is None:
            return True
        return self.completed_at - looked < _SAME_LOOK and looked - self.read_at <= SKEW

    @property
    def current_at(self) -> datetime | None:
        """When the result was last known to be current: a continuous one when read, any other when completed."""
        return self.read_at if self.continuous and self.completed_at else self.completed_at

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


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """The findings in the order a person reads them: worst first, then by id and package."""
    return sorted(findings, key=lambda f: (-f.rank, f.id, f.package, f.installed))


def tally(findings: Iterable[Finding]) -> Counter[str]:
    """How many entries there are of each severity word (upper case); an entry of several packages is one."""
    counts: Counter[str] = Counter()
    seen: set[int] = set()
    for finding in findings:
        if finding.entry not in seen:
            seen.add(finding.entry)
            counts[finding.severity.upper()] += 1
    return counts


def miscounted(findings: Iterable[Finding], counts: Iterable[tuple[str, int]]) -> tuple[tuple[str, int, int], ...]:
    """The severity words whose reported count is not that of the findings, worst first: word, reported, listed."""
    reported: Counter[str] = Counter()
    for word, number in counts:
        reported[word.upper()] += number
    # Whether the counts include findings that Inspector suppressed or closed is not documented: both are accepted.
    found = tuple(findings)
    listed, shown = tally(found), tally(f for f in found if not (f.suppressed or f.closed))
    words = sorted({*reported, *listed}, key=lambda word: (-Severity.of(word), word))
    return tuple((w, reported[w], listed[w]) for w in words if reported[w] not in {listed[w], shown[w]})
