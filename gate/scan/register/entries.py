"""The register and its entries as frozen values, and what each entry covers: only what it names. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import PurePosixPath

from gate.scan.components import RequiredComponent, same_name
from gate.scan.findings import Finding, Severity
from gate.scan.register.packages import PackageSelector
from gate.scan.register.policy import PolicyRow, strictest_row
from gate.scan.register.source import RegisterFault
from gate.scan.register.vex import CLEARING, VexDocument, VexStatement
from gate.scan.statuses import Mode


class _Decided:
    """An entry that holds from the day on which it was decided to the day on which it expires."""

    decided: date
    expires: date

    def is_in_force(self, today: date) -> bool:
        """Whether it holds today."""
        return self.decided <= today <= self.expires


class _Targeted:
    """An entry for one target (aws, local), or for both."""

    target: str

    def is_for(self, target: str) -> bool:
        """Whether it is meant for this target."""
        return self.target in {target, "both"}


@dataclass(frozen=True)
class FindingException(_Decided, _Targeted):
    """An exception for a finding; the fields are the YAML's keys.

    Attributes:
        line: where it stands in the file.
    """

    id: str
    package: PackageSelector
    target: str
    decision: str
    justification: str
    rationale: str
    owner: str
    reviewer: str
    decided: date
    expires: date
    reference: str
    line: int

    @property
    def title(self) -> str:
        """The entry in a few words."""
        return f"{self.id} for {self.package.text}"

    def is_about(self, finding: Finding, target: str) -> bool:
        """Whether it is about this finding on this target, in force or not."""
        return self.is_for(target) and self.id == finding.id and self.package.covers(finding)


@dataclass(frozen=True)
class CoverageEntry(_Targeted):
    """A component that the scanner does not cover, or all components of a type, and what is done instead.

    Attributes:
        purl: as written ("" for a type of components).
        type: the purl's type, or the type all of whose packages are meant.
        name: the purl's name ("" for a type).
        version: the purl's version ("" covers each version of the component).
        scanning: the kind of scanning under which it is not covered: basic, enhanced, both.
        check: the compensating check.
        line: where it stands in the file.
        path: of a type only what lies under this folder of the image ("" for all of it).
    """

    purl: str
    type: str
    name: str
    version: str
    target: str
    scanning: str
    reason: str
    check: str
    expires: date
    line: int
    path: str = ""

    @property
    def component(self) -> str:
        """What it is about, in a few words."""
        return self.purl or f"every {self.type} package" + (f" under {self.path}" if self.path else "")

    @property
    def title(self) -> str:
        """The entry in a few words."""
        return f"for {self.component}"

    def is_about(self, component: RequiredComponent) -> bool:
        """Whether it is about this component: by its name, or as one of its type, all of whose files lie there."""
        if component.type != self.type:
            return False
        if self.purl:
            return same_name(self.type, self.name, component.name) and self.version in {"", component.version}
        paths = [PurePosixPath(path) for path in component.paths]
        return not self.path or (bool(paths) and all(path.is_relative_to(self.path) for path in paths))

    def is_meant_for(self, target: str, mode: Mode) -> bool:
        """Whether it is meant for this target under this kind of scanning."""
        return self.is_for(target) and self.scanning in {mode.value.lower(), "both"}


@dataclass(frozen=True)
class SupportException(_Decided):
    """An accepted end of support; the fields are the YAML's keys.

    Attributes:
        what: the name of what its maker no longer supports, as gate/image/support.yaml has it.
        check: the compensating check.
        line: where it stands in the file.
    """

    what: str
    reason: str
    check: str
    owner: str
    reviewer: str
    decided: date
    expires: date
    line: int

    @property
    def title(self) -> str:
        """The entry in a few words."""
        return f"for the support of {self.what}"


@dataclass(frozen=True)
class VexEntry(_Decided, _Targeted):
    """A vendor's OpenVEX document that was reviewed; the fields are the YAML's keys.

    Attributes:
        file: its name, beside the register.
        sha256: of the file that was reviewed.
        product: the package URL of the product whose subcomponents are read ("" for none).
        document: what it says.
        line: where the entry stands in the register.
    """

    file: str
    sha256: str
    product: str
    target: str
    reason: str
    owner: str
    reviewer: str
    decided: date
    expires: date
    reference: str
    document: VexDocument
    line: int

    @property
    def title(self) -> str:
        """The entry in a few words."""
        return f"for the VEX document {self.file}"


@dataclass(frozen=True)
class Register:
    """What image/exceptions.yaml says; an entry with a fault is not among the entries.

    Attributes:
        source: the file's name.
        policy: what each severity requires, and what else the policy says, by the name of the row.
        exceptions: well-formed exceptions.
        coverage: well-formed coverage entries.
        faults: what is wrong whatever the day, each with its line.
        support: well-formed acceptances of an end of support.
        vex: the vendors' documents that are what was reviewed.
    """

    source: str
    policy: tuple[tuple[str, str], ...] = ()
    exceptions: tuple[FindingException, ...] = ()
    coverage: tuple[CoverageEntry, ...] = ()
    faults: tuple[RegisterFault, ...] = ()
    support: tuple[SupportException, ...] = ()
    vex: tuple[VexEntry, ...] = ()

    @property
    def entries(self) -> tuple[FindingException | CoverageEntry | SupportException | VexEntry, ...]:
        """Every entry; each has an end."""
        return (*self.exceptions, *self.coverage, *self.support, *self.vex)

    def in_force(self, target: str, today: date) -> tuple[FindingException, ...]:
        """The exceptions that hold for a target today, used or not."""
        return tuple(e for e in self.exceptions if e.is_for(target) and e.is_in_force(today))

    @cached_property
    def _by_id(self) -> dict[str, list[FindingException]]:
        index: dict[str, list[FindingException]] = {}
        for entry in self.exceptions:
            index.setdefault(entry.id, []).append(entry)
        return index

    def required(self, finding: Finding) -> PolicyRow:
        """What the policy requires of a finding; without a policy nothing is allowed."""
        return strictest_row(dict(self.policy), finding)

    def about(self, finding: Finding, target: str) -> tuple[FindingException, ...]:
        """The entries about this finding on this target, in force or not."""
        return tuple(entry for entry in self._by_id.get(finding.id, ()) if entry.is_about(finding, target))

    def exception(self, finding: Finding, target: str, today: date) -> FindingException | None:
        """The entry in force that excepts this finding; none does for a CRITICAL."""
        if finding.rank is Severity.CRITICAL:
            return None
        return next((entry for entry in self.about(finding, target) if entry.is_in_force(today)), None)

    def vex_about(self, finding: Finding, target: str) -> tuple[VexEntry, ...]:
        """The vendors' documents for this target that say something of a finding, in force or not."""
        return tuple(each for each in self.vex if each.is_for(target) and each.document.is_about(finding))

    def vendor_statement(self, finding: Finding, target: str, today: date) -> tuple[VexEntry, VexStatement] | None:
        """The newest statement in force that clears a finding; none for a CRITICAL, or where another disagrees."""
        in_force = (each for each in self.vex_about(finding, target) if each.is_in_force(today))
        said = [(each, made) for each in in_force if (made := each.document.says(finding, today))]
        if finding.rank is Severity.CRITICAL or any(made.status not in CLEARING for _, made in said):
            return None
        return max(said, key=lambda each: each[1].at, default=None)

    def coverage_of(self, component: RequiredComponent, target: str, mode: Mode) -> tuple[CoverageEntry, ...]:
        """The entries about an uncovered component, in force or not: those that name it before those for its type."""
        about = [each for each in self.coverage if each.is_meant_for(target, mode) and each.is_about(component)]
        return tuple(sorted(about, key=lambda entry: not entry.purl))

    def where(self, line: int) -> str:
        """A line of the register, as a person finds it."""
        return f"{self.source}:{line}"
