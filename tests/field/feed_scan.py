"""Feeds the answers of ECR and Inspector, SBOMs and registers to the readers and checks of scans."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from gate.aws.retry import TimeSource
from gate.check import CheckResult
from gate.scan import result_checks as checks
from gate.scan.coverage import image_coverage, required_components, something_covered, uncovered_registered
from gate.scan.exceptions import exception_checks as rules
from gate.scan.exceptions.entries import Register
from gate.scan.exceptions.reading import parse
from gate.scan.reader import TIMEOUT, ScanReader
from gate.scan.report import ScanReport
from gate.scan.sbom import components_of
from gate.scan.statuses import Mode
from tests.field.wire import client

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
DIGEST = "sha256:" + "ab" * 32
REPOSITORY, ACCOUNT = "team/app", "654654307503"
POLICY = {"CRITICAL": "never", "UNRATED": "fixed or excepted", "HIGH": "fixed or excepted"}
_BY_ITSELF = {"__type": "ValidationException", "message": "This feature is disabled"}
_NO_SCAN = {"__type": "ScanNotFoundException", "message": "no scan"}


@dataclass
class Clock:
    """Noon, and a sleep that takes no time."""

    at: datetime = NOON

    def sleep(self, seconds: float) -> None:
        """Move on."""
        self.at += timedelta(seconds=seconds)

    def keeper(self) -> TimeSource:
        """For the reader."""
        return TimeSource(lambda: self.at, lambda: self.at.timestamp(), self.sleep)  # noqa: PLW0108  # `at` is replaced


class Waited(Exception):
    """The reader waited until its time limit; the text is what it said then."""


def scan(scenario: str, given: dict[str, Any], _folder: Path) -> CheckResult:
    """A scan, asked for and waited for.

    Of `given`: `type` (BASIC or ENHANCED), `frequency`, `filters`; `answers` of DescribeImageScanFindings after the
    scan was asked for, one after the other; `earlier`: what was there before; `coverage`: a covered resource of
    Inspector, `elsewhere`: those of another account with the same digest; `components`, `register` as in
    `sbom`; `nightly`.
    """
    clock = Clock()
    scanner = ScanReader(client("ecr", _ecr(given)), client("inspector2", _inspector(given)), REPOSITORY,
                      account=ACCOUNT, time=clock.keeper())  # fmt: skip
    try:
        report = scanner.scan_digest(DIGEST)
    except Exception as error:
        if clock.at - NOON >= timedelta(seconds=TIMEOUT):
            raise Waited(str(error)) from error
        raise
    return _checked(scenario, given, scanner, report, clock.at)


def _ecr(given: dict[str, Any]) -> dict[str, Any]:
    enhanced = given.get("type") == "ENHANCED"
    frequency = given.get("frequency", "CONTINUOUS_SCAN" if enhanced else "SCAN_ON_PUSH")
    applied = [{"filter": each, "filterType": "WILDCARD"} for each in given.get("filters", ["*"])]
    own = {"repositoryName": REPOSITORY, "scanFrequency": frequency, "appliedScanFilters": applied}
    named = {"registryId": "654654307503", "repositoryName": REPOSITORY, "imageId": {"imageDigest": DIGEST}}
    return {
        "GetRegistryScanningConfiguration": {"scanningConfiguration": {"scanType": given.get("type", "BASIC")}},
        "BatchGetRepositoryScanningConfiguration": {"scanningConfigurations": [own], "failures": []},
        "StartImageScan": _BY_ITSELF
        if enhanced
        else given.get("start", {"imageScanStatus": {"status": "IN_PROGRESS"}}),
        "DescribeImageScanFindings": [
            each if "__type" in each else {**named, **each}
            for each in (given.get("earlier", _NO_SCAN), *given["answers"])
        ],
    }


def _inspector(given: dict[str, Any]) -> dict[str, Any]:
    about = f"arn:aws:ecr:ap-northeast-2:{ACCOUNT}:repository/{REPOSITORY}/{DIGEST}"
    usual = {"scanStatus": {"statusCode": "ACTIVE", "reason": "SUCCESSFUL"}}
    covered = given.get("coverage", usual)
    # Who administers Inspector for an organization is told of the same digest in other accounts first.
    others = [{"resourceId": about.replace(ACCOUNT, "111122223333"), **each} for each in given.get("elsewhere", ())]
    return {"ListCoverage": {"coveredResources": [*others, *([{"resourceId": about, **covered}] if covered else [])]}}


def _checked(
    scenario: str, given: dict[str, Any], scanner: ScanReader, report: ScanReport, now: datetime
) -> CheckResult:
    register, nightly = _register(given).at("aws", now.date()), given.get("nightly", False)
    return {
        "The scan of the checked digest has ended": lambda: checks.complete(report, DIGEST, now),
        "The scan of the checked digest finds nothing critical": lambda: checks.free_of(report, "CRITICAL", 0),
        "The scan of the checked digest counts as many findings as it lists": lambda: checks.counts_match(report),
        "Scanning really applies to this repository": lambda: checks.applies(scanner.settings(), report, nightly),
        "The vulnerability data is current": lambda: checks.data_fresh(report, now, 24),
        "The scanner looked at packages of this image": lambda: something_covered(
            report, image_coverage(components_of(_document(given)), report.mode, ())
        ),
        "Every finding at HIGH or above is fixed or validly excepted": lambda: rules.fixed_or_excepted(
            report.open, register, "HIGH"
        ),
        "Every lower finding has its disposition": lambda: rules.disposed_below(report.open, register, "HIGH"),
        "Every exception is about a finding that is there": lambda: rules.exceptions_used(
            register, report.open, nightly
        ),
    }[scenario]()


def _register(given: dict[str, Any]) -> Register:
    made = {"version": "1", "policy": POLICY, "exceptions": [], "coverage": [], **given.get("register", {})}
    # Faults are told by their line.
    return parse(json.dumps(made, default=str, indent=1)).at("aws", NOON.date())


def _document(given: dict[str, Any]) -> dict[str, Any]:
    return {"bomFormat": "CycloneDX", "components": given["components"]}


def register(_scenario: str, given: dict[str, Any], _folder: Path) -> CheckResult:
    """A register of exceptions, by itself."""
    return rules.register_valid(_register({"register": given}))


def sbom(_scenario: str, given: dict[str, Any], _folder: Path) -> CheckResult:
    """What of an image's SBOM the scanner does not see.

    Of `given`: `components` of a CycloneDX document, `type` of scanning, `requirements` (pinned), `register`.
    """
    pinned, version = given.get("requirements", {}), "130.0.6723.58"
    required = required_components("3.11", pinned, chrome=version, chromedriver=version)
    mode = Mode[given.get("type", "BASIC")]
    seen = image_coverage(components_of(_document(given)), mode, required)
    found = _register(given)
    valid = rules.register_valid(found)
    registered = uncovered_registered(seen.to_register, found, mode)
    return valid + registered + rules.coverage_used(found, seen)
