"""The register's entries as frozen values, and what each of them covers: only what it names. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from typing import Any

from gate.scan.findings import Finding, Severity
from gate.scan.register.schema import MONITOR, NEVER
from gate.scan.register.source import Fault
from gate.scan.statuses import Mode

_OS_TYPES = frozenset({"deb", "rpm", "apk"})
_PYTHON = frozenset({"pypi"})
# Inspector's package managers (Inspector2 model, PackageManager) and the purl types they correspond to.
_TYPES: Mapping[str, frozenset[str]] = {
    "OS": _OS_TYPES,
    "PYTHON": _PYTHON,
    "PYTHONPKG": _PYTHON,
    "PIP": _PYTHON,
    "PIPENV": _PYTHON,
    "POETRY": _PYTHON,
    "NPM": frozenset({"npm"}),
    "NODEPKG": frozenset({"npm"}),
    "JAR": frozenset({"maven"}),
    "GOBINARY": frozenset({"golang"}),
}


def canonical(name: str) -> str:
    """A Python project's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


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
    """

    text: str
    type: str
    name: str
    versions: str

    def covers(self, finding: Finding) -> bool:
        """Whether the finding is in this package, in one of these versions."""
        return self._is_package(finding) and self._is_version(finding.installed)

    def _is_package(self, finding: Finding) -> bool:
        if self.type and finding.manager and self.type not in _TYPES.get(finding.manager.upper(), frozenset()):
            return False
        if self.type == "pypi" or self.versions.startswith("vers:pypi/"):
            return canonical(self.name) == canonical(finding.package)
        return self.name == finding.package

    def _is_version(self, installed: str) -> bool:
        if not installed:
            return False
        if not self.versions.startswith("vers:"):
            return installed.removeprefix("0:") == self.versions.removeprefix("0:")
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
    """One coverage entry: a component that the scanner does not see, and what is done instead.

    Attributes:
        purl: as written.
        type: the purl's type.
        name: the purl's name.
        version: the purl's version ("" covers each version of the component).
        scanning: the kind of scanning under which it is not seen: basic, enhanced, both.
        check: the compensating check.
        line: where it stands in the file.
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

    def stands_for(self, target: str, mode: Mode) -> bool:
        """Whether it is meant for this target under this kind of scanning."""
        return self.target in {target, "both"} and self.scanning in {mode.value.lower(), "both"}


@dataclass(frozen=True)
class Register:
    """What image/exceptions.yaml says; an entry with a fault is not among the entries.

    Attributes:
        source: the file's name.
        policy: what each severity requires.
        exceptions: well-formed exceptions.
        coverage: well-formed coverage entries.
        faults: what is wrong whatever the day, each with its line.
    """

    source: str
    policy: tuple[tuple[str, str], ...]
    exceptions: tuple[Exempted, ...]
    coverage: tuple[Unseen, ...]
    faults: tuple[Fault, ...]

    @property
    def entries(self) -> tuple[Exempted | Unseen, ...]:
        """Exceptions and coverage entries together."""
        return (*self.exceptions, *self.coverage)

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
