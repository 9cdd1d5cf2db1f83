"""The register and its entries as frozen values, and what each entry covers: only what it names. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from pathlib import PurePosixPath
from typing import Any

from gate.scan.components import NO_MANAGER, RequiredComponent, may_be, same_name, same_version
from gate.scan.findings import Finding, Severity
from gate.scan.register.schema import EXCEPTED, MONITOR, NEVER
from gate.scan.register.source import RegisterFault
from gate.scan.statuses import Mode

# Written in an exception where the scanner gives no name, or no version.
UNTOLD = "untold"


@lru_cache(maxsize=1024)
def version_range(text: str) -> Any:
    """A `vers:` range; whatever univers raises on it, it raises."""
    from univers.version_range import VersionRange

    return VersionRange.from_string(text)  # type: ignore[no-untyped-call]


@dataclass(frozen=True)
class PackageSelector:
    """A package as an exception names it.

    Attributes:
        text: as written.
        type: the purl's type ("" when only a name is written).
        name: the package's name, as a scanner reports it.
        versions: an exact version, or a `vers:` range.

    Name and versions may each be "untold", for a finding of which the scanner does not give it.
    """

    text: str
    type: str
    name: str
    versions: str

    def covers(self, finding: Finding) -> bool:
        """Whether the finding is in this package, in one of these versions."""
        return self._is_package(finding) and self._is_version(finding.installed)

    def _is_package(self, finding: Finding) -> bool:
        if self.type and not may_be(finding.manager, self.type):
            return False
        if (self.type, self.name) == ("", UNTOLD):
            return finding.package in {"", UNTOLD}
        kind = "pypi" if self.versions.startswith("vers:pypi/") else self.type
        names = {finding.package}
        if self.type and finding.manager.upper() == NO_MANAGER:
            # Inspector puts a maker before such a program's name; a package URL of the program has no need to.
            names.add(finding.package.rpartition("/")[2])
        return any(same_name(kind, self.name, each) for each in names if each)

    def _is_version(self, installed: str) -> bool:
        if not installed:
            return self.versions == UNTOLD
        if not self.versions.startswith("vers:"):
            return same_version(self.type, installed, self.versions)
        from univers.versions import InvalidVersion

        wanted = version_range(self.versions)
        try:
            return wanted.version_class(installed) in wanted
        except (InvalidVersion, ValueError, TypeError):
            return False  # a version that the range's scheme cannot read is not in the range


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
class Register:
    """What image/exceptions.yaml says; an entry with a fault is not among the entries.

    Attributes:
        source: the file's name.
        policy: what each severity requires.
        exceptions: well-formed exceptions.
        coverage: well-formed coverage entries.
        faults: what is wrong whatever the day, each with its line.
        support: well-formed acceptances of an end of support.
    """

    source: str
    policy: tuple[tuple[str, str], ...] = ()
    exceptions: tuple[FindingException, ...] = ()
    coverage: tuple[CoverageEntry, ...] = ()
    faults: tuple[RegisterFault, ...] = ()
    support: tuple[SupportException, ...] = ()

    @property
    def entries(self) -> tuple[FindingException | CoverageEntry | SupportException, ...]:
        """Every entry; each has an end."""
        return (*self.exceptions, *self.coverage, *self.support)

    def in_force(self, target: str, today: date) -> tuple[FindingException, ...]:
        """The exceptions that hold for a target today, used or not."""
        return tuple(e for e in self.exceptions if e.is_for(target) and e.is_in_force(today))

    @cached_property
    def _by_id(self) -> dict[str, list[FindingException]]:
        index: dict[str, list[FindingException]] = {}
        for entry in self.exceptions:
            index.setdefault(entry.id, []).append(entry)
        return index

    def required(self, severity: Severity) -> str:
        """What the policy requires; without a policy nothing is allowed."""
        stated = dict(self.policy)
        if severity is Severity.UNRATED and stated:
            return stated.get(severity.name, EXCEPTED)  # nobody knows what it is, so somebody has to look
        return stated.get(severity.name, MONITOR if stated and severity < Severity.HIGH else NEVER)

    def about(self, finding: Finding, target: str) -> tuple[FindingException, ...]:
        """The entries about this finding on this target, in force or not."""
        return tuple(entry for entry in self._by_id.get(finding.id, ()) if entry.is_about(finding, target))

    def exception(self, finding: Finding, target: str, today: date) -> FindingException | None:
        """The entry in force that excepts this finding; none does for a CRITICAL."""
        if finding.rank is Severity.CRITICAL:
            return None
        return next((entry for entry in self.about(finding, target) if entry.is_in_force(today)), None)

    def coverage_of(self, component: RequiredComponent, target: str, mode: Mode) -> tuple[CoverageEntry, ...]:
        """The entries about an uncovered component, in force or not: those that name it before those for its type."""
        about = [each for each in self.coverage if each.is_meant_for(target, mode) and each.is_about(component)]
        return tuple(sorted(about, key=lambda entry: not entry.purl))

    def where(self, line: int) -> str:
        """A line of the register, as a person finds it."""
        return f"{self.source}:{line}"
