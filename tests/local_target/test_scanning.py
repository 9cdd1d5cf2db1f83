"""Scans: statuses, the limit of one a day, basic and enhanced."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from localaws.ecr.errors import EcrError
from localaws.ecr.findings import PackageVulnerability, ScannerResult
from localaws.ecr.manifest import OCI_INDEX
from localaws.ecr.scanning import ImageSource, Scans, frequency
from localaws.ecr.state import ImageState, RegistryState, RepositoryState, ScanState
from localaws.ecr.store import Store

DIGEST = "sha256:" + "1" * 64


class Laboratory:
    """One image in one repository, a clock that the test sets, and a scanner that waits for the test."""

    def __init__(self, folder: Path) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.folder = folder
        self.go = threading.Event()
        self.fault: Exception | None = None
        self.store = Store(folder / "ecr.json", "1")
        with self.store.changing() as account:
            image = ImageState(DIGEST, "m", "c", 1, 0.0)
            account.repositories["r"] = RepositoryState("r", 0.0, images={DIGEST: image})
        self.image = image
        self.scans = Scans(self.store, "registry:1", self, lambda: self.now)

    def scan(self, repository: str, digest: str, fetch: ImageSource) -> ScannerResult:
        """Be the scanner."""
        assert (repository, digest, fetch.reference) == ("r", DIGEST, f"registry:1/r@{DIGEST}")
        assert self.go.wait(5)
        if self.fault:
            raise self.fault
        return ScannerResult((PackageVulnerability("CVE-1", "HIGH", "p", "1"),), 7.0, "found")

    def change(self, change: Callable[[RegistryState], None]) -> None:
        """Change the registry's settings."""
        with self.store.changing() as account:
            change(account)

    def newest(self) -> ScanState | None:
        """The newest scan of the image."""
        with self.store.reading() as account:
            return account.repositories["r"].scans.get(DIGEST)

    def ended(self) -> ScanState:
        """The newest scan, once it has ended."""
        self.go.set()
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            scan = self.newest()
            if scan is not None and scan.status not in ("IN_PROGRESS", "PENDING"):
                return scan
            time.sleep(0.005)
        raise AssertionError("the scan did not end")


@pytest.fixture
def laboratory(tmp_path: Path) -> Laboratory:
    """A fresh laboratory."""
    return Laboratory(tmp_path)


def enhance(rules: list[dict[str, object]]) -> Callable[[RegistryState], None]:
    """The change to enhanced scanning with these rules."""

    def change(account: RegistryState) -> None:
        account.scan_type, account.scan_rules = "ENHANCED", rules

    return change


CONTINUOUS = [{"scanFrequency": "CONTINUOUS_SCAN", "repositoryFilters": [{"filter": "r*", "filterType": "WILDCARD"}]}]


def test_a_scan_is_in_progress_and_then_complete(laboratory: Laboratory) -> None:
    """The answer to StartImageScan is IN_PROGRESS; the findings come with COMPLETE and the data's age."""
    assert laboratory.scans.start("r", laboratory.image).status == "IN_PROGRESS"
    before = laboratory.newest()
    assert before is not None
    assert (before.status, before.completed_at) == ("IN_PROGRESS", None)
    scan = laboratory.ended()
    assert (scan.status, scan.advisories_at, scan.completed_at) == ("COMPLETE", 7.0, laboratory.now.timestamp())
    assert [finding["id"] for finding in laboratory.store.read_findings("r", DIGEST)] == ["CVE-1"]


def test_a_scanner_that_fails_makes_a_failed_scan(laboratory: Laboratory) -> None:
    """The status has the reason, there are no findings, and the scan may be started again."""
    laboratory.fault = RuntimeError("no advisories at all")
    laboratory.scans.start("r", laboratory.image)
    scan = laboratory.ended()
    assert (scan.status, scan.completed_at) == ("FAILED", None)
    assert "no advisories at all" in scan.description
    laboratory.fault = None
    laboratory.scans.start("r", laboratory.image)
    assert laboratory.ended().status == "COMPLETE"


def test_an_image_is_scanned_once_in_24_hours(laboratory: Laboratory) -> None:
    """Within 24 hours: LimitExceededException; then a new scan begins."""
    laboratory.scans.start("r", laboratory.image)
    laboratory.ended()
    laboratory.now += timedelta(hours=23, minutes=59)
    with pytest.raises(EcrError) as refusal:
        laboratory.scans.start("r", laboratory.image)
    assert refusal.value.code == "LimitExceededException"
    laboratory.now += timedelta(minutes=1)
    assert laboratory.scans.start("r", laboratory.image).status == "IN_PROGRESS"


def test_the_scan_of_a_push_counts_for_the_limit(laboratory: Laboratory) -> None:
    """A scan on push is the one scan of the day."""
    laboratory.change(lambda account: setattr(account.repositories["r"], "scan_on_push", True))
    laboratory.scans.on_push("r", laboratory.image)
    assert laboratory.ended().status == "COMPLETE"
    with pytest.raises(EcrError, match="quota"):
        laboratory.scans.start("r", laboratory.image)


def test_without_scan_on_push_a_push_scans_nothing(laboratory: Laboratory) -> None:
    """The setting is off by default."""
    laboratory.scans.on_push("r", laboratory.image)
    assert laboratory.newest() is None


def test_an_index_cannot_be_scanned(laboratory: Laboratory) -> None:
    """Neither on demand nor on push."""
    index = ImageState(DIGEST, OCI_INDEX, "", 1, 0.0)
    with pytest.raises(EcrError) as refusal:
        laboratory.scans.start("r", index)
    assert refusal.value.code == "UnsupportedImageTypeException"
    laboratory.change(lambda account: setattr(account.repositories["r"], "scan_on_push", True))
    laboratory.scans.on_push("r", index)
    assert laboratory.newest() is None


def test_enhanced_scanning_refuses_manual_scans_and_scans_on_push(laboratory: Laboratory) -> None:
    """A manual scan is a ValidationException; a covered push goes from PENDING to ACTIVE."""
    laboratory.change(enhance(CONTINUOUS))
    with pytest.raises(EcrError, match="This feature is disabled") as refusal:
        laboratory.scans.start("r", laboratory.image)
    assert refusal.value.code == "ValidationException"
    laboratory.scans.on_push("r", laboratory.image)
    scan = laboratory.newest()
    assert scan is not None
    assert scan.status == "PENDING"
    assert laboratory.ended().status == "ACTIVE"


def test_a_repository_without_a_rule_is_not_scanned(laboratory: Laboratory) -> None:
    """Enhanced scanning with filters for other repositories leaves this one unscanned."""
    others = [{**CONTINUOUS[0], "repositoryFilters": [{"filter": "other", "filterType": "WILDCARD"}]}]
    laboratory.change(enhance(others))
    laboratory.scans.on_push("r", laboratory.image)
    assert laboratory.newest() is None


def test_frequency_names_the_filters_that_apply() -> None:
    """The first rule with a matching filter decides."""
    account = RegistryState(scan_type="ENHANCED", scan_rules=CONTINUOUS)
    assert frequency(account, RepositoryState("r", 0.0)) == ("CONTINUOUS_SCAN", CONTINUOUS[0]["repositoryFilters"])
    assert frequency(account, RepositoryState("x", 0.0, scan_on_push=True)) == ("MANUAL", [])


@pytest.mark.parametrize(
    ("pattern", "name", "selected"),
    [("naver", "team/naver-sms", True), ("naver*", "team/naver-sms", False), ("*naver*", "team/naver-sms", True),
     ("team/*", "team/naver-sms", True), ("other", "team/naver-sms", False)],
)  # fmt: skip
def test_a_scanning_filter_without_a_wildcard_selects_the_names_that_contain_it(
    pattern: str, name: str, selected: bool
) -> None:
    """With a wildcard it must match the whole name."""
    rules = [{"scanFrequency": "SCAN_ON_PUSH", "repositoryFilters": [{"filter": pattern, "filterType": "WILDCARD"}]}]
    account = RegistryState(scan_type="ENHANCED", scan_rules=rules)
    assert (frequency(account, RepositoryState(name, 0.0))[0] == "SCAN_ON_PUSH") is selected


def test_an_interrupted_scan_has_failed(laboratory: Laboratory) -> None:
    """After a restart no scan is IN_PROGRESS."""
    laboratory.scans.start("r", laboratory.image)
    again = Store(laboratory.folder / "ecr.json", "1")
    Scans(again, "registry:1", laboratory, lambda: laboratory.now)
    with again.reading() as account:
        scan = account.repositories["r"].scans[DIGEST]
    assert scan.status == "FAILED"
    assert "during the scan" in scan.description
    laboratory.ended()


def test_an_image_deleted_during_its_scan_leaves_nothing(laboratory: Laboratory) -> None:
    """The result of its scan is dropped."""
    laboratory.scans.start("r", laboratory.image)
    laboratory.change(lambda account: account.repositories.pop("r") and None)
    laboratory.go.set()
    for thread in threading.enumerate():
        if thread.name.startswith("scan "):
            thread.join(5)
    with laboratory.store.reading() as account:
        assert account.repositories == {}
