"""Scans: when they start, and their statuses (ECR's user guide, "Scan images").

An `ImageScanner` finds the vulnerabilities; this module has ECR's rules: the statuses, one scan a day, basic and
enhanced scanning. If the scanner fails, the scan is FAILED and has no findings.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from http.client import HTTPResponse
from typing import Any, Protocol

from localaws.ecr.blobs import Blobs
from localaws.ecr.errors import EcrError
from localaws.ecr.findings import ScannerResult
from localaws.ecr.manifest import INDEXES
from localaws.ecr.mutability import matches
from localaws.ecr.state import ImageState, RegistryState, RepositoryState, ScanState
from localaws.ecr.store import Store

ONE_SCAN_IN = timedelta(hours=24)
_IN_PROGRESS = ("IN_PROGRESS", "PENDING")


@dataclass(frozen=True)
class ImageSource:
    """Where a scanner reads an image: the registry behind the gateway, without authentication.

    Attributes:
        registry: `host:port`, plain HTTP.
    """

    registry: str
    repository: str
    digest: str

    @property
    def reference(self) -> str:
        """The image as `registry:` tools name it, e.g. syft with SYFT_REGISTRY_INSECURE_USE_HTTP=true."""
        return f"{self.registry}/{self.repository}@{self.digest}"

    def manifest(self) -> bytes:
        """The image's manifest."""
        return Blobs(self.registry).manifest(self.repository, self.digest)

    @contextmanager
    def blob(self, digest: str) -> Iterator[HTTPResponse]:
        """A layer or the configuration, as a stream; its `status` is 200 when it is there."""
        with Blobs(self.registry).request("GET", f"/v2/{self.repository}/blobs/{digest}") as response:
            yield response


class ImageScanner(Protocol):
    """Finds the vulnerabilities in an image."""

    def scan(self, repository: str, digest: str, fetch: ImageSource) -> ScannerResult:
        """All findings in the image.

        Raises:
            Exception: the scan is FAILED, with the exception's text as the status's description.
        """


class Scans:
    """The scans of one registry."""

    def __init__(self, store: Store, registry: str, scanner: ImageScanner, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._registry = registry
        self._scanner = scanner
        self._clock = clock
        self._fail_interrupted()

    def start(self, name: str, image: ImageState) -> ScanState:
        """Start a scan on request.

        Raises:
            EcrError: UnsupportedImageTypeException for an index, ValidationException under enhanced scanning,
                LimitExceededException within 24 hours of the last scan.
        """
        with self._store.changing() as account:
            repository = account.repositories[name]
            self._refuse(account, repository, image)
            # A copy: the scan may end before the caller gets the answer.
            begun = replace(self._enter(repository, image, enhanced=False))
        self._run(name, image.digest, "COMPLETE")
        return begun

    def on_push(self, name: str, image: ImageState) -> None:
        """Start the scan that the registry's settings demand for a pushed image."""
        with self._store.changing() as account:
            repository = account.repositories[name]
            enhanced = account.scan_type == "ENHANCED"
            often, _ = frequency(account, repository)
            if often == "MANUAL" or image.media_type in INDEXES or self._is_fresh(repository, image, enhanced=enhanced):
                return
            self._enter(repository, image, enhanced=enhanced)
        self._run(name, image.digest, "ACTIVE" if often == "CONTINUOUS_SCAN" else "COMPLETE")

    def _refuse(self, account: RegistryState, repository: RepositoryState, image: ImageState) -> None:
        if account.scan_type == "ENHANCED":
            raise EcrError("ValidationException", "This feature is disabled")
        if image.media_type in INDEXES:
            raise EcrError(
                "UnsupportedImageTypeException", f"The image {image.digest} is an index; scan the images it names"
            )
        if self._is_fresh(repository, image, enhanced=False):
            raise EcrError(
                "LimitExceededException",
                "The scan quota per image has been exceeded. Wait and try again: one scan of an image in 24 hours",
            )

    def _is_fresh(self, repository: RepositoryState, image: ImageState, *, enhanced: bool) -> bool:
        scan = repository.scans.get(image.digest)
        if scan is None or scan.status == "FAILED" or scan.enhanced != enhanced:
            return False
        return self._clock().timestamp() - scan.requested_at < ONE_SCAN_IN.total_seconds()

    def _enter(self, repository: RepositoryState, image: ImageState, *, enhanced: bool) -> ScanState:
        status = "PENDING" if enhanced else "IN_PROGRESS"
        scan = ScanState(status, "The scan has started.", self._clock().timestamp(), enhanced)
        repository.scans[image.digest] = scan
        return scan

    def _run(self, name: str, digest: str, good_end: str) -> None:
        worker = threading.Thread(target=self._scan, args=(name, digest, good_end), name=f"scan {digest}", daemon=True)
        worker.start()

    def _scan(self, name: str, digest: str, good_end: str) -> None:
        try:
            found = self._scanner.scan(name, digest, ImageSource(self._registry, name, digest))
        except Exception as failure:  # noqa: BLE001, RUF100  any failure of a scanner is a failed scan
            self._end(name, digest, "FAILED", f"The scan failed: {failure}", None)
            return
        self._end(name, digest, good_end, found.description or "The scan was completed successfully.", found)

    def _end(self, name: str, digest: str, status: str, description: str, found: ScannerResult | None) -> None:
        with self._store.changing() as account:
            repository = account.repositories.get(name)
            scan = repository.scans.get(digest) if repository else None
            if scan is None:  # the image has been deleted
                return
            scan.status, scan.description = status, description
            if found is not None:
                scan.completed_at, scan.advisories_at = self._clock().timestamp(), found.advisories_at
                self._store.write_findings(name, digest, [asdict(finding) for finding in found.findings])

    def _fail_interrupted(self) -> None:
        with self._store.changing() as account:
            for repository in account.repositories.values():
                for scan in repository.scans.values():
                    if scan.status in _IN_PROGRESS:
                        scan.status, scan.description = "FAILED", "The local target ended during the scan."


def frequency(account: RegistryState, repository: RepositoryState) -> tuple[str, list[dict[str, Any]]]:
    """How often a repository is scanned, and the registry's filters that select it."""
    for rule in account.scan_rules:
        filters = [each for each in rule["repositoryFilters"] if _selects(each["filter"], repository.name)]
        if filters:
            return rule["scanFrequency"], filters
    if account.scan_type == "BASIC" and repository.scan_on_push:
        return "SCAN_ON_PUSH", []
    return "MANUAL", []


def _selects(pattern: str, name: str) -> bool:
    """Whether a filter selects a repository; without a wildcard, it does if the name contains it (user guide)."""
    return matches(pattern, name) if "*" in pattern else pattern in name
