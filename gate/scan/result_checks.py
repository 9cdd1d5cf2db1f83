"""Criterion 7: a finished, recent and consistent scan of the checked digest, without a critical finding. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from gate.check import ACCEPTED, CheckResult, Rejection, check, reject
from gate.scan.findings import Finding, Severity, miscounted, worst_first
from gate.scan.report import FRESH, SKEW, InspectorCoverage, ScanReport
from gate.scan.settings import BY_ITSELF, ScanSettings
from gate.scan.statuses import Mode, Outcome, meaning_of, reason_of
from gate.text import format_time

_LISTED = 20
_ACTIVATE = "activate ECR scanning in Inspector for this account and wait for its first scan of the image"
ALL_LISTED = "the scan's record among the evidence lists them all"

_NIGHT = datetime(2026, 1, 2, 3, 12, tzinfo=UTC)
_BAD_FINDING = Finding(
    "CVE-2023-4863", "libwebp7", "1.2.4-0.2", "1.2.4-0.2+deb12u1", "critical", 9.6, "", "", Mode.BASIC, suppressed=True
)


def _bad_report() -> ScanReport:
    """A scan of another digest, long ago, with a suppressed critical in lower case and counts that do not match."""
    return ScanReport(
        "sha256:other", "v0", Mode.BASIC, "COMPLETE", _NIGHT, _NIGHT, (_BAD_FINDING,), (), 1, _NIGHT, "rescanned"
    )


@check(7, known_bad=lambda: (_bad_report(), "sha256:checked", _NIGHT + timedelta(days=2)))
def complete(report: ScanReport, digest: str, now: datetime) -> CheckResult:
    """The scan has ended, is of the checked digest, and is under 24 hours old or kept current (`current_by`)."""
    return _of_digest(report, digest) + _finished(report) + _recent(report, now)


def _of_digest(report: ScanReport, digest: str) -> CheckResult:
    if digest and report.digest == digest:
        return ACCEPTED
    named = f"The tag {report.tag}" if report.tag else "The scan"
    return reject(
        f"{named} is of {report.digest or 'an unknown digest'}, and the checked image is {digest or 'not known'}",
        where="DescribeImageScanFindings, imageId",
        remedy="publish the checked image under its tags, then scan it",
    )


def _finished(report: ScanReport) -> CheckResult:
    meaning = meaning_of(report.status)
    if meaning.outcome(report.mode) is Outcome.RESULT:
        return ACCEPTED
    return reject(
        f"There is no scan result: the status {report.status or '(none)'} says that {meaning.sentence}",
        where=report.digest,
        remedy=meaning.remedy or "wait until the scan has ended",
    )


_RENEW = {
    Mode.BASIC: "scan the image again: aws ecr start-image-scan",
    Mode.ENHANCED: "set the frequency CONTINUOUS_SCAN, see in Inspector's coverage why it does not watch the image, "
    "and run again",
}


def _recent(report: ScanReport, now: datetime) -> CheckResult:
    current = report.current_at
    if current is None:
        return reject(
            "The scan does not say when it was completed", report.digest, remedy="run again when the scan has ended"
        )
    if current - now > SKEW:
        return reject(
            f"The scan says it was completed at {format_time(current)}, in the future (now is {format_time(now)})",
            report.digest,
            remedy="set this machine's clock",
        )
    if now - current >= FRESH:
        return reject(
            f"The scan is not under 24 hours old: it is of {format_time(current)} ({report.current_by})",
            report.digest,
            remedy=_RENEW[report.mode],
        )
    return ACCEPTED


@check(7, known_bad=lambda: (_bad_report(), "CRITICAL", 0))
def free_of(report: ScanReport, severity: str, at_most: int) -> CheckResult:
    """At most so many findings count as this severity; suppressed ones and unknown severities are counted too."""
    rated = [each.name for each in Severity if each is not Severity.UNRATED]
    if severity.upper() not in rated:
        return reject(f"{severity!r} is no severity of ECR's", "the scenario", f"name one of {', '.join(rated)}")
    hits = [finding for finding in report.open if finding.rank is Severity[severity.upper()]]
    if len(hits) <= at_most:
        return ACCEPTED
    named = [_hit(finding) for finding in worst_first(hits)[:_LISTED]]
    more = len(hits) - len(named)
    if more:
        named.append(Rejection(f"… and {more} more findings of severity {severity.upper()}", report.digest, ALL_LISTED))
    return CheckResult.of(named)


def _hit(finding: Finding) -> Rejection:
    word = finding.severity.upper() if Severity.knows(finding.severity) else f"unknown severity {finding.severity!r}"
    notes = (", suppressed in Inspector" if finding.suppressed else "") + (f", at {finding.path}" * bool(finding.path))
    counted = "" if word == finding.rank.name else f", counted as {finding.rank.name}"
    way = f"upgrade {finding.package} to {finding.fixed}" if finding.fixed else "remove the package or wait for its fix"
    return Rejection(
        f"{finding.named} is a finding of {word}{counted}{notes}: {finding.title or 'no description'}",
        where=finding.uri,
        remedy=f"{way}, build, publish and scan again; no exception helps against a CRITICAL",
    )


@check(7, known_bad=lambda: (replace(_bad_report(), counts=(("LOW", 3),)),))
def counts_match(report: ScanReport) -> CheckResult:
    """The counts that ECR reports are those of the findings it lists, severity by severity."""
    return CheckResult.of(
        Rejection(
            f"ECR counts {reported} findings of severity {word}, and lists {listed}",
            where=f"{report.digest}, {report.pages} pages read",
            remedy="run again; if it stays so, do not believe the scan and ask AWS Support",
        )
        for word, reported, listed in miscounted(report.findings, report.counts)
    )


_BAD_SETTINGS = ScanSettings("repository", Mode.ENHANCED, "MANUAL", False, ())


@check(7, known_bad=lambda: (_BAD_SETTINGS, replace(_bad_report(), mode=Mode.ENHANCED), True))
def applies(settings: ScanSettings, report: ScanReport, nightly: bool) -> CheckResult:
    """Scanning really applies to this repository and image: by its rules, and by what the scanner covers.

    The configuration alone is no proof: a scan of an image of the repository has to exist. In a nightly run new
    findings about an old image have to be found.
    """
    where = f"repository {settings.repository}"
    if settings.failure:
        return reject(f"ECR has no scanning configuration for the repository: {settings.failure}", where,
                      "give the registry one: aws ecr put-registry-scanning-configuration")  # fmt: skip
    if report.mode is Mode.BASIC:
        return _finished(report)  # a basic scan can be asked for at any time, whatever the frequency
    return _finished(report) + _enhanced_rule(settings, nightly, where) + _inspected(report, settings)


def _enhanced_rule(settings: ScanSettings, nightly: bool, where: str) -> CheckResult:
    continuous = "set the frequency CONTINUOUS_SCAN for a filter that matches the repository"
    if settings.frequency not in BY_ITSELF or not settings.matching:
        return reject(
            f"Enhanced scanning does not apply: the frequency is {settings.frequency or '(none)'}, and the filters "
            f"that match are {', '.join(settings.matching) or 'none'}",
            where,
            continuous,
        )
    if nightly and settings.frequency == "SCAN_ON_PUSH":
        return reject(
            "With the frequency SCAN_ON_PUSH an image is never scanned again, so no night can find anything new",
            where,
            continuous,
        )
    return ACCEPTED


def _inspected(report: ScanReport, settings: ScanSettings) -> CheckResult:
    covered = report.inspector or InspectorCoverage(listed=False)
    # After its one scan Inspector reports an image of a SCAN_ON_PUSH repository as inactive, for this reason.
    once = settings.frequency == "SCAN_ON_PUSH" and covered.reason == "SCAN_FREQUENCY_SCAN_ON_PUSH"
    if covered.active or (covered.listed and once):
        return ACCEPTED
    reason = reason_of(covered.reason)
    return reject(
        f"Amazon Inspector does not cover the image: it is {covered.state}"
        + (f", {reason.sentence}" if covered.listed else ""),
        where=f"Inspector2 ListCoverage, {report.digest}",
        remedy=reason.remedy if covered.listed else _ACTIVATE,
    )


@check(7, known_bad=lambda: (_bad_report(), _NIGHT + timedelta(days=2), 24))
def data_fresh(report: ScanReport, now: datetime, hours: int) -> CheckResult:
    """The vulnerability data is under so many hours old, or Inspector keeps the result current (see `current_by`)."""
    updated = report.vulnerability_source_updated_at
    if updated is not None and now - updated < timedelta(hours=hours) and updated - now <= SKEW:
        return ACCEPTED
    # A quiet image keeps the date of the last data that concerned it: what has to be current is that it is watched.
    if report.continuous and (updated is None or updated - now <= SKEW) and _recent(report, now).accepted:
        return ACCEPTED
    return reject(
        f"The vulnerability data is not under {hours} hours old: it is of {format_time(updated)} "
        f"(now is {format_time(now)}; {report.current_by})",
        where=f"DescribeImageScanFindings, vulnerabilitySourceUpdatedAt, {report.digest}",
        remedy="scan again later; if it stays so, ask AWS Support why the data is not updated",
    )
