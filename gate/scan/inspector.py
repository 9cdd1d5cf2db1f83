"""Whether Amazon Inspector covers an image: a thin reader of ListCoverage."""

from __future__ import annotations

from typing import Any

from gate.aws.patience import Caller
from gate.aws.refusals import readable
from gate.errors import ScanUnavailable
from gate.gaps import Gap, had
from gate.scan.findings import Coverage
from gate.text import plain

# A repository of 20,000 images (ECR's quota) is 100 pages of 200 resources.
_PAGES = 200


def read_coverage(caller: Caller, repository: str, digest: str) -> Coverage:
    """Inspector's word on one digest of a repository (`Coverage.listed` is False when it is not among the covered).

    Where Inspector cannot be asked, its word is a gap: the findings are ECR's, and can be checked without it.
    """
    found = had(lambda: _read(caller, repository, digest))
    return Coverage(listed=found) if isinstance(found, Gap) else found  # type: ignore[arg-type]


@readable("ListCoverage")
def _read(caller: Caller, repository: str, digest: str) -> Coverage:
    criteria = {
        "resourceType": [{"comparison": "EQUALS", "value": "AWS_ECR_CONTAINER_IMAGE"}],
        "ecrRepositoryName": [{"comparison": "EQUALS", "value": repository}],
    }
    request: dict[str, Any] = {"filterCriteria": criteria, "maxResults": 200}
    for _ in range(_PAGES):
        page = caller.ask("list_coverage", needs="coveredResources", **request)
        for resource in page.get("coveredResources") or []:
            if str(resource.get("resourceId", "")).endswith(digest):
                return _coverage(resource)
        if not page.get("nextToken"):
            return Coverage(listed=False)
        request["nextToken"] = page["nextToken"]
    raise ScanUnavailable(f"Inspector's ListCoverage did not end after {_PAGES} pages", where=repository)


def _coverage(resource: dict[str, Any]) -> Coverage:
    status = resource.get("scanStatus") or {}
    return Coverage(
        listed=True,
        status=plain(str(status.get("statusCode") or "")),
        reason=plain(str(status.get("reason") or "")),
        last_scanned_at=resource.get("lastScannedAt"),
    )
