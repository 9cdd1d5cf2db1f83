"""What a scan found, as frozen values. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from gate.gaps import Gapped
from gate.scan.statuses import Mode


class Severity(IntEnum):
    """ECR's severities in order. What is none of the first five counts as the worst."""

    INFORMATIONAL = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    @classmethod
    def of(cls, word: str) -> Severity:
        """The severity a word names, in any case; an unknown word (UNDEFINED, UNTRIAGED, …) is CRITICAL."""
        return cls.__members__.get(word.strip().upper(), cls.CRITICAL)

    @classmethod
    def knows(cls, word: str) -> bool:
        """Whether the word is one of the five."""
        return word.strip().upper() in cls.__members__


@dataclass(frozen=True)
class Finding:
    """One vulnerability in one package. Texts are `gate.text.plain`.

    Attributes:
        id: the vulnerability, such as CVE-2023-4863.
        package: the package's name ("" when the scanner does not say).
        installed: the version in the image, with epoch and release where the scanner gives them.
        fixed: the first version without it ("" when there is none, or it is not told).
        severity: the scanner's own word.
        score: the CVSS score, if given.
        title: a bounded copy of the scanner's text.
        uri: where to read more.
        source: which of the two lists it came from.
        manager: the package manager that the scanner names ("" when it names none).
        suppressed: an Inspector suppression rule hides it from the console; never from the gate.
        closed: Inspector says that it is remediated.
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

    @property
    def rank(self) -> Severity:
        """The severity it counts as; one that has no id counts as the worst, for nobody can look it up."""
        return Severity.of(self.severity) if self.id else Severity.CRITICAL

    @property
    def named(self) -> str:
        """The finding in a few words, such as "CVE-2023-4863 in libwebp7 1.2.4-0.2"."""
        name = f"{self.id or 'an unnamed vulnerability'} in {self.package or 'an unnamed package'}"
        return f"{name} {self.installed}".strip()


@dataclass(frozen=True)
class Coverage(Gapped):
    """Amazon Inspector's word on whether it covers the image (Inspector2 ListCoverage).

    Attributes:
        listed: whether the image's digest is among the covered resources at all.
        status: ACTIVE or INACTIVE.
        reason: Inspector's reason code.
        last_scanned_at: when Inspector last looked, if told.
    """

    listed: bool
    status: str = ""
    reason: str = ""
    last_scanned_at: datetime | None = None


@dataclass(frozen=True)
class ScanReport:
    """A finished scan of one digest.

    Attributes:
        digest: the digest that the answer names.
        tag: the tag that was asked for ("" when asked by digest).
        mode: basic or enhanced, from the configuration and from what the answer holds.
        status: ECR's scan status.
        completed_at: when the scan ended, if told.
        vulnerability_source_updated_at: the age of the vulnerability data, if told.
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
    inspector: Coverage | None = None

    @property
    def open(self) -> tuple[Finding, ...]:
        """The findings that count: all but those that Inspector has closed."""
        return tuple(finding for finding in self.findings if not finding.closed)

    @property
    def continuous(self) -> bool:
        """Whether the result is kept current by continuous scanning."""
        return self.mode is Mode.ENHANCED and self.frequency == "CONTINUOUS_SCAN"

    @property
    def current_at(self) -> datetime | None:
        """When the result was last known to be current: a continuous one when read, any other when completed."""
        return self.read_at if self.continuous and self.completed_at else self.completed_at


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
