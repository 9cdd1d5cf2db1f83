"""What a scan found, as frozen values, and what its scanner knows about exploits and fixes. Pure.

What a scanner does not say is unknown, never "no". Sources: ECR model, `EnhancedImageScanFinding` (exploitAvailable,
fixAvailable); Inspector2 model, `Finding` (exploitAvailable, exploitabilityDetails, epss). Basic scanning says nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import IntEnum
from typing import Any

from gate.scan.statuses import Mode
from gate.text import plain


class Severity(IntEnum):
    """The severities in order. What is not rated yet may turn out to be any of them, and ranks above HIGH."""

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
class ExploitData:
    """What is known about exploits and the fix of one finding; "" and None are unknown.

    Attributes:
        exploit: whether an exploit is known: YES or NO.
        fix: whether a fix is available: YES, NO, or PARTIAL (for some of the packages that the finding names).
        epss: FIRST's estimate of the probability, 0 to 1, that it is exploited within 30 days.
        last_exploit_at: when Inspector last knew of an exploit.
        source: who says so: ECR, Inspector, or both.
        at: when that was last updated.
        unread: why Inspector could not be asked ("" when it was, or need not be).
    """

    exploit: str = ""
    fix: str = ""
    epss: float | None = None
    last_exploit_at: datetime | None = None
    source: str = ""
    # An update alone makes no other result of the same scan.
    at: datetime | None = field(default=None, compare=False)
    unread: str = field(default="", compare=False)

    @property
    def exploited(self) -> bool:
        """Whether an exploit is known; a word that no model lists counts as yes, as an unheard-of severity does."""
        return self.exploit not in {"", "NO"} or self.last_exploit_at is not None

    @property
    def unknown(self) -> bool:
        """Whether nothing says if there is an exploit."""
        return not self.exploit and self.last_exploit_at is None

    @property
    def told(self) -> str:
        """In a few words, with source and date, such as "yes (Inspector, 2026-11-20), EPSS 0.93"."""
        word = "unknown" if self.unknown else "yes" if self.exploited else "no"
        by = ", ".join(each for each in (self.source, f"{self.at:%Y-%m-%d}" if self.at else "") if each)
        seen = f"last exploit {self.last_exploit_at:%Y-%m-%d}" if self.last_exploit_at else ""
        score = f"EPSS {self.epss:.2f}" if self.epss is not None else ""
        said = f"{word} ({by})" if by else word
        return ", ".join(each for each in (said, seen, score, self.unread) if each)

    def joined(self, other: ExploitData) -> ExploitData:
        """Both together; where they differ, the worse counts. The fix is this one's own: it is about one package."""
        words = (self.exploit, other.exploit)
        return ExploitData(
            exploit=next((word for word in words if word not in {"", "NO"}), self.exploit or other.exploit),
            fix=self.fix,
            epss=max((each for each in (self.epss, other.epss) if each is not None), default=None),
            last_exploit_at=_latest(self.last_exploit_at, other.last_exploit_at),
            source=", ".join(dict.fromkeys(each for each in (self.source, other.source) if each)),
            at=_latest(self.at, other.at),
        )


UNKNOWN = ExploitData()


def _latest(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((each for each in (one, other) if each), default=None)


def exploit_data(entry: Mapping[str, Any], source: str) -> ExploitData:
    """What one finding of ECR's enhanced list, or of Inspector's, says."""
    score = (entry.get("epss") or {}).get("score")
    found = ExploitData(
        exploit=_word(entry.get("exploitAvailable")),
        fix=_word(entry.get("fixAvailable")),
        epss=float(score) if isinstance(score, int | float) and 0 <= score <= 1 else None,
        last_exploit_at=(entry.get("exploitabilityDetails") or {}).get("lastKnownExploitAt"),
    )
    return found if found == UNKNOWN else replace(found, source=source, at=entry.get("updatedAt"))


def _word(raw: object) -> str:
    return plain(str(raw or "")).upper()


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
        exploits: what is known about exploits and the fix.
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
    exploits: ExploitData = UNKNOWN

    @property
    def rank(self) -> Severity:
        """The severity it counts as; one without an id counts as CRITICAL, because nobody can look it up."""
        return Severity.of(self.severity) if self.id else Severity.CRITICAL

    @property
    def fixable(self) -> bool:
        """Whether a fix of this package is known; a PARTIAL one may be of the other packages of its entry."""
        return bool(self.fixed) or self.exploits.fix == "YES"

    @property
    def named(self) -> str:
        """The finding in a few words, such as "CVE-2023-4863 in libwebp7 1.2.4-0.2"."""
        name = f"{self.id or 'an unnamed vulnerability'} in {self.package or 'an unnamed package'}"
        return f"{name} {self.installed}".strip()


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """The findings in the order a person reads them: those with a known exploit, then by severity, id and package."""
    return sorted(findings, key=lambda f: (not f.exploits.exploited, -f.rank, f.id, f.package, f.installed))


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
