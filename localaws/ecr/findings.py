"""The result of a scanner, and its two forms in ECR's API (API reference, ImageScanFindings)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class PackageVulnerability:
    """One vulnerability of one package.

    Attributes:
        id: for example `CVE-2023-4863`.
        severity: INFORMATIONAL, LOW, MEDIUM, HIGH, CRITICAL, UNDEFINED; UNTRIAGED in enhanced scanning.
        fixed_version: "" if no fix is known.
        manager: Inspector's name for the kind of package: OS, PYTHONPKG…
        path: the file in the image that shows the package ("" for the operating system's packages).
    """

    id: str
    severity: str
    package: str
    version: str
    fixed_version: str = ""
    uri: str = ""
    description: str = ""
    score: float | None = None
    vector: str = ""
    manager: str = "OS"
    path: str = ""


@dataclass(frozen=True)
class ScannerResult:
    """The result of a scan.

    Attributes:
        findings: all findings, the most severe first.
        advisories_at: how old the vulnerability data is: seconds since the epoch, UTC.
        description: text for the scan's status: which scanner, how many packages and advisories.
    """

    findings: tuple[PackageVulnerability, ...]
    advisories_at: float
    description: str = ""


def counts(findings: list[Json]) -> dict[str, int]:
    """`findingSeverityCounts`."""
    return dict(Counter(finding["severity"] for finding in findings))


def basic(finding: Json) -> Json:
    """A finding in basic scanning's list."""
    named = {"package_name": finding["package"], "package_version": finding["version"]}
    version = "4" if finding["vector"].startswith("CVSS:4") else "3"
    known = {
        f"CVSS{version}_VECTOR": finding["vector"],
        f"CVSS{version}_SCORE": _score(finding),
        "fixed_in": finding["fixed_version"],
    }
    attributes = named | {key: value for key, value in known.items() if value}
    return {
        "name": finding["id"],
        "description": finding["description"],
        "uri": finding["uri"],
        "severity": finding["severity"],
        "attributes": [{"key": key, "value": str(value)[:256]} for key, value in attributes.items()],
    }


def as_inspector(finding: Json) -> Json:
    """A finding with Inspector's severity: UNTRIAGED for basic scanning's UNDEFINED."""
    return {**finding, "severity": "UNTRIAGED"} if finding["severity"] == "UNDEFINED" else finding


def enhanced(finding: Json, account: str, arn: str, resource: Json, observed: float) -> Json:
    """A finding in enhanced scanning's list, as Amazon Inspector writes it."""
    score = finding["score"] or 0.0
    vector = {"baseScore": score, "scoringVector": finding["vector"], "version": "3.1", "source": "NVD"}
    package = {"name": finding["package"], "version": finding["version"], "packageManager": finding["manager"]}
    located = {"fixedInVersion": finding["fixed_version"], "filePath": finding["path"]}
    return {
        "awsAccountId": account,
        "findingArn": arn,
        "description": finding["description"],
        "firstObservedAt": observed,
        "lastObservedAt": observed,
        "updatedAt": observed,
        "severity": finding["severity"],
        "status": "ACTIVE",
        "title": f"{finding['id']} - {finding['package']}",
        "type": "PACKAGE_VULNERABILITY",
        "score": score,
        "fixAvailable": "YES" if finding["fixed_version"] else "NO",
        "packageVulnerabilityDetails": {
            "vulnerabilityId": finding["id"],
            "source": "OSV",
            "sourceUrl": finding["uri"],
            "referenceUrls": [finding["uri"]] if finding["uri"] else [],
            "cvss": [vector] if finding["vector"] else [],
            "vulnerablePackages": [package | {key: value for key, value in located.items() if value}],
        },
        "remediation": {"recommendation": {"text": "None Provided"}},
        "resources": [resource],
    }


def _score(finding: Json) -> str:
    return "" if finding["score"] is None else str(finding["score"])
