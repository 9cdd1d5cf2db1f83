"""One page of DescribeImageScanFindings, as botocore hands it over, read into findings. Pure.

Shapes: ECR service model, `ImageScanFinding` (basic: `findings`) and `EnhancedImageScanFinding` (enhanced:
`enhancedFindings`). Both lists of a page are read, whichever kind of scanning is configured.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gate.scan.exploits import exploit_data
from gate.scan.findings import Finding
from gate.scan.statuses import Mode
from gate.text import plain

Wire = Mapping[str, Any]

_NAME, _VERSION, _TITLE, _URI, _PATH = 200, 120, 400, 500, 300
# The attributes of a basic finding are free key/value pairs; these keys carry what the gate reads.
_PACKAGE = ("package_name",)
_INSTALLED = ("package_version",)
_FIXED = ("fixed_in", "fixed_version", "fixed_in_version", "fixedinversion", "patched_version")
_SCORE = ("cvss4_score", "cvss3_score", "cvss_score", "score", "cvss2_score")


def findings_of(page: Wire, first_entry: int = 0) -> list[Finding]:
    """The findings of one page, from both lists.

    Args:
        page: the parsed answer.
        first_entry: the number of the page's first entry, counted over all pages.
    """
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
