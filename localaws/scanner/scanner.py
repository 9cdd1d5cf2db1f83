"""The scanner in place of Amazon ECR's; every result says that it is simulated."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from itertools import groupby
from pathlib import Path

from gate.evidence.store import write_whole
from localaws.ecr.findings import PackageVulnerability, ScannerResult
from localaws.ecr.scanning import ImageSource
from localaws.scanner import SHIPPED, ScanFailed
from localaws.scanner.advisory import Advisory, AffectedPackage, UncomparableVersion, ordered
from localaws.scanner.database import AdvisoryDatabase, read_advisories
from localaws.scanner.package_files import package_files
from localaws.scanner.packages import PYPI, Package, packages_of
from localaws.scanner.severity import Rating, rated, worst

_ORDER = ("CRITICAL", "UNDEFINED", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL")
_TEXT = 1000
_FORMAT = 2  # of a file in the cache


class LocalScanner:
    """Compares an image's packages with the advisories (see `localaws.ecr.scanning.ImageScanner`).

    Args:
        cache: where the packages of an image are kept, one file per digest.
        advisories: directories, archives or files of OSV records.
    """

    def __init__(self, cache: Path, advisories: Iterable[Path] = (SHIPPED,)) -> None:
        self._cache = cache
        self._advisories = tuple(advisories)

    def scan(self, repository: str, digest: str, fetch: ImageSource) -> ScannerResult:
        """All findings in the image.

        Raises:
            ScanFailed: the packages or the advisories cannot be read completely.
        """
        packages = self._packages(fetch, digest)
        database = read_advisories(self._advisories, packages)
        found = findings_in(packages, database)
        return ScannerResult(found, database.newest.timestamp(), _description(packages, database))

    def _packages(self, image: ImageSource, digest: str) -> tuple[Package, ...]:
        kept = self._cache / f"{digest.replace(':', '-')}-{_FORMAT}.json"
        try:
            known = tuple(Package(**entry) for entry in json.loads(kept.read_bytes()))
        except (OSError, ValueError, TypeError):  # there is none, or it is damaged: it is made again
            known = ()
        if not known:
            known = packages_of(package_files(image))
            write_whole(kept, json.dumps([asdict(package) for package in known]).encode())
        return known


def _description(packages: tuple[Package, ...], database: AdvisoryDatabase) -> str:
    ecosystems = Counter(package.osv_ecosystem for package in packages)
    counted = " and ".join(f"{count} packages of {ecosystem}" for ecosystem, count in sorted(ecosystems.items()))
    return (
        f"Simulated scan, not Amazon ECR's: {counted} against {database.count} OSV advisories, "
        f"the newest of {database.newest:%Y-%m-%d}."
    )


def findings_in(packages: Iterable[Package], database: AdvisoryDatabase) -> tuple[PackageVulnerability, ...]:
    """All findings, the worst first.

    Raises:
        ScanFailed: an installed version cannot be compared in its ecosystem.
    """
    units = groupby(sorted(packages, key=_unit), key=_unit)
    found = [finding for _, members in units for finding in _findings(tuple(members), database)]
    return tuple(sorted(found, key=lambda f: (_ORDER.index(f.severity), -(f.score or 0.0), f.id, f.package, f.version)))


def _unit(package: Package) -> tuple[str, str, str, str]:
    return package.ecosystem, package.release, package.source, package.source_version


def _findings(members: tuple[Package, ...], database: AdvisoryDatabase) -> list[PackageVulnerability]:
    hits = [(advisory, entry) for advisory in database.about(members[0]) for entry in _hits(advisory, members[0])]
    grouped: dict[str, list[tuple[Advisory, AffectedPackage]]] = {}
    for advisory, entry in hits:
        for vulnerability in _vulnerabilities(advisory, [other for other, _ in hits]):
            grouped.setdefault(vulnerability, []).append((advisory, entry))
    return [_finding(vulnerability, members, hits, database) for vulnerability, hits in grouped.items()]


def _hits(advisory: Advisory, package: Package) -> list[AffectedPackage]:
    entries = [
        entry
        for entry in advisory.affected
        if (entry.ecosystem, entry.name) == (package.ecosystem, package.source)
        and entry.release in ("", package.release)
    ]
    try:
        return [entry for entry in entries if entry.affects(package.source_version)]
    except UncomparableVersion as broken:
        raise ScanFailed(
            f"{package.name} {package.version} cannot be compared with {advisory.origin}: {broken}. Nothing is known "
            "about this package."
        ) from broken


def _vulnerabilities(advisory: Advisory, hits: list[Advisory]) -> frozenset[str]:
    """The ids of an advisory's findings: its CVEs, else one name for all aliases."""
    if advisory.vulnerabilities:
        return advisory.vulnerabilities
    names = set(advisory.names)
    while newly := {name for other in hits if names & other.names for name in other.names} - names:
        names |= newly
    return frozenset(name for name in names if name.startswith("CVE-")) or frozenset({min(names)})


def _finding(
    vulnerability: str,
    members: tuple[Package, ...],
    hits: list[tuple[Advisory, AffectedPackage]],
    database: AdvisoryDatabase,
) -> PackageVulnerability:
    shown = next((package for package in members if package.name == package.source), members[0])
    rating = _rating(vulnerability, [advisory for advisory, _ in hits], database)
    summary = next((advisory.summary for advisory, _ in hits if advisory.summary), "")
    return PackageVulnerability(
        id=vulnerability,
        severity=rating.severity,
        package=shown.name if shown.ecosystem == PYPI else shown.source,
        version=shown.source_version,
        fixed_version=_fixed(shown, [entry for _, entry in hits]),
        uri=hits[0][0].uri,
        description=(_names(members) + summary)[:_TEXT],
        score=rating.score,
        vector=rating.vector,
        manager=shown.manager,
        path=shown.path,
    )


def _rating(vulnerability: str, advisories: list[Advisory], database: AdvisoryDatabase) -> Rating:
    # The vector of an advisory about several vulnerabilities is taken for each of them.
    own = worst(rated(advisory.vectors, advisory.word) for advisory in advisories)
    elsewhere = rated(database.vectors.get(vulnerability, ()))
    return worst((own, elsewhere))


def _fixed(package: Package, entries: list[AffectedPackage]) -> str:
    # If two databases name different fixes, only the later one satisfies both.
    fixes = [fix for entry in entries if (fix := entry.fixed_after(package.source_version))]
    return max(fixes, key=lambda fix: ordered(package.ecosystem, fix), default="")


def _names(members: tuple[Package, ...]) -> str:
    binaries = sorted({package.name for package in members if package.name != package.source})
    return f"Installed as {', '.join(binaries)}. " if binaries and members[0].ecosystem != PYPI else ""
