"""The findings of the release's scan as the report lists them, worst first, with what is to become of each. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from gate.scan.exceptions.entries import Register
from gate.scan.exceptions.exception_checks import Disposition, dispositions
from gate.scan.findings import Severity
from gate.scan.report import ScanReport

# The page has to fit into a mail; the evidence holds them all.
SHOWN = 200
_TONES = {Severity.CRITICAL: "failed", Severity.UNRATED: "incomplete", Severity.HIGH: "incomplete"}
_UNKNOWN = "unknown: the register cannot be read"
_NO_REGISTER = Register("")


@dataclass(frozen=True)
class FindingRow:
    """One finding.

    Attributes:
        tone: names the colour of its severity.
        exploit: what is known of exploits, by whom and since when.
        fate: what is to become of it.
    """

    severity: str
    tone: str
    id: str
    package: str
    installed: str
    fixed: str
    exploit: str
    fate: str
    excepted: bool


@dataclass(frozen=True)
class FindingsTable:
    """The rows that are shown, and how many there are in all."""

    rows: tuple[FindingRow, ...]
    total: int


def findings(report: ScanReport, register: Register | None) -> FindingsTable:
    """The open findings, worst first; without a register nobody knows what is to become of them."""
    given = list(dispositions(report.open, register or _NO_REGISTER))
    return FindingsTable(tuple(_row(each, known=register is not None) for each in given[:SHOWN]), len(given))


def _row(given: Disposition, *, known: bool) -> FindingRow:
    finding, entry = given.finding, given.entry
    fate = f"{given.decision} until {given.until}" if entry else given.decision
    if given.vendor:
        vex, said = given.vendor
        status = said.status.replace("_", " ")
        fate = f"{status}, says VEX of {vex.document.author} of {said.at:%Y-%m-%d}, until {given.until}"
    unrated = " (not yet rated)" if finding.rank is Severity.UNRATED else ""
    return FindingRow(
        severity=(finding.severity.upper() or "UNNAMED") + unrated,
        tone=_TONES.get(finding.rank, "plain"),
        id=finding.id or "no id",
        package=finding.package or "no package",
        installed=finding.installed or "unknown",
        fixed=finding.fixed or "none yet",
        exploit=finding.exploits.told,
        fate=fate if known else _UNKNOWN,
        excepted=entry is not None,
    )
