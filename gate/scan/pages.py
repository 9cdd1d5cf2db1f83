"""Every page of DescribeImageScanFindings, read into one consistent report.

Shapes: ECR service model, `ImageScanFinding` (basic: `findings`) and `EnhancedImageScanFinding` (enhanced:
`enhancedFindings`). Both lists of a page are read, whichever kind of scanning is configured.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gate.aws.calls import readable
from gate.aws.retry import RetryingClient
from gate.errors import ScanUnavailable
from gate.scan.findings import Finding, exploit_data
from gate.scan.report import ScanReport
from gate.scan.statuses import Mode
from gate.text import plain

# ECR model: maxResults is 1 to 1000. 200 pages are 200,000 findings; more is not a scan of one image.
_PAGE_SIZE = 1000
_PAGES = 200
Wire = Mapping[str, Any]

_NAME, _VERSION, _TITLE, _URI, _PATH = 200, 120, 400, 500, 300
# The attributes of a basic finding are free key/value pairs; these keys carry what the gate reads.
_PACKAGE = ("package_name",)
_INSTALLED = ("package_version",)
_FIXED = ("fixed_in", "fixed_version", "fixed_in_version", "fixedinversion", "patched_version")
_SCORE = ("cvss4_score", "cvss3_score", "cvss_score", "score", "cvss2_score")


@readable("DescribeImageScanFindings")
def read_pages(caller: RetryingClient, repository: str, digest: str, configured: Mode, now: datetime) -> ScanReport:
    """Read all pages of the digest's scan; a scan without a result yet is one page without findings.

    Raises:
        ClientError: ScanNotFoundException or ImageNotFoundException.
        ScanUnavailable: the pages repeat or do not end.
        AwsRefused: the call is refused.
    """
    first = page = scan_page(caller, repository, digest, maxResults=_PAGE_SIZE)
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
        page = scan_page(caller, repository, digest, maxResults=_PAGE_SIZE, nextToken=token)
        steady = _is_same_scan(first, page)
        if steady:
            findings.extend(findings_of(page, findings[-1].entry + 1 if findings else 0))
            pages += 1
    return _report(first, configured, findings, pages, now, steady=steady)


def scan_page(caller: RetryingClient, repository: str, digest: str, **more: Any) -> dict[str, Any]:
    """One page of the digest's scan.

    Raises:
        ClientError: ScanNotFoundException or ImageNotFoundException.
    """
    absent = ("ScanNotFoundException", "ImageNotFoundException")
    about = {"repositoryName": repository, "imageId": {"imageDigest": digest}}
    return caller.ask("describe_image_scan_findings", needs="imageScanStatus", expect=absent, **about, **more)


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


def findings_of(page: Wire, first_entry: int = 0) -> list[Finding]:
    """The findings of one page, from both lists; its entries are numbered from `first_entry` on."""
    lists = page.get("imageScanFindings") or {}
    basic = lists.get("findings") or []
    enhanced = lists.get("enhancedFindings") or []
    read = [_basic(entry, first_entry + at) for at, entry in enumerate(basic)]
    for at, entry in enumerate(enhanced):
        read.extend(_enhanced(entry, first_entry + len(basic) + at))
    return read


def _basic(entry: Wire, number: int) -> Finding:
    attributes = {str(a.get("key", "")).lower(): str(a.get("value") or "") for a in entry.get("attributes") or []}
    return Finding(
        id=plain(entry.get("name") or "", _NAME),
        package=plain(_first(attributes, _PACKAGE), _NAME),
        installed=plain(_first(attributes, _INSTALLED), _VERSION),
        fixed=plain(_first(attributes, _FIXED), _VERSION),
        severity=plain(entry.get("severity") or "", _NAME),
        score=_score(_first(attributes, _SCORE)),
        title=plain(entry.get("description") or "", _TITLE),
        uri=_link(entry.get("uri")),
        source=Mode.BASIC,
        entry=number,
    )


def _first(attributes: Mapping[str, str], keys: tuple[str, ...]) -> str:
    return next((attributes[key] for key in keys if attributes.get(key)), "")


def _enhanced(entry: Wire, number: int) -> list[Finding]:
    details: Wire = entry.get("packageVulnerabilityDetails") or {}
    # An entry that names no package is still a finding: one, of an unnamed package.
    return [_affected(entry, details, package, number) for package in details.get("vulnerablePackages") or [{}]]


def _affected(entry: Wire, details: Wire, package: Wire, number: int) -> Finding:
    state = str(entry.get("status") or "").upper()
    return Finding(
        id=plain(details.get("vulnerabilityId") or "", _NAME),
        package=plain(package.get("name") or "", _NAME),
        installed=plain(_full_version(package), _VERSION),
        fixed=_fixed(package),
        severity=plain(entry.get("severity") or "", _NAME),
        score=_score(entry.get("score")),
        title=plain(entry.get("title") or entry.get("description") or "", _TITLE),
        uri=_link(details.get("sourceUrl")),
        source=Mode.ENHANCED,
        manager=plain(package.get("packageManager") or "", _NAME),
        suppressed=state == "SUPPRESSED",
        closed=state == "CLOSED",
        entry=number,
        path=plain(package.get("filePath") or "", _PATH),
        exploits=exploit_data(entry, "ECR"),
    )


def _full_version(package: Wire) -> str:
    # dpkg and rpm write [epoch:]version[-release]; an epoch of 0 is left out.
    epoch, release = package.get("epoch"), package.get("release")
    version = str(package.get("version") or "")
    return (f"{epoch}:" if epoch else "") + version + (f"-{release}" if release else "")


def _fixed(package: Wire) -> str:
    # Inspector writes "NotAvailable" where no fixed version is known.
    fixed = plain(package.get("fixedInVersion") or "", _VERSION)
    return "" if fixed.lower().replace(" ", "") == "notavailable" else fixed.removeprefix("0:")


def _score(raw: object) -> float | None:
    try:
        score = float(str(raw))
    except ValueError:
        return None
    # CVSS scores run from 0 to 10; anything else (NaN too) is not taken for one.
    return score if 0 <= score <= 10 else None  # noqa: PLR2004


def _link(raw: object) -> str:
    # Only a web address may become a link in the report; a "javascript:" one never does.
    link = plain(str(raw or ""), _URI)
    return link if link.startswith(("https://", "http://")) else ""


def answered_mode(findings: list[Finding], status: str, configured: Mode) -> Mode:
    """Which kind of scanning made this answer.

    What the answer holds decides before the configuration: enhanced findings, or the status ACTIVE together with
    them, only come from Inspector; an answer of basic findings alone is a basic scan. An empty one says nothing.
    """
    sources = {finding.source for finding in findings}
    if Mode.ENHANCED in sources:
        return Mode.ENHANCED
    if Mode.BASIC in sources and status != "ACTIVE":
        return Mode.BASIC
    return configured
