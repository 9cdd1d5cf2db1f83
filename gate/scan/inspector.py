"""What Amazon Inspector says of an image: whether it covers it, and what it knows about exploits of its findings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from gate.aws.calls import readable
from gate.aws.retry import RetryingClient
from gate.errors import ScanUnavailable
from gate.missing_facts import MissingFact, fact_or_missing
from gate.scan.findings import UNKNOWN, ExploitData, exploit_data
from gate.scan.report import InspectorCoverage, ScanReport
from gate.text import plain

# A repository of 20,000 images (ECR's quota) is 100 pages of 200 resources, and an image of 20,000 findings 200 of 100.
_MAX_PAGES = 200


def read_coverage(caller: RetryingClient, repository: str, digest: str, account: str = "") -> InspectorCoverage:
    """What Inspector says about covering one digest of a repository (`listed` is False when it does not list it).

    With an account, only what it says of that account's registry counts.

    Where Inspector refuses the call, `listed` is a missing fact: the findings are ECR's, and can be checked without it.
    """
    found = fact_or_missing(lambda: _list_coverage(caller, repository, digest, account))
    return InspectorCoverage(listed=found) if isinstance(found, MissingFact) else found  # type: ignore[arg-type]


@readable("ListCoverage")
def _list_coverage(caller: RetryingClient, repository: str, digest: str, account: str) -> InspectorCoverage:
    about = {"resourceType": "AWS_ECR_CONTAINER_IMAGE", "ecrRepositoryName": repository}
    resources = _listed(caller, "list_coverage", "coveredResources", about, 200)
    for each in resources:
        named = str(each.get("resourceId", ""))  # arn:aws:ecr:region:account:repository/name/digest
        if named.endswith(digest) and (not account or f":{account}:" in named):
            return _coverage(each)
    return InspectorCoverage(listed=False)


def _coverage(resource: dict[str, Any]) -> InspectorCoverage:
    status = resource.get("scanStatus") or {}
    return InspectorCoverage(
        listed=True,
        status=plain(str(status.get("statusCode") or "")),
        reason=plain(str(status.get("reason") or "")),
        last_scanned_at=resource.get("lastScannedAt"),
    )


def with_exploits(caller: RetryingClient, repository: str, report: ScanReport) -> ScanReport:
    """The report with what Inspector knows about exploits of its findings, of which ECR's own list holds a part.

    Where Inspector refuses the call, each finding says so: what is not known then may matter to the policy.
    """
    if not report.findings:
        return report
    known: Mapping[str, ExploitData] | MissingFact = fact_or_missing(lambda: _by_id(caller, repository, report.digest))
    if isinstance(known, MissingFact):
        unread = f"Inspector could not be asked: {known.error.cause}"
        data = (replace(each.exploits, unread=unread) for each in report.findings)
    else:
        data = (each.exploits.joined(known.get(each.id, UNKNOWN)) for each in report.findings)
    found = zip(report.findings, data, strict=True)
    return replace(report, findings=tuple(replace(finding, exploits=exploits) for finding, exploits in found))


@readable("ListFindings")
def _by_id(caller: RetryingClient, repository: str, digest: str) -> Mapping[str, ExploitData]:
    found: dict[str, ExploitData] = {}
    about = {"ecrImageHash": digest, "ecrImageRepositoryName": repository}
    for entry in _listed(caller, "list_findings", "findings", about, 100):
        name = plain(str((entry.get("packageVulnerabilityDetails") or {}).get("vulnerabilityId") or ""))
        found[name] = found.get(name, UNKNOWN).joined(exploit_data(entry, "Inspector"))
    return found


def _listed(
    caller: RetryingClient, operation: str, key: str, about: Mapping[str, str], size: int
) -> Iterator[dict[str, Any]]:
    """What Inspector lists under a key, of which each field has its value, page by page."""
    criteria = {name: [{"comparison": "EQUALS", "value": value}] for name, value in about.items()}
    request: dict[str, Any] = {"filterCriteria": criteria, "maxResults": size}
    for _ in range(_MAX_PAGES):
        page = caller.ask(operation, needs=key, **request)
        yield from page.get(key) or []
        if not page.get("nextToken"):
            return
        request["nextToken"] = page["nextToken"]
    asked = operation.title().replace("_", "")
    raise ScanUnavailable(f"Inspector's {asked} did not end after {_MAX_PAGES} pages", where=", ".join(about.values()))
