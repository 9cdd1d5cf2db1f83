"""The register and its entries as frozen values, and what each entry covers: only what it names. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from pathlib import PurePosixPath

from gate.scan.components import RequiredComponent, same_name
from gate.scan.exceptions.packages import PackageSelector
from gate.scan.exceptions.policy import PolicyRow, strictest_row
from gate.scan.exceptions.source import RegisterFault
from gate.scan.exceptions.vex import CLEARING, VexDocument, VexStatement
from gate.scan.findings import Finding, Severity
from gate.scan.statuses import Mode


@dataclass(frozen=True, kw_only=True)
class RegisterEntry:
    """What every entry has; the fields of an entry are the YAML's keys.

    Attributes:
        line: where it stands in the file.
        expires: the last day on which it holds.
        decided: the first day; None for an entry that only ends.
        target: aws, local, or both.
    """

    line: int
    expires: date
    decided: date | None = None
    target: str = "both"
    owner: str = ""
    reviewer: str = ""

    @property
    def title(self) -> str:
        """The entry in a few words."""
        raise NotImplementedError

    def is_in_force(self, today: date) -> bool:
        """Whether it holds today."""
        return (self.decided or date.min) <= today <= self.expires

    def is_for(self, target: str) -> bool:
        """Whether it is meant for this target."""
        return self.target in {target, "both"}


@dataclass(frozen=True, kw_only=True)
class FindingException(RegisterEntry):
    """An exception for a finding."""

    id: str
    package: PackageSelector
    decision: str
    justification: str = ""
    rationale: str = ""
    reference: str = ""

    @property
    def title(self) -> str:
        """The entry in a few words."""
        return f"{self.id} for {self.package.text}"


@dataclass(frozen=True, kw_only=True)
class CoverageEntry(RegisterEntry):
    """A component that the scanner does not cover, or all components of a type, and what is done instead.

    Attributes:
        purl: as written ("" for a type of components).
        type: the purl's type, or the type all of whose packages are meant.
        name: the purl's name ("" for a type).
        version: the purl's version ("" covers each version of the component).
        scanning: the kind of scanning under which it is not covered: basic, enhanced, both.
        check: the compensating check.
        path: of a type only what lies under this folder of the image ("" for all of it).
    """

    purl: str
    type: str
    name: str
    version: str
    scanning: str
    reason: str = ""
    check: str = ""
    path: str = ""

    @property
    def title(self) -> str:
        """The entry in a few words."""
        return (
            f"for {self.purl}"
            if self.purl
            else f"for every {self.type} package{f' under {self.path}' * bool(self.path)}"
        )

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


@dataclass(frozen=True, kw_only=True)
class SupportException(RegisterEntry):
    """An accepted end of support.

    Attributes:
        what: the name of what its maker no longer supports, as gate/image/end_of_support.yaml has it.
        check: the compensating check.
    """

    what: str
    reason: str = ""
    check: str = ""

    @property
    def title(self) -> str:
        """The entry in a few words."""
        return f"for the support of {self.what}"


@dataclass(frozen=True, kw_only=True)
class VexEntry(RegisterEntry):
    """A vendor's OpenVEX document that was reviewed.

    Attributes:
        file: its name, beside the register.
        sha256: of the file that was reviewed.
        product: the package URL of the product whose subcomponents are read ("" for none).
        document: what it says.
    """

    file: str
    sha256: str
    product: str = ""
    reason: str
    reference: str
    document: VexDocument

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
        target: for which the entries are asked, "aws" or "local".
        today: the day on which they are asked; on the last day of all, none is in force.
    """

    source: str
    policy: tuple[tuple[str, str], ...] = ()
    exceptions: tuple[FindingException, ...] = ()
    coverage: tuple[CoverageEntry, ...] = ()
    faults: tuple[RegisterFault, ...] = ()
    support: tuple[SupportException, ...] = ()
    vex: tuple[VexEntry, ...] = ()
    target: str = ""
    today: date = date.max

    def at(self, target: str, today: date) -> Register:
        """The register as it is asked for a target on a day."""
        return replace(self, target=target, today=today)

    @property
    def entries(self) -> tuple[RegisterEntry, ...]:
        """Every entry; each has an end."""
        return (*self.exceptions, *self.coverage, *self.support, *self.vex)

    def required(self, finding: Finding) -> PolicyRow:
        """What the policy requires of a finding; without a policy nothing is allowed."""
        return strictest_row(dict(self.policy), finding)

    @cached_property
    def _by_id(self) -> dict[str, list[FindingException]]:
        index: dict[str, list[FindingException]] = {}
        for entry in self.exceptions:
            index.setdefault(entry.id.upper(), []).append(entry)
        return index

    def about(self, finding: Finding) -> tuple[FindingException | VexEntry, ...]:
        """The exceptions and vendors' documents about this finding on this target, in force or not."""
        about: list[FindingException | VexEntry] = []
        about += (each for each in self._by_id.get(finding.id.upper(), ()) if each.package.covers(finding))
        about += (each for each in self.vex if each.document.is_about(finding))
        return tuple(each for each in about if each.is_for(self.target))

    def exception(self, finding: Finding) -> FindingException | None:
        """The entry in force that excepts this finding; none does for a CRITICAL."""
        in_force = [each for each in self.about(finding) if each.is_in_force(self.today)]
        found = [each for each in in_force if isinstance(each, FindingException)]
        return found[0] if found and finding.rank is not Severity.CRITICAL else None

    def vendor_statement(self, finding: Finding) -> tuple[VexEntry, VexStatement] | None:
        """The newest statement in force that clears a finding; none for a CRITICAL, or where another disagrees."""
        in_force = [each for each in self.about(finding) if isinstance(each, VexEntry) and each.is_in_force(self.today)]
        said = [(each, made) for each in in_force if (made := each.document.says(finding, self.today))]
        if finding.rank is Severity.CRITICAL or any(made.status not in CLEARING for _, made in said):
            return None
        return max(said, key=lambda each: each[1].at, default=None)

    def coverage_of(self, component: RequiredComponent, mode: Mode) -> tuple[CoverageEntry, ...]:
        """The entries about an uncovered component, in force or not: those that name it before those for its type."""
        about = [each for each in self.coverage if each.is_meant_for(self.target, mode) and each.is_about(component)]
        return tuple(sorted(about, key=lambda entry: not entry.purl))

    def where(self, line: int) -> str:
        """A line of the register, as a person finds it."""
        return f"{self.source}:{line}"
