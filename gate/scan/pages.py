"""Reading every page of DescribeImageScanFindings into one consistent report."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from gate.aws.errors import readable
from gate.aws.retry import RetryingClient
from gate.errors import ScanUnavailable
from gate.scan.findings import Finding
from gate.scan.parse import answered_mode, findings_of
from gate.scan.report import ScanReport
from gate.scan.statuses import Mode
from gate.text import plain

# ECR model: maxResults is 1 to 1000. 200 pages are 200,000 findings; more is not a scan of one image.
_PAGE_SIZE = 1000
_PAGES = 200


@readable("DescribeImageScanFindings")
def read_pages(caller: RetryingClient, repository: str, digest: str, configured: Mode, now: datetime) -> ScanReport:
    """Read all pages of the digest's scan; a scan without a result yet is one page without findings.

    Raises:
        ClientError: ScanNotFoundException or ImageNotFoundException.
        ScanUnavailable: the pages repeat or do not end.
        AwsRefused: the call is refused.
    """
    request: dict[str, Any] = {
        "repositoryName": repository,
        "imageId": {"imageDigest": digest},
        "maxResults": _PAGE_SIZE,
    }
    first = page = _ask(caller, request)
    findings = findings_of(page)
    pages, tokens, steady = 1, set[str](), True
    # An empty page may carry a token as well: only its absence is the end.
    while steady and (token := page.get("nextToken")):
        if token in tokens or pages == _PAGES:
            raise ScanUnavailable(
                f"The pages of the scan's findings do not end: {pages} were read and the last names another one",
                where=digest,
                remedy="run again; if it stays so, ask AWS Support",
            )
        tokens.add(token)
        page = _ask(caller, {**request, "nextToken": token})
        steady = _is_same_scan(first, page)
        if steady:
            findings.extend(findings_of(page, findings[-1].entry + 1 if findings else 0))
            pages += 1
    return _report(first, configured, findings, pages, now, steady=steady)


def _ask(caller: RetryingClient, request: dict[str, Any]) -> dict[str, Any]:
    absent = ("ScanNotFoundException", "ImageNotFoundException")
    return caller.ask("describe_image_scan_findings", needs="imageScanStatus", expect=absent, **request)


def _is_same_scan(first: dict[str, Any], page: dict[str, Any]) -> bool:
    """Whether a later page has the first one's status, time of completion and, where it has any, counts."""
    status, completed, counts = _state(page)
    # Nothing documents that the counts stand on every page; where they stand they are those of the whole scan.
    return _state(first) == (status, completed, counts or _state(first)[2])


def _state(page: dict[str, Any]) -> tuple[Any, Any, Any]:
    held = page.get("imageScanFindings") or {}
    status = (page.get("imageScanStatus") or {}).get("status")
    return status, held.get("imageScanCompletedAt"), held.get("findingSeverityCounts")


def _report(
    page: dict[str, Any], configured: Mode, findings: list[Finding], pages: int, now: datetime, *, steady: bool
) -> ScanReport:
    """The first page's statements about the scan, with the findings of all pages."""
    status = page.get("imageScanStatus") or {}
    word = str(status.get("status") or "")
    held = page.get("imageScanFindings") or {}
    counts = held.get("findingSeverityCounts") or {}
    return ScanReport(
        digest=str((page.get("imageId") or {}).get("imageDigest") or ""),
        tag="",
        mode=answered_mode(findings, word, configured),
        status=plain(word),
        description=plain(str(status.get("description") or "")),
        completed_at=held.get("imageScanCompletedAt"),
        vulnerability_source_updated_at=held.get("vulnerabilitySourceUpdatedAt"),
        counts=tuple(sorted((plain(str(word)), int(n)) for word, n in counts.items())),
        findings=tuple(findings),
        pages=pages,
        read_at=now,
        provenance="",
        steady=steady,
    )
