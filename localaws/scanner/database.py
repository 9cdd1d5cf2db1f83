"""The advisories that concern an image, chosen from all that were given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from localaws.scanner.advisory import Advisory, AdvisoryHeader, Vectors, advisory_of, header_of, vectors_of
from localaws.scanner.failure import ScanFailed
from localaws.scanner.packages import Package
from localaws.scanner.records import LIMITS, Limits, records_in

_UNREADABLE = (ValueError, TypeError, KeyError, AttributeError)
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass
class AdvisoryDatabase:
    """What was read from the advisories.

    Attributes:
        by_package: the advisories that may concern the image, by (ecosystem, name).
        vectors: CVSS vectors by CVE id, of all records: a distribution's advisory often has none of its own.
        ecosystems: every ecosystem (with its release) that any of them speaks of.
        count: how many are in force, withdrawn ones left out.
        newest: the latest `modified` among them: how old the vulnerability data is.
    """

    by_package: dict[tuple[str, str], list[Advisory]] = field(default_factory=dict)
    vectors: dict[str, Vectors] = field(default_factory=dict)
    ecosystems: set[str] = field(default_factory=set)
    count: int = 0
    newest: datetime = _LONG_AGO

    def about(self, package: Package) -> list[Advisory]:
        """The advisories that name this package's source."""
        return self.by_package.get((package.ecosystem, package.source), [])

    def covers(self, package: Package) -> bool:
        """Whether there is any advisory for where the package comes from."""
        return package.osv_ecosystem in self.ecosystems or package.ecosystem in self.ecosystems


def read_advisories(sources: Iterable[Path], packages: Iterable[Package], limits: Limits = LIMITS) -> AdvisoryDatabase:
    """Read every advisory; keep those that concern these packages.

    Raises:
        ScanFailed: there is none, one cannot be read, or none speaks of where some of the packages come from.
    """
    installed = tuple(packages)
    wanted = {(package.ecosystem, package.source) for package in installed}
    database = AdvisoryDatabase()
    for origin, record in records_in(sources, limits):
        try:
            _enter(database, record, origin, wanted)
        except _UNREADABLE as broken:
            raise ScanFailed(
                f"The advisory {origin} is not a readable OSV record ({type(broken).__name__}: {broken}). Repair it or "
                "take it out; until then nothing is known about the image."
            ) from broken
    _refuse_uncovered(database, installed)
    return database


def _enter(database: AdvisoryDatabase, record: Any, origin: str, wanted: set[tuple[str, str]]) -> None:
    header = header_of(record)
    if header.withdrawn:
        return
    database.count += 1
    database.ecosystems |= header.ecosystems
    database.newest = max(database.newest, header.modified)
    _remember_vectors(database, record, header)
    concerned = header.packages & wanted
    if not concerned:
        return
    advisory = advisory_of(record, origin)
    for key in concerned:
        database.by_package.setdefault(key, []).append(advisory)


def _remember_vectors(database: AdvisoryDatabase, record: Mapping[str, Any], header: AdvisoryHeader) -> None:
    names = (header.id, *(record.get("aliases") or ()))
    about = [name for name in names if name.startswith("CVE-")]
    vectors = vectors_of(record)
    # An advisory about several vulnerabilities at once does not say which of them its vector rates.
    if vectors and len(about) == 1:
        database.vectors[about[0]] = database.vectors.get(about[0], ()) + vectors


def _refuse_uncovered(database: AdvisoryDatabase, installed: tuple[Package, ...]) -> None:
    if not database.count:
        raise ScanFailed(
            "There are no advisories, so nothing is known about the image: this is not zero findings. Give the local "
            "target a directory of OSV records."
        )
    unknown = sorted({package.osv_ecosystem for package in installed if not database.covers(package)})
    if unknown:
        how_many = sum(package.osv_ecosystem in unknown for package in installed)
        raise ScanFailed(
            f"None of the {database.count} advisories is about {' or '.join(unknown)}, where {how_many} of the image's "
            "packages come from: nothing is known about them. Add that ecosystem's OSV export to the advisories."
        )
