"""Criterion 9: each finding is fixed, excepted or has its disposition, and the register deserves belief. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date

from gate.check import ACCEPTED, CheckResult, Rejection, check
from gate.scan.coverage import Sight, entries_for
from gate.scan.findings import Finding, Severity, worst_first
from gate.scan.register.entries import Exempted, Named, Register, SupportException, Unseen
from gate.scan.register.reading import parse
from gate.scan.register.schema import MONITOR, NEVER
from gate.scan.register.source import Fault
from gate.scan.register.suggestion import ready_entry, remedy
from gate.scan.result_checks import REST
from gate.scan.statuses import Mode

_LISTED = 20
_DAY = date(2026, 1, 2)
PurlOf = Callable[[str, str], str]


def no_purl(name: str, version: str) -> str:
    """Stands in where there is no SBOM to look a package URL up in."""
    return ""


@dataclass(frozen=True)
class Disposition:
    """What is to become of one finding.

    Attributes:
        finding: which.
        required: what the policy requires for its severity.
        decision: the decision of its exception, "monitor", or "open" when nothing allows it.
        entry: its exception in force, if any.
    """

    finding: Finding
    required: str
    decision: str
    entry: Exempted | None = None

    @property
    def allowed(self) -> bool:
        """Whether the release may go live with it."""
        return self.decision != "open"


def dispositions(findings: Iterable[Finding], register: Register, target: str, today: date) -> tuple[Disposition, ...]:
    """The disposition of each finding, worst first; excepted ones stay in the list."""
    return tuple(_disposition(finding, register, target, today) for finding in worst_first(findings))


def _disposition(finding: Finding, register: Register, target: str, today: date) -> Disposition:
    required = register.required(finding.rank)
    entry = None if required == NEVER else register.exception(finding, target, today)
    decision = entry.decision if entry else MONITOR if required == MONITOR else "open"
    return Disposition(finding, required, decision, entry)


def _finding(severity: str) -> Finding:
    return Finding("CVE-2026-0001", "openssl", "3.0.1", "3.0.2", severity, None, "", "", Mode.BASIC)


@check(9, known_bad=lambda: ((_finding("HIGH"),), parse("", "empty"), "aws", _DAY, "HIGH"))
def fixed_or_excepted(
    findings: tuple[Finding, ...],
    register: Register,
    target: str,
    today: date,
    at_least: str,
    purl_of: PurlOf = no_purl,
) -> CheckResult:
    """Every finding of this severity or above is fixed, which means not found, or has an exception in force."""
    chosen = [finding for finding in findings if finding.rank >= Severity.of(at_least)]
    return _result_of(chosen, register, target, today, purl_of)


@check(9, known_bad=lambda: ((_finding("LOW"),), parse("", "empty"), "aws", _DAY, "HIGH"))
def disposed_below(
    findings: tuple[Finding, ...],
    register: Register,
    target: str,
    today: date,
    below: str,
    purl_of: PurlOf = no_purl,
) -> CheckResult:
    """Every finding below this severity has the disposition that the policy requires."""
    chosen = [finding for finding in findings if finding.rank < Severity.of(below)]
    return _result_of(chosen, register, target, today, purl_of)


def _result_of(findings: list[Finding], register: Register, target: str, today: date, purl_of: PurlOf) -> CheckResult:
    over = [d for d in dispositions(findings, register, target, today) if not d.allowed]
    named = _once([_over(d, register, target, today, purl_of) for d in over[:_LISTED]])
    more = len(over) - len(named)
    if more:
        named.append(Rejection(f"… and {more} more findings over the policy", "the scan", REST))
    return CheckResult.of(named)


def _once(named: list[Rejection]) -> list[Rejection]:
    """Each entry to paste once: the same package in two places is two findings, and one entry covers both."""
    pasted: set[str] = set()
    told = []
    for each in named:
        again = bool(each.paste) and each.paste in pasted
        pasted.add(each.paste)
        told.append(replace(each, remedy=f"{each.remedy} (the entry is given above)", paste="") if again else each)
    return told


def _over(given: Disposition, register: Register, target: str, today: date, purl_of: PurlOf) -> Rejection:
    finding = given.finding
    expired = next(iter(register.about(finding, target)), None)
    where = register.where(expired.line) if expired else finding.uri
    history = f"; its entry runs from {expired.decided} to {expired.expires}" if expired else ""
    fixed = f"fixed in {finding.fixed}" if finding.fixed else "no fixed version known"
    excepted = given.required != NEVER
    entry = ready_entry(finding, target, today, purl_of(finding.package, finding.installed)) if excepted else ""
    or_else = f"; or paste, complete and have reviewed in {register.source}:" if entry else ""
    place = f", at {finding.path}" if finding.path else ""
    return Rejection(
        f"{finding.named}{place} is {_rated(finding)} ({fixed}) and the policy says "
        f"{given.required!r} for {finding.rank.name}{history}",
        where=where,
        remedy=remedy(finding) + (or_else if excepted else "; no entry helps"),
        paste=entry,
    )


def _rated(finding: Finding) -> str:
    if finding.rank is Severity.UNRATED:
        return f"{finding.severity.upper()}, which means not yet rated"
    return finding.rank.name


@check(9, known_bad=lambda: (parse("", "empty"), _DAY))
def register_valid(register: Register, today: date) -> CheckResult:
    """The register is well-formed and each entry is in force."""
    faults = [*register.faults, *_out_of_date(register, today)]
    return CheckResult.of(
        Rejection(fault.sentence, register.where(fault.line), fault.remedy or "correct or remove the entry")
        for fault in sorted(faults, key=lambda fault: fault.line)
    )


def by_register(register: Register, result: CheckResult) -> CheckResult:
    """A judgement that rests on the register; what a faulty one fails to say is one cause, and not thirty findings."""
    if result.accepted or not register.faults:
        return result
    first = min(register.faults, key=lambda fault: fault.line)
    cause = f"The register cannot be relied on, so nothing is decided about {len(result.rejections)} of its subjects"
    return CheckResult(
        (Rejection(f"{cause}: {first.sentence}", register.where(first.line), "mend the register first"),)
    )


def _out_of_date(register: Register, today: date) -> Iterator[Fault]:
    decided: tuple[Exempted | SupportException, ...] = (*register.exceptions, *register.support)
    for entry in decided:
        if entry.decided > today:
            yield Fault(entry.line, f"The entry {_title(entry)} is decided on {entry.decided}, which is still to come",
                        "correct its date, or wait for the decision")  # fmt: skip
    for each in register.entries:
        if each.expires < today:
            yield Fault(each.line, f"The entry {_title(each)} expired on {each.expires}; today is {today}",
                        "decide on it anew, with an end within 90 days; remove it if nothing needs it")  # fmt: skip
        elif isinstance(each, Unseen) and (each.expires - today).days > 90:  # noqa: PLR2004  # what the policy allows
            yield Fault(each.line, f"The entry {_title(each)} runs until {each.expires}; at most 90 days are allowed",
                        "bring its end nearer")  # fmt: skip


def _title(entry: Exempted | Unseen | SupportException) -> str:
    if isinstance(entry, SupportException):
        return f"for the support of {entry.what}"
    return f"{entry.id} for {entry.package.text}" if isinstance(entry, Exempted) else f"for {entry.title}"


def unused_exceptions(register: Register, findings: tuple[Finding, ...], target: str) -> tuple[Rejection, ...]:
    """The exceptions for this target that are about none of the findings."""
    found = {id(entry) for finding in findings if not finding.closed for entry in register.about(finding, target)}
    idle = (e for e in register.exceptions if e.target in {target, "both"} and id(e) not in found)
    return tuple(_idle(entry, "the scan has no such finding", register) for entry in idle)


def unused_coverage(register: Register, seen: Sight, target: str) -> tuple[Rejection, ...]:
    """The coverage entries for this target and kind of scanning that stand for no gap."""
    needed = {id(entry) for gap in seen.gaps for entry in entries_for(gap, register, target, seen.mode)}
    idle = (e for e in register.coverage if e.stands_for(target, seen.mode) and id(e) not in needed)
    return tuple(_idle(entry, "the scanner sees it, or the image does not hold it", register) for entry in idle)


def _idle(entry: Exempted | Unseen, why: str, register: Register) -> Rejection:
    return Rejection(f"The entry {_title(entry)} is not used: {why}", register.where(entry.line), "remove the entry")


def _known_idle() -> Register:
    idle = Unseen("pkg:generic/chrome", "generic", "chrome", "", "aws", "both", "", "", _DAY, 1)
    package = Named("openssl", "", "openssl", "3.0.1")
    entry = Exempted("CVE-2026-0001", package, "aws", "upgrade", "", "", "", "", _DAY, _DAY, "", 1)
    return Register("exceptions.yaml", (), (entry,), (idle,), ())


@check(9, known_bad=lambda: (_known_idle(), (), "aws", False))
def exceptions_used(register: Register, findings: tuple[Finding, ...], target: str, nightly: bool) -> CheckResult:
    """Each exception for this target is used; at night an unused one is only a warning (see `unused_exceptions`)."""
    return ACCEPTED if nightly else CheckResult.of(unused_exceptions(register, findings, target))


@check(9, known_bad=lambda: (_known_idle(), Sight(Mode.BASIC, (), (), ()), "aws"))
def coverage_used(register: Register, seen: Sight, target: str) -> CheckResult:
    """Each coverage entry for this target and kind of scanning stands for a gap that is there."""
    return CheckResult.of(unused_coverage(register, seen, target))


def expiring(register: Register, today: date, within_days: int = 14) -> tuple[str, ...]:
    """Warnings: the entries in force that expire within so many days."""
    return tuple(
        f"{register.where(each.line)}: the entry {_title(each)} expires on {each.expires}, in {left} days"
        for each in register.entries
        if 0 <= (left := (each.expires - today).days) <= within_days
    )
