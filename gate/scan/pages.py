"""ScanReading every page of DescribeImageScanFindings into one consistent reading."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gate.aws.patience import Caller
from gate.aws.refusals import readable
from gate.errors import ScanUnavailable
from gate.scan.findings import Finding, miscounted
from gate.scan.parse import answered_mode, findings_of
from gate.scan.statuses import Mode, Outcome, meaning_of
from gate.text import format_time, plain

# ECR model: maxResults is 1 to 1000. 200 pages are 200,000 findings; more is not a scan of one image.
_PAGE_SIZE = 1000
_PAGES = 200


@dataclass(frozen=True)
class ScanReading:
    """One reading of a scan, all pages.

    Attributes:
        digest: the digest that the answer names.
        mode: see `answered_mode`.
        status: ECR's scan status.
        description: ECR's words on the status.
        completed_at: when the scan ended.
        source_updated_at: the age of the vulnerability data.
        counts: the first page's `findingSeverityCounts`; they are of the whole scan.
        findings: of all pages.
        pages: how many there were.
        steady: False when status, completion or counts changed from one page to the next: the pages are of two scans.
    """

    digest: str
    mode: Mode
    status: str
    description: str
    completed_at: datetime | None
    source_updated_at: datetime | None
    counts: tuple[tuple[str, int], ...]
    findings: tuple[Finding, ...]
    pages: int
    steady: bool = True

    @property
    def outcome(self) -> Outcome:
        """What the table says about its status; pages of two scans are waited out."""
        return meaning_of(self.status).outcome(self.mode) if self.steady else Outcome.WAIT

    @property
    def whole(self) -> bool:
        """Whether it lists as many findings as it counts: each of the two may come before the other."""
        return not miscounted(self.findings, self.counts)

    @property
    def seen(self) -> str:
        """What it holds, in a few words."""
        ended = (
            f"completed at {format_time(self.completed_at)}" if self.completed_at else "without a time of completion"
        )
        told = ", ".join(f"{number} {word}" for word, number in self.counts) or "none"
        return f"status {self.status or '(none)'}, {ended}; findings listed: {len(self.findings)}, counted: {told}"

    def equals(self, other: ScanReading | None) -> bool:
        """Whether another reading holds the same result."""
        return other is not None and (self.status, self.completed_at, self.counts, self.findings) == (
            other.status,
            other.completed_at,
            other.counts,
            other.findings,
        )


@readable("DescribeImageScanFindings")
def read_pages(caller: Caller, repository: str, digest: str, configured: Mode) -> ScanReading:
    """Read all pages of the digest's scan; a scan without a result yet is one page without findings.

    Raises:
        ClientError: ScanNotFoundException or ImageNotFoundException.
        ScanUnavailable: the pages repeat or do not end.
        AwsRefused: the call is refused.
    """
    first = page = _ask(caller, repository, digest, None)
    findings = findings_of(page)
    pages, tokens = 1, set[str]()
    while token := page.get("nextToken"):
        # An empty page may carry a token as well: only its absence is the end.
        if token in tokens or pages == _PAGES:
            raise ScanUnavailable(
                f"The pages of the scan's findings do not end: {pages} were read and the last names another one",
                where=digest,
                remedy="run again; if it stays so, ask AWS Support",
            )
        tokens.add(token)
        page = _ask(caller, repository, digest, token)
        if _moved_on(first, page):
            return _reading(first, configured, findings, pages, steady=False)
        findings.extend(findings_of(page, findings[-1].entry + 1 if findings else 0))
        pages += 1
    return _reading(first, configured, findings, pages, steady=True)


def _ask(caller: Caller, repository: str, digest: str, token: str | None) -> dict[str, Any]:
    request: dict[str, Any] = {"repositoryName": repository, "imageId": {"imageDigest": digest}}
    request["maxResults"] = _PAGE_SIZE
    if token:
        request["nextToken"] = token
    absent = ("ScanNotFoundException", "ImageNotFoundException")
    return caller.ask("describe_image_scan_findings", needs="imageScanStatus", expect=absent, **request)


def _moved_on(first: dict[str, Any], page: dict[str, Any]) -> bool:
    """Whether a later page is of another scan, or of the same one with more findings, than the first."""
    status, completed, counts = (list(each) for each in zip(_moment(first), _moment(page), strict=True))
    # That the counts stand on every page is nowhere said; where they stand they are those of the whole scan.
    return status[0] != status[1] or completed[0] != completed[1] or (bool(counts[1]) and counts[0] != counts[1])


def _moment(page: dict[str, Any]) -> tuple[Any, Any, Any]:
    held = page.get("imageScanFindings") or {}
    status = (page.get("imageScanStatus") or {}).get("status")
    return status, held.get("imageScanCompletedAt"), held.get("findingSeverityCounts")


def _reading(
    page: dict[str, Any], configured: Mode, findings: list[Finding], pages: int, *, steady: bool
) -> ScanReading:
    status = page.get("imageScanStatus") or {}
    word = str(status.get("status") or "")
    held = page.get("imageScanFindings") or {}
    counts = held.get("findingSeverityCounts") or {}
    return ScanReading(
        digest=str((page.get("imageId") or {}).get("imageDigest") or ""),
        mode=answered_mode(findings, word, configured),
        status=plain(word),
        description=plain(str(status.get("description") or "")),
        completed_at=held.get("imageScanCompletedAt"),
        source_updated_at=held.get("vulnerabilitySourceUpdatedAt"),
        counts=tuple(sorted((plain(str(word)), int(n)) for word, n in counts.items())),
        findings=tuple(findings),
        pages=pages,
        steady=steady,
    )
