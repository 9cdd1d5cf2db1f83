"""The scanner in place of Amazon ECR's; every result says that it is simulated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from localaws.ecr.findings import ScannerResult
from localaws.ecr.scanning import ImageSource
from localaws.scanner import SHIPPED
from localaws.scanner.database import AdvisoryDatabase, read_advisories
from localaws.scanner.matching import findings_in
from localaws.scanner.packages import Package
from localaws.scanner.sbom import Cataloger


class LocalScanner:
    """Compares an image's packages with the advisories (see `localaws.ecr.scanning.ImageScanner`).

    Args:
        cache: where SBOMs are cached by digest.
        work: a folder that no other run uses at the same time.
        advisories: directories, archives or files of OSV records.
        syft: the program that makes SBOMs; beside the running Python when not given.
    """

    def __init__(
        self, cache: Path, work: Path, advisories: Iterable[Path] = (SHIPPED,), syft: Path | None = None
    ) -> None:
        self._cataloger = Cataloger(cache, work, syft)
        self._advisories = tuple(advisories)

    def scan(self, repository: str, digest: str, fetch: ImageSource) -> ScannerResult:
        """All findings in the image.

        Raises:
            ScanFailed: the packages or the advisories cannot be read completely.
        """
        packages = self._cataloger.packages(fetch, digest)
        database = read_advisories(self._advisories, packages)
        found = findings_in(packages, database)
        return ScannerResult(found, database.newest.timestamp(), _description(packages, database))


def _description(packages: tuple[Package, ...], database: AdvisoryDatabase) -> str:
    ecosystems = Counter(package.osv_ecosystem for package in packages)
    counted = " and ".join(f"{count} packages of {ecosystem}" for ecosystem, count in sorted(ecosystems.items()))
    return (
        f"Simulated scan, not Amazon ECR's: {counted} against {database.count} OSV advisories, "
        f"the newest of {database.newest:%Y-%m-%d}."
    )
