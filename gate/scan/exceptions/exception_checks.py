"""Criterion 9: each finding is fixed, excepted or has its disposition, and the register is valid and used. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date

from gate.check import ACCEPTED, CheckResult, Rejection, check, reject
from gate.scan.coverage import ImageCoverage
from gate.scan.exceptions.entries import CoverageEntry, FindingException, Register, RegisterEntry, VexEntry
from gate.scan.exceptions.packages import PackageSelector
from gate.scan.exceptions.policy import PolicyRow
from gate.scan.exceptions.reading import LONGEST, parse
from gate.scan.exceptions.schema import MONITOR, NEVER
from gate.scan.exceptions.source import RegisterFault
from gate.scan.exceptions.suggestion import ready_entry, remedy
from gate.scan.exceptions.vex import VexStatement
from gate.scan.findings import Finding, Severity, worst_first
from gate.scan.result_checks import ALL_LISTED
from gate.scan.statuses import Mode

_LISTED = 20
_DAY = date(2026, 1, 2)
_EMPTY = parse("", "empty").at("aws", _DAY)
# How the decision of a finding begins that a vendor's statement clears.
VEX = "vex: "


@dataclass(frozen=True)
class Disposition:
    """Whether, and by what, one finding is allowed.

    Attributes:
        finding: which.
        row: what the policy requires of it.
        decision: the decision of its exception, what a vendor states ("vex: not_affected", "vex: fixed"), "monitor", or
            "open" when nothing allows it.
        entry: its exception in force, if any.
        vendor: the vendor's document that clears it, where it has no exception, and its statement.
    """

    finding: Finding
    row: PolicyRow
    decision: str
    entry: FindingException | None = None
    vendor: tuple[VexEntry, VexStatement] | None = None

    @property
    def until(self) -> date | None:
        """The last day on which its exception, or the vendor's statement, is in force."""
        if self.vendor:
            return self.vendor[0].expires
        return self.entry.expires if self.entry else None

    @property
    def allowed(self) -> bool:
        """Whether the release may go live with it."""
        return self.decision != "open"


def dispositions(findings: Iterable[Finding], register: Register) -> tuple[Disposition, ...]:
    """The disposition of each finding, worst first; excepted ones stay in the list."""
    return tuple(_disposition(finding, register) for finding in worst_first(findings))


def _disposition(finding: Finding, register: Register) -> Disposition:
    row = register.required(finding)
    undecided = Disposition(finding, row, MONITOR if row.requires == MONITOR else "open")
    if row.requires == NEVER:
        return undecided
    if entry := register.exception(finding):
        return replace(undecided, decision=entry.decision, entry=entry)
    if vendor := register.vendor_statement(finding):
        return replace(undecided, decision=f"{VEX}{vendor[1].status}", vendor=vendor)
    return undecided


def _finding(severity: str) -> Finding:
    return Finding("CVE-2026-0001", "openssl", "3.0.1", "3.0.2", severity, None, "", "", Mode.BASIC)


@check(9, known_bad=lambda: ((_finding("HIGH"),), _EMPTY, "HIGH"))
def fixed_or_excepted(findings: tuple[Finding, ...], register: Register, at_least: str) -> CheckResult:
    """Every finding of this severity or above is fixed, which means not found, or has an exception in force."""
    return _result_of([finding for finding in findings if finding.rank >= Severity.of(at_least)], register)


@check(9, known_bad=lambda: ((_finding("LOW"),), _EMPTY, "HIGH"))
def disposed_below(findings: tuple[Finding, ...], register: Register, below: str) -> CheckResult:
    """Every finding below this severity has the disposition that the policy requires."""
    return _result_of([finding for finding in findings if finding.rank < Severity.of(below)], register)


def _result_of(findings: list[Finding], register: Register) -> CheckResult:
    over = [d for d in dispositions(findings, register) if not d.allowed]
    rejections: list[Rejection] = []
    for given in over[:_LISTED]:
        each = _over(given, register)
        if each.paste and each.paste in {before.paste for before in rejections}:
            # The same package in two places is two findings, and one entry covers both.
            each = replace(each, remedy=f"{each.remedy} (the entry is given above)", paste="")
        rejections.append(each)
    if len(over) > _LISTED:
        more = f"… and {len(over) - _LISTED} more findings over the policy"
        rejections.append(Rejection(more, "the scan", ALL_LISTED))
    return CheckResult.of(rejections)


def _over(given: Disposition, register: Register) -> Rejection:
    finding = given.finding
    expired = next(iter(register.about(finding)), None)
    where = register.where(expired.line) if expired else finding.uri
    history = f"; its entry runs from {expired.decided} to {expired.expires}" if expired else ""
    fixed = f"fixed in {finding.fixed}" if finding.fixed else "no fixed version known"
    row, excepted = given.row, given.row.requires != NEVER
    entry = ready_entry(finding, register.target, register.today) if excepted else ""
    or_else = f"; or paste, complete and have reviewed in {register.source}:" if entry else ""
    place = f", at {finding.path}" if finding.path else ""
    return Rejection(
        f"{finding.named}{place} is {_rated(finding)} ({fixed}) and the policy says "
        f"{row.requires!r} for {row.name}{f' ({row.why})' * bool(row.why)}{history}",
        where=where,
        remedy=remedy(finding) + (or_else if excepted else "; no entry helps"),
        paste=entry,
    )


def _rated(finding: Finding) -> str:
    if finding.rank is Severity.UNRATED:
        return f"{finding.severity.upper()}, which means not yet rated"
    return finding.rank.name


@check(9, known_bad=lambda: (_EMPTY,))
def register_valid(register: Register) -> CheckResult:
    """The register is well-formed and each entry is in force."""
    faults = [*register.faults, *_out_of_date(register)]
    return CheckResult.of(
        Rejection(fault.sentence, register.where(fault.line), fault.remedy or "correct or remove the entry")
        for fault in sorted(faults, key=lambda fault: fault.line)
    )


def by_register(register: Register, result: CheckResult) -> CheckResult:
    """A result that rests on the register; where that is faulty, its first fault in the place of all rejections."""
    if result.accepted or not register.faults:
        return result
    first = min(register.faults, key=lambda fault: fault.line)
    cause = f"The register cannot be relied on, so nothing is decided about {len(result.rejections)} of its subjects"
    return reject(f"{cause}: {first.sentence}", register.where(first.line), "mend the register first")


def _out_of_date(register: Register) -> Iterator[RegisterFault]:
    today = register.today
    for each in register.entries:
        title = f"The entry {each.title}"
        if each.decided and each.decided > today:
            sentence = f"{title} is decided on {each.decided}, which is still to come"
            yield RegisterFault(each.line, sentence, "correct its date, or wait for the decision")
        if each.expires < today:
            remedy = "decide on it anew, with an end within 90 days; remove it if nothing needs it"
            yield RegisterFault(each.line, f"{title} expired on {each.expires}; today is {today}", remedy)
        elif not each.decided and each.expires - today > LONGEST:
            sentence = f"{title} runs until {each.expires}; at most {LONGEST.days} days are allowed"
            yield RegisterFault(each.line, sentence, "bring its end nearer")


def unused_exceptions(register: Register, findings: tuple[Finding, ...]) -> tuple[Rejection, ...]:
    """The exceptions and VEX documents for this target that are about none of the findings."""
    used = {id(entry) for finding in findings if not finding.closed for entry in register.about(finding)}
    about: tuple[FindingException | VexEntry, ...] = (*register.exceptions, *register.vex)
    unused = (each for each in about if each.is_for(register.target) and id(each) not in used)
    return tuple(_unused(each, _WHY_UNUSED[type(each)], register) for each in unused)


_WHY_UNUSED: Mapping[type, str] = {
    FindingException: "the scan has no such finding",
    VexEntry: "none of its statements is about a finding of the scan and this very version of its package",
}


def _unused(entry: RegisterEntry, why: str, register: Register) -> Rejection:
    return Rejection(f"The entry {entry.title} is not used: {why}", register.where(entry.line), "remove the entry")


def _known_unused() -> Register:
    coverage = CoverageEntry(purl="pkg:generic/chrome", type="generic", name="chrome", version="", scanning="both",
                             expires=_DAY, line=1)  # fmt: skip
    package = PackageSelector("openssl", "", "openssl", "3.0.1")
    entry = FindingException(id="CVE-2026-0001", package=package, decision="upgrade", expires=_DAY, line=1)
    return Register("exceptions.yaml", exceptions=(entry,), coverage=(coverage,), target="aws", today=_DAY)


@check(9, known_bad=lambda: (_known_unused(), (), False))
def exceptions_used(register: Register, findings: tuple[Finding, ...], nightly: bool) -> CheckResult:
    """Each exception for this target is used; at night an unused one is only a warning (see `unused_exceptions`)."""
    return ACCEPTED if nightly else CheckResult.of(unused_exceptions(register, findings))


@check(9, known_bad=lambda: (_known_unused(), ImageCoverage(Mode.BASIC, (), (), ())))
def coverage_used(register: Register, coverage: ImageCoverage) -> CheckResult:
    """Each coverage entry for this target and kind of scanning is about a component that is not covered."""
    target, mode = register.target, coverage.mode
    used = {id(entry) for each in coverage.to_register for entry in register.coverage_of(each, mode)}
    unused = (each for each in register.coverage if each.is_meant_for(target, mode) and id(each) not in used)
    why = "the scanner sees it, or the image does not hold it"
    return CheckResult.of(_unused(each, why, register) for each in unused)


def expiring(register: Register, within_days: int = 14) -> tuple[str, ...]:
    """Warnings: the entries in force that expire within so many days."""
    return tuple(
        f"{register.where(each.line)}: the entry {each.title} expires on {each.expires}, in {left} days"
        for each in register.entries
        if 0 <= (left := (each.expires - register.today).days) <= within_days
    )
