"""The register's entries as frozen values, and what each of them covers: only what it names. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from pathlib import PurePosixPath
from typing import Any

from gate.scan.ecosystems import NO_MANAGER, may_be, same_name, same_version
from gate.scan.findings import Finding, Severity
from gate.scan.register.schema import EXCEPTED, MONITOR, NEVER
from gate.scan.register.source import Fault
from gate.scan.statuses import Mode

# Written in an exception where the scanner tells no name, or no version.
UNTOLD = "untold"


@lru_cache(maxsize=1024)
def version_range(text: str) -> Any:
    """A `vers:` range; whatever univers raises on it, it raises."""
    from univers.version_range import VersionRange

    return VersionRange.from_string(text)  # type: ignore[no-untyped-call]


@dataclass(frozen=True)
class Named:
    """A package as an exception names it.

    Attributes:
        text: as written.
        type: the purl's type ("" when only a name is written).
        name: the package's name, as a scanner reports it.
        versions: an exact version, or a `vers:` range.

    Of name and versions each may be "untold", which is what the scanner then tells: nothing.
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
        return any(same_name(kind, self.name, each) for each in self._names_of(finding) if each)

    def _names_of(self, finding: Finding) -> tuple[str, ...]:
        """The names by which an entry may call the finding's package."""
        if self.type and finding.manager.upper() == NO_MANAGER:
            # Inspector puts a maker before such a program's name; a package URL of the program has no need to.
            return finding.package, finding.package.rpartition("/")[2]
        return (finding.package,)

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


@dataclass(frozen=True)
class Exempted:
    """One exception; the fields are the YAML's keys.

    Attributes:
        line: where it stands in the file.
    """

    id: str
    package: Named
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

    def covers(self, finding: Finding, target: str, today: date) -> bool:
        """Whether it excepts this finding on this target today."""
        current = self.decided <= today <= self.expires
        return current and self.names(finding, target)

    def names(self, finding: Finding, target: str) -> bool:
        """Whether it is about this finding on this target, in force or not."""
        return self.target in {target, "both"} and self.id == finding.id and self.package.covers(finding)


@dataclass(frozen=True)
class Unseen:
    """One coverage entry: a component that the scanner does not see, or a kind of them, and what is done instead.

    Attributes:
        purl: as written ("" for a kind of components).
        type: the purl's type, or the kind: every package of this type.
        name: the purl's name ("" for a kind).
        version: the purl's version ("" covers each version of the component).
        scanning: the kind of scanning under which it is not seen: basic, enhanced, both.
        check: the compensating check.
        line: where it stands in the file.
        path: of a kind only what lies under this folder of the image ("" for all of it).
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
    def title(self) -> str:
        """As a person calls it."""
        return self.purl or f"every {self.type} package" + (f" under {self.path}" if self.path else "")

    def is_about(self, kind: str, name: str, version: str, paths: tuple[str, ...]) -> bool:
        """Whether it speaks of this component: by its name, or as one of its kind, all of whose files lie there."""
        if kind != self.type:
            return False
        if not self.purl:
            under = PurePosixPath(self.path or "/")
            return not self.path or (bool(paths) and all(PurePosixPath(path).is_relative_to(under) for path in paths))
        return same_name(kind, self.name, name) and self.version in {"", version}

    def stands_for(self, target: str, mode: Mode) -> bool:
        """Whether it is meant for this target under this kind of scanning."""
        return self.target in {target, "both"} and self.scanning in {mode.value.lower(), "both"}


@dataclass(frozen=True)
class SupportException:
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

    def is_in_force(self, today: date) -> bool:
        """Whether it holds today."""
        return self.decided <= today <= self.expires


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
    policy: tuple[tuple[str, str], ...]
    exceptions: tuple[Exempted, ...]
    coverage: tuple[Unseen, ...]
    faults: tuple[Fault, ...]
    support: tuple[SupportException, ...] = ()

    @property
    def entries(self) -> tuple[Exempted | Unseen | SupportException, ...]:
        """Every entry that has an end."""
        return (*self.exceptions, *self.coverage, *self.support)

    def in_force(self, target: str, today: date) -> tuple[Exempted, ...]:
        """The exceptions that hold for a target today, used or not."""
        return tuple(e for e in self.exceptions if e.target in {target, "both"} and e.decided <= today <= e.expires)

    @cached_property
    def _by_id(self) -> dict[str, list[Exempted]]:
        index: dict[str, list[Exempted]] = {}
        for entry in self.exceptions:
            index.setdefault(entry.id, []).append(entry)
        return index

    def required(self, severity: Severity) -> str:
        """What the policy requires; without a policy nothing is allowed."""
        stated = dict(self.policy)
        if severity is Severity.UNRATED and stated:
            return stated.get(severity.name, EXCEPTED)  # nobody knows what it is, so somebody has to look
        return stated.get(severity.name, MONITOR if stated and severity < Severity.HIGH else NEVER)

    def about(self, finding: Finding, target: str) -> tuple[Exempted, ...]:
        """The entries about this finding on this target, in force or not."""
        return tuple(entry for entry in self._by_id.get(finding.id, ()) if entry.names(finding, target))

    def exception(self, finding: Finding, target: str, today: date) -> Exempted | None:
        """The entry in force that excepts this finding; none does for a CRITICAL."""
        if finding.rank is Severity.CRITICAL:
            return None
        return next((entry for entry in self.about(finding, target) if entry.covers(finding, target, today)), None)

    def where(self, line: int) -> str:
        """A line of the register, as a person finds it."""
        return f"{self.source}:{line}"
