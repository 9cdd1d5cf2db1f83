"""The scanner behind StartImageScan: it stands in for Amazon ECR's, and says so in every result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from localaws.ecr.findings import Findings
from localaws.ecr.scanning import ImageSource
from localaws.scanner import SHIPPED
from localaws.scanner.library import Library, read_library
from localaws.scanner.matching import findings_in
from localaws.scanner.packages import Package
from localaws.scanner.sbom import Cataloger


class LocalScanner:
    """Finds what the advisories know of an image's packages (`localaws.ecr.scanning.Scanner`).

    Args:
        cache: where SBOMs are kept by digest.
        advisories: directories, archives or files of OSV records.
        syft: the program that makes SBOMs; beside the running Python when not given.
    """

    def __init__(self, cache: Path, advisories: Iterable[Path] = (SHIPPED,), syft: Path | None = None) -> None:
        self._cataloger = Cataloger(cache, syft)
        self._advisories = tuple(advisories)

    def scan(self, repository: str, digest: str, fetch: ImageSource) -> Findings:
        """All findings in the image.

        Raises:
            ScanFailed: the packages or the advisories cannot be had whole, so nothing is known about the image.
        """
        packages = self._cataloger.packages(fetch, digest)
        library = read_library(self._advisories, packages)
        found = findings_in(packages, library)
        return Findings(found, library.newest.timestamp(), _said(packages, library))


def _said(packages: tuple[Package, ...], library: Library) -> str:
    homes = Counter(package.home for package in packages)
    counted = " and ".join(f"{many} packages of {home}" for home, many in sorted(homes.items()))
    return (
        f"Simulated scan, not Amazon ECR's: {counted} against {library.count} OSV advisories, "
        f"the newest of {library.newest:%Y-%m-%d}."
    )
