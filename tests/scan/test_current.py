"""As of when a result holds: one rule, which no two scenarios read differently."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gate.scan import result_checks as checks
from gate.scan.report import InspectorCoverage, ScanReport
from gate.scan.settings import ScanSettings
from gate.scan.statuses import REASONS, Mode, reason_of

from .conftest import DIGEST, NOON, REPOSITORY, basic, enhanced
from .test_result_checks import report_of

SETTINGS = ScanSettings(REPOSITORY, Mode.ENHANCED, "CONTINUOUS_SCAN", False, ("*",))


def quiet(hours: float = 72, frequency: str = "CONTINUOUS_SCAN", looked: float | None = None, **changes) -> ScanReport:
    """A result of Inspector's with both times so many hours old."""
    at = NOON - timedelta(hours=hours)
    covered = InspectorCoverage(
        True, "ACTIVE", "SUCCESSFUL", None if looked is None else NOON - timedelta(hours=looked)
    )
    times = {"completed_at": at, "vulnerability_source_updated_at": at, "read_at": NOON}
    given = {"status": "ACTIVE", "frequency": frequency, "inspector": covered, **times, **changes}
    return report_of(enhanced(), mode=Mode.ENHANCED, **given)


def answers(report: ScanReport, nightly: bool = False) -> tuple[bool, bool, bool]:
    """What the scenarios about the scan, the data and the configuration say."""
    return (
        checks.complete(report, DIGEST, NOON).accepted,
        checks.data_fresh(report, NOON, 24).accepted,
        checks.applies(SETTINGS, report, nightly).accepted,
    )


@pytest.mark.parametrize("hours", [1, 25, 72, 24 * 20])
@pytest.mark.parametrize("looked", [None, 0, "as old"], ids=["untold", "just now", "as old"])
def test_a_quiet_image_that_inspector_watches_is_current(hours, looked) -> None:
    """Inspector looks again when its data changes: what has to be current is that it watches."""
    report = quiet(hours, looked=hours if looked == "as old" else looked)
    assert answers(report, nightly=True) == (True, True, True)
    assert report.current_at == NOON
    assert "kept current by Inspector; its coverage is ACTIVE (SUCCESSFUL)" in report.current_by


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"inspector": None}, "as old as its scan"),
        ({"inspector": InspectorCoverage(False)}, "not among the covered resources"),
        ({"inspector": InspectorCoverage(True, "INACTIVE", "SCAN_ELIGIBILITY_EXPIRED")}, "SCAN_ELIGIBILITY_EXPIRED"),
        ({"inspector": InspectorCoverage(True, "ACTIVE", "PENDING_INITIAL_SCAN")}, "PENDING_INITIAL_SCAN"),
        ({"inspector": InspectorCoverage(True, "INACTIVE", "SUCCESSFUL")}, "INACTIVE (SUCCESSFUL)"),
        ({"inspector": InspectorCoverage(True, "ACTIVE", "IMAGE_SIZE_EXCEEDED")}, "IMAGE_SIZE_EXCEEDED"),
        ({"frequency": "SCAN_ON_PUSH"}, "the frequency SCAN_ON_PUSH"),
        ({"frequency": ""}, "the frequency (none)"),
        ({"looked": 24 * 30}, "Inspector does not keep it"),
        ({"looked": -1}, "Inspector does not keep it"),
    ],
)
def test_what_inspector_does_not_keep_current_is_as_old_as_its_scan(changes, why) -> None:
    """Both scenarios say so, with the rule; while it is new, both accept it."""
    old, new = quiet(**changes), quiet(1, **{**changes, **({"looked": 24 * 30} if changes.get("looked") else {})})
    assert answers(old)[:2] == (False, False)
    assert why in str(checks.complete(old, DIGEST, NOON).rejections[0])
    assert why in str(checks.data_fresh(old, NOON, 24).rejections[0])
    assert answers(new)[:2] == (True, True)
    assert old.current_at == NOON - timedelta(hours=72)


def test_a_basic_scan_is_as_old_as_its_end_whatever_inspector_says() -> None:
    """Inspector's word is about enhanced scanning."""
    covered = InspectorCoverage(True, "ACTIVE", "SUCCESSFUL")
    old = report_of(basic(), completed_at=NOON - timedelta(hours=25), inspector=covered, frequency="CONTINUOUS_SCAN")
    assert not checks.complete(old, DIGEST, NOON).accepted
    assert "basic scanning: a result is as old as its scan" in str(checks.complete(old, DIGEST, NOON).rejections[0])


def test_a_continuous_result_without_an_end_is_none() -> None:
    """Whatever is watched: without a time of completion there is no result."""
    assert not checks.complete(quiet(completed_at=None), DIGEST, NOON).accepted


def test_data_from_the_future_is_no_current_data() -> None:
    """Also where Inspector watches."""
    assert not checks.data_fresh(quiet(vulnerability_source_updated_at=NOON + timedelta(hours=2)), NOON, 24).accepted


def test_a_watched_image_need_not_tell_its_data_s_date() -> None:
    """Untold, or ahead by no more than clocks differ."""
    for updated in (None, NOON + timedelta(minutes=5)):
        assert checks.data_fresh(quiet(vulnerability_source_updated_at=updated), NOON, 24).accepted
    assert not checks.data_fresh(quiet(vulnerability_source_updated_at=None, inspector=None), NOON, 24).accepted


def test_what_inspector_does_not_list_it_covers_for_no_reason() -> None:
    """Not even for the one that an image of a SCAN_ON_PUSH repository has after its scan."""
    pushed = replace(SETTINGS, frequency="SCAN_ON_PUSH")
    for listed in (True, False):
        covered = InspectorCoverage(listed, "INACTIVE", "SCAN_FREQUENCY_SCAN_ON_PUSH")
        report = quiet(1, frequency="SCAN_ON_PUSH", inspector=covered)
        assert checks.applies(pushed, report, False).accepted is listed


def test_a_critical_finding_is_told_with_its_place() -> None:
    """Where the scanner names a file."""
    package = {"name": "go/stdlib", "version": "1", "packageManager": "GENERIC", "filePath": "/usr/local/bin/program"}
    details = {"vulnerabilityId": "CVE-2026-0001", "vulnerablePackages": [package]}
    report = report_of(enhanced(severity="CRITICAL", packageVulnerabilityDetails=details))
    (hit,) = checks.free_of(report, "CRITICAL", 0).rejections
    assert "go/stdlib 1 is a finding of CRITICAL, at /usr/local/bin/program" in hit.cause
    (plain,) = checks.free_of(report_of(basic(severity="CRITICAL")), "CRITICAL", 0).rejections
    assert "CRITICAL: d" in plain.cause


def test_what_was_read_yesterday_is_not_current_today() -> None:
    """The coverage is as old as the look at it: a GO ends 24 hours after."""
    later = NOON + timedelta(hours=24)
    assert not checks.complete(quiet(), DIGEST, later).accepted
    assert not checks.data_fresh(quiet(), later, 24).accepted


@pytest.mark.parametrize("word", [*REASONS, "QUANTUM", ""])
def test_each_reason_of_inspectors_is_told_with_a_way_out(word) -> None:
    """Only SUCCESSFUL covers; the sentence of every other stands in the message."""
    report = quiet(inspector=InspectorCoverage(True, "ACTIVE", word))
    checked = checks.applies(SETTINGS, report, False)
    assert checked.accepted is (word == "SUCCESSFUL")
    for each in checked.rejections:
        assert reason_of(word).sentence in each.cause
        assert each.remedy == reason_of(word).remedy != ""


@pytest.mark.parametrize(("ahead", "ok"), [(0.05, True), (1, False), (22, False)])
def test_a_watched_result_of_the_future_is_no_result(ahead, ok) -> None:
    """Watched or not: one of the clocks is wrong, and the way out says so."""
    report = quiet(-ahead, looked=0)
    found = checks.complete(report, DIGEST, NOON)
    assert found.accepted is ok
    assert ok or "set this machine's clock" in found.rejections[0].remedy
