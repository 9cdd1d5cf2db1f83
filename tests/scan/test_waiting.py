"""When a scan has a result: answers that come bit by bit, an earlier scan's, or never."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from gate.errors import ScanUnavailable
from gate.scan.result_checks import complete, counts_match
from gate.scan.scan_request import ScanRequest, request_scan
from gate.scan.statuses import Mode

from .conftest import DIGEST, NOON, Refusal, basic, configure, enhanced, inspected, page, waiting

FINDINGS = "DescribeImageScanFindings"
NEVER = Refusal("ScanNotFoundException")
DISABLED = Refusal("ValidationException", "This feature is disabled")


def taken_in(status: str = "COMPLETE", **held) -> dict:
    """What ECR answers of an image that Inspector has only taken in: a good end, and no time of completion."""
    answer = waiting(status)
    return {**answer, "imageScanFindings": {"findings": [], **held}}


@pytest.fixture
def continuous(aws, scanner):
    """A reader under continuous enhanced scanning."""
    configure(aws, "ENHANCED", "CONTINUOUS_SCAN")
    inspected(aws)
    aws.says("StartImageScan", DISABLED)
    return scanner


@pytest.mark.parametrize("status", ["COMPLETE", "ACTIVE"])
@pytest.mark.parametrize(
    "held",
    [{}, {"findingSeverityCounts": {}}, {"enhancedFindings": []}, {"findingSeverityCounts": {"CRITICAL": 1}}],
    ids=["nothing", "empty counts", "an empty list", "counts alone"],
)
def test_an_answer_without_a_time_of_completion_is_waited_out(aws, continuous, status, held) -> None:
    """However often it stays the same; what is read is what comes then."""
    full = page(enhanced(severity="CRITICAL"), status=status)
    aws.says(FINDINGS, NEVER, *[taken_in(status, **held)] * 20, full)
    assert [f.severity for f in continuous.scan("latest").findings] == ["CRITICAL"]


def test_a_time_of_completion_alone_is_waited_for_under_basic_scanning_too(aws, scanner) -> None:
    """The list may come before it."""
    early = page(basic())
    del early["imageScanFindings"]["imageScanCompletedAt"]
    aws.says(FINDINGS, NEVER, early, early, early, page(basic(), basic("CVE-2", "HIGH")))
    assert len(scanner.scan("latest").findings) == 2


@pytest.mark.parametrize(("mode", "status"), [("ENHANCED", "COMPLETE"), ("ENHANCED", "ACTIVE"), ("BASIC", "COMPLETE")])
def test_without_a_time_of_completion_there_is_no_result(aws, scanner, time, mode, status) -> None:
    """After --scan-timeout: that it ended without one, what was seen, and a way out that fits."""
    configure(aws, mode, "CONTINUOUS_SCAN")
    inspected(aws)
    if mode == "ENHANCED":
        aws.says("StartImageScan", DISABLED)
    aws.says(FINDINGS, NEVER, taken_in(status))
    scanner.timeout = 300
    with pytest.raises(ScanUnavailable, match="ended without a result within 300 s") as told:
        scanner.scan("latest")
    assert f"status {status}, without a time of completion; findings listed: 0, counted: none" in str(told.value)
    assert "CONTINUOUS_SCAN" not in str(told.value)
    assert ("list-coverage" in str(told.value)) is (mode == "ENHANCED")
    assert 300 <= (time.at - NOON).total_seconds() < 310


def test_counts_and_list_may_come_one_after_the_other(aws, continuous) -> None:
    """Counts without findings, and findings without counts, are waited out; with too little time that is told."""
    counted = page(counts={"CRITICAL": 1}, status="ACTIVE")
    listed = page(enhanced(severity="CRITICAL"), counts={}, status="ACTIVE")
    whole = page(enhanced(severity="CRITICAL"), status="ACTIVE")
    for early in (counted, listed):
        aws.says(FINDINGS, early, early, early, early, whole)
        continuous._reports.clear()
        report = continuous.scan("latest")
        assert (len(report.findings), report.counts) == (1, (("CRITICAL", 1),))
    aws.says(FINDINGS, counted)
    continuous._reports.clear()
    continuous.timeout = 30
    with pytest.raises(ScanUnavailable, match="it counts other findings than it lists"):
        continuous.scan("latest")


def test_counts_that_never_fit_are_left_to_their_judge(aws, continuous, time) -> None:
    """A bounded wait; then the scenario about the counts says so, and the others see the findings."""
    aws.says(FINDINGS, NEVER, page(enhanced(), counts={"LOW": 3}, status="ACTIVE"))
    report = continuous.scan("latest")
    assert not counts_match(report).accepted
    assert (time.at - NOON).total_seconds() < 120


def test_counts_that_grow_from_page_to_page_are_of_two_moments(aws, scanner) -> None:
    """The pages are read again from the first one."""
    first, grown = {"LOW": 1, "HIGH": 1}, {"LOW": 1, "HIGH": 2}
    aws.says(
        FINDINGS,
        NEVER,
        page(basic(), token="a", counts=first),
        page(basic("CVE-2", "HIGH"), counts=grown),
        page(basic(), token="b", counts=grown),
        page(basic("CVE-2", "HIGH"), basic("CVE-3", "HIGH"), counts=grown),
    )
    assert len(scanner.scan("latest").findings) == 3


def test_later_pages_need_not_repeat_the_counts(aws, scanner) -> None:
    """Only the first page's are nowhere said to be repeated."""
    last = page(basic("CVE-2", "HIGH"))
    del last["imageScanFindings"]["findingSeverityCounts"]
    aws.says(FINDINGS, NEVER, page(basic(), token="a", counts={"LOW": 1, "HIGH": 1}), last)
    assert len(scanner.scan("latest").findings) == 2
    assert aws.count(FINDINGS) == 3


@pytest.mark.parametrize("reason", ["PENDING_INITIAL_SCAN", "SCAN_IN_PROGRESS", "PENDING_REVIVAL_SCAN"])
def test_a_scan_that_inspector_has_under_way_is_waited_for(aws, continuous, reason) -> None:
    """Also where ECR shows a result already: it is that of a moment before."""
    inspected(aws, "ACTIVE", reason)
    pending = aws.script["ListCoverage"]
    inspected(aws)
    aws.script["ListCoverage"] = [*pending, *pending, *aws.script["ListCoverage"]]
    aws.says(FINDINGS, page(status="ACTIVE"))
    report = continuous.scan("latest")
    assert report.inspector.active
    assert complete(report, DIGEST, NOON).accepted


def test_a_coverage_that_stays_pending_is_told_by_its_judge(aws, continuous) -> None:
    """--scan-timeout is the end of it."""
    inspected(aws, "ACTIVE", "PENDING_INITIAL_SCAN")
    aws.says(FINDINGS, page(status="ACTIVE"))
    continuous.timeout = 60
    assert continuous.scan("latest").inspector.reason == "PENDING_INITIAL_SCAN"


@pytest.mark.parametrize("hours", [20, 1, 0.2], ids=["20 h", "1 h", "12 min"])
@pytest.mark.parametrize("known", [True, False], ids=["seen before", "not seen before"])
def test_a_scan_from_before_the_start_is_not_the_one_that_was_asked_for(aws, scanner, hours, known) -> None:
    """StartImageScan was accepted, and ECR goes on answering with a scan that ended before."""
    old = page(at=NOON - timedelta(hours=hours))
    aws.says(FINDINGS, old if known else NEVER, old)
    scanner.timeout = 60
    with pytest.raises(ScanUnavailable, match="ECR answers with an earlier scan"):
        scanner.scan("latest")


def test_a_rescan_that_goes_back_in_time_is_none(aws, scanner) -> None:
    """Neither the scan that was there, nor one from before it."""
    aws.says(FINDINGS, page(at=NOON - timedelta(minutes=2)), page(at=NOON - timedelta(minutes=3)))
    scanner.timeout = 60
    with pytest.raises(ScanUnavailable, match="earlier scan"):
        scanner.scan("latest")


@pytest.mark.parametrize("minutes", [-4, 0, 1, 30])
def test_clocks_that_differ_a_little_refuse_no_rescan(aws, scanner, minutes) -> None:
    """Minutes before the start by our clock, or after it."""
    aws.says(FINDINGS, NEVER, page(at=NOON + timedelta(minutes=minutes)))
    assert scanner.scan("latest").provenance == "rescanned"


class Answering:
    """An ECR that accepts, with this date in the header of its answer."""

    def __init__(self, date: str | None) -> None:
        self._answer = {"ResponseMetadata": {"HTTPHeaders": {"date": date} if date else {}}}

    def ask(self, operation: str, **_) -> dict:
        """Accepted; no scan was there before."""
        return {"imageScanStatus": {"status": "IN_PROGRESS"}, **self._answer}


@pytest.mark.parametrize(
    ("date", "began"),
    [
        (format_datetime(NOON - timedelta(hours=2), usegmt=True), NOON - timedelta(hours=2)),
        (format_datetime(NOON + timedelta(hours=2), usegmt=True), NOON),
        (None, NOON),
        ("yesterday", NOON),
        ("Sun, 22 Nov 2026 09:00:00 -0000", datetime(2026, 11, 22, 9, tzinfo=UTC)),
    ],
    ids=["we are ahead", "we are behind", "no date", "no date at all", "without a zone"],
)
def test_a_scan_began_by_the_earlier_of_both_clocks(date, began) -> None:
    """A wrong clock, theirs or ours, makes no true rescan look old."""
    start = request_scan(Answering(date), "repo", DIGEST, NOON)
    assert start is not None
    assert start.began == began
    assert start.precedes(began)
    assert not start.precedes(began - timedelta(minutes=6))


def test_without_any_clock_a_rescan_still_has_to_advance() -> None:
    """What is known of the scan before is enough to refuse it."""
    start = ScanRequest(True, earlier_end=NOON)
    assert [start.precedes(NOON + timedelta(seconds=s)) for s in (-1, 0, 1)] == [False, False, True]
    assert not start.precedes(None)


def test_under_enhanced_scanning_no_scan_is_asked_for_so_none_has_to_be_newer(aws, continuous) -> None:
    """A result of three days ago is read."""
    aws.says(FINDINGS, page(enhanced(), status="ACTIVE", at=NOON - timedelta(days=3)))
    assert continuous.scan("latest").mode is Mode.ENHANCED
