"""The reader: what ECR says, in its own wire shapes, becomes a report or a clear refusal."""

from datetime import timedelta

import botocore.session
import pytest

from gate.aws.retry import TimeSource
from gate.errors import AwsRefused, ScanUnavailable
from gate.scan.result_checks import free_of
from gate.scan.statuses import TABLE, Mode, Outcome

from .conftest import DIGEST, NOON, Garbage, Refusal, basic, configure, enhanced, inspected, page, waiting

FINDINGS = "DescribeImageScanFindings"
NEVER = Refusal("ScanNotFoundException")


def test_a_basic_scan_is_started_waited_for_and_read(aws, scanner, time) -> None:
    """IN_PROGRESS is waited out, and the report says that the image was rescanned."""
    aws.says(FINDINGS, NEVER, waiting("PENDING"), waiting(), page(basic()))
    report = scanner.scan("v1.0.0")
    assert (report.digest, report.tag, report.mode, report.status) == (DIGEST, "v1.0.0", Mode.BASIC, "COMPLETE")
    assert report.provenance == "rescanned"
    assert [finding.id for finding in report.findings] == ["CVE-2024-0001"]
    assert any("IN_PROGRESS" in line for line in scanner.told)


def test_each_scan_is_asked_for_by_digest(aws, scanner) -> None:
    """A tag may move between two calls: it is resolved once, and every scan call names the digest."""
    aws.says(FINDINGS, NEVER, page())
    scanner.scan("v1.0.0")
    scanned = [request for operation, request in aws.asked if "Scan" in operation and "imageId" in request]
    assert scanned
    assert all(request["imageId"] == {"imageDigest": DIGEST} for request in scanned)


def test_both_tags_are_asked_for_and_the_scan_is_started_once(aws, scanner) -> None:
    """Two tags of one digest are two resolutions and two readings, and one scan."""
    aws.says(FINDINGS, NEVER, page())
    scanner.scan("v1.0.0")
    scanner.scan("latest")
    scanner.scan("latest")
    assert aws.count("DescribeImages") == 2
    assert aws.count("StartImageScan") == 1
    assert aws.count(FINDINGS) == 3


def test_a_critical_on_the_last_page_is_found(aws, scanner) -> None:
    """Every page is read, also after an empty one that carries a token."""
    counts = {"LOW": 1, "CRITICAL": 1}
    aws.says(
        FINDINGS,
        NEVER,
        page(basic(), token="a", counts=counts),
        page(token="b", counts=counts),
        page(basic("CVE-2023-4863", "CRITICAL"), counts=counts),
    )
    report = scanner.scan("latest")
    assert report.pages == 3
    assert not free_of(report, "CRITICAL", 0).accepted


def test_pages_that_name_themselves_again_are_refused(aws, scanner) -> None:
    """A nextToken that comes twice would be read for ever."""
    aws.says(FINDINGS, NEVER, page(basic(), token="again"))
    with pytest.raises(ScanUnavailable, match="do not end"):
        scanner.scan("latest")


def test_findings_only_in_the_other_list_are_read(aws, scanner) -> None:
    """Enhanced findings under a basic configuration count, and make the scan an enhanced one."""
    inspected(aws)
    aws.says(FINDINGS, NEVER, page(enhanced(severity="CRITICAL")))
    report = scanner.scan("latest")
    assert report.mode is Mode.ENHANCED
    assert not free_of(report, "CRITICAL", 0).accepted


def test_basic_findings_under_an_enhanced_configuration_are_read(aws, scanner) -> None:
    """The other way round as well."""
    configure(aws, "ENHANCED", "CONTINUOUS_SCAN")
    aws.says(FINDINGS, NEVER, page(basic(severity="CRITICAL")))
    report = scanner.scan("latest")
    assert report.mode is Mode.BASIC
    assert not free_of(report, "CRITICAL", 0).accepted


def test_a_suppressed_critical_counts(aws, scanner) -> None:
    """A suppression rule in Inspector hides nothing from the gate."""
    configure(aws, "ENHANCED", "CONTINUOUS_SCAN")
    inspected(aws)
    aws.says("StartImageScan", Refusal("ValidationException", "This feature is disabled"))
    aws.says(FINDINGS, page(enhanced(severity="CRITICAL", status="SUPPRESSED"), status="ACTIVE"))
    report = scanner.scan("latest")
    assert report.findings[0].suppressed
    assert not free_of(report, "CRITICAL", 0).accepted


@pytest.mark.parametrize("meaning", TABLE, ids=lambda m: m.status)
@pytest.mark.parametrize("mode", list(Mode), ids=lambda m: m.value)
def test_every_status_does_what_the_table_says(aws, scanner, mode, meaning) -> None:
    """In both modes: a result, a wait that times out, or a refusal with the table's sentence."""
    configure(aws, mode.value, "CONTINUOUS_SCAN")
    inspected(aws)
    if mode is Mode.ENHANCED:
        aws.says("StartImageScan", Refusal("ValidationException", "This feature is disabled"))
    answer = page(status=meaning.status) if meaning.outcome(mode) is Outcome.RESULT else waiting(meaning.status)
    aws.says(FINDINGS, NEVER, answer)
    if meaning.outcome(mode) is Outcome.RESULT:
        assert scanner.scan("latest").status == meaning.status
        return
    words = "did not end" if meaning.outcome(mode) is Outcome.WAIT else meaning.sentence
    with pytest.raises(ScanUnavailable, match=words):
        scanner.scan("latest")


def test_an_unknown_status_is_refused(aws, scanner) -> None:
    """A status that AWS adds tomorrow is no result."""
    aws.says(FINDINGS, NEVER, waiting("PERFECT"))
    with pytest.raises(ScanUnavailable, match="PERFECT"):
        scanner.scan("latest")


def test_complete_that_becomes_pending_is_waited_out(aws, scanner) -> None:
    """Pages of two scans are not put together: when the status changes between pages, all are read again."""
    aws.says(
        FINDINGS,
        NEVER,
        page(basic(), token="a"),
        waiting("PENDING"),
        waiting("PENDING"),
        page(basic(), token="b", counts={"LOW": 1, "CRITICAL": 1}),
        page(basic("CVE-2023-4863", "CRITICAL"), counts={"LOW": 1, "CRITICAL": 1}),
    )
    report = scanner.scan("latest")
    assert (len(report.findings), report.pages) == (2, 2)


def test_an_enhanced_complete_that_becomes_pending_is_read_afresh(aws, scanner) -> None:
    """Equal readings are two in a row: one before and one after a PENDING do not count as a pair."""
    configure(aws, "ENHANCED", "CONTINUOUS_SCAN")
    inspected(aws)
    aws.says("StartImageScan", Refusal("ValidationException", "This feature is disabled"))
    found = page(enhanced(severity="CRITICAL"))
    aws.says(FINDINGS, page(), page(), waiting("PENDING"), page(), found)
    aws.script[FINDINGS].pop(0)  # the first is the look before the scan is asked for
    aws.script[FINDINGS].insert(0, NEVER)
    assert len(scanner.scan("latest").findings) == 1


def test_an_enhanced_result_without_its_findings_yet_is_not_believed(aws, scanner) -> None:
    """COMPLETE with nothing in it, and the findings a moment later: the second reading decides."""
    configure(aws, "ENHANCED", "CONTINUOUS_SCAN")
    inspected(aws)
    aws.says("StartImageScan", Refusal("ValidationException", "This feature is disabled"))
    aws.says(FINDINGS, NEVER, page(), page(enhanced(severity="CRITICAL")))
    assert [f.severity for f in scanner.scan("latest").findings] == ["CRITICAL"]


def test_the_result_of_the_scan_before_is_not_taken_for_the_new_one(aws, scanner) -> None:
    """After a scan was started, an answer with the old completion time is still the old scan's."""
    old = page(at=NOON - timedelta(hours=30))
    aws.says(FINDINGS, old, old, old, page(basic("CVE-2023-4863", "CRITICAL"), at=NOON))
    report = scanner.scan("latest")
    assert report.completed_at == NOON
    assert not free_of(report, "CRITICAL", 0).accepted


@pytest.mark.parametrize("hours", [23.9, 0.1])
def test_the_daily_limit_accepts_a_recent_result(aws, scanner, hours) -> None:
    """One basic scan in 24 hours: the existing result counts while it is under 24 hours old, and says so."""
    aws.says("StartImageScan", Refusal("LimitExceededException"))
    aws.says(FINDINGS, page(at=NOON - timedelta(hours=hours)))
    assert scanner.scan("latest").provenance.startswith("not rescanned, result of 2026-11-2")


@pytest.mark.parametrize("hours", [24, 25, 2400])
def test_the_daily_limit_refuses_an_old_result(aws, scanner, hours) -> None:
    """A result of 24 hours or more is none."""
    aws.says("StartImageScan", Refusal("LimitExceededException"))
    aws.says(FINDINGS, page(at=NOON - timedelta(hours=hours)))
    with pytest.raises(ScanUnavailable, match="not under 24 hours old"):
        scanner.scan("latest")


def test_the_daily_limit_without_any_result_is_refused(aws, scanner, time) -> None:
    """No scan that ever ended: a bounded wait, then a NO-GO."""
    aws.says("StartImageScan", Refusal("LimitExceededException"))
    aws.says(FINDINGS, NEVER)
    with pytest.raises(ScanUnavailable, match="no scan is known"):
        scanner.scan("latest")
    assert sum(time.slept) < 200


def test_a_refused_manual_scan_reads_the_continuous_result(aws, scanner) -> None:
    """Under enhanced scanning Inspector's own result is read, however long ago its last change was."""
    configure(aws, "ENHANCED", "CONTINUOUS_SCAN")
    inspected(aws)
    aws.says("StartImageScan", Refusal("ValidationException", "This feature is disabled"))
    aws.says(FINDINGS, page(enhanced(), status="ACTIVE", at=NOON - timedelta(days=3)))
    report = scanner.scan("latest")
    assert report.provenance == "continuous result of 2026-11-19 12:00 UTC"
    assert report.inspector is not None
    assert report.inspector.reason == "SUCCESSFUL"


def test_an_old_result_of_a_push_scan_is_refused_under_enhanced_scanning(aws, scanner) -> None:
    """SCAN_ON_PUSH never scans again: after 24 hours its result is no result."""
    configure(aws, "ENHANCED", "SCAN_ON_PUSH")
    inspected(aws, "INACTIVE", "SCAN_FREQUENCY_SCAN_ON_PUSH")
    aws.says("StartImageScan", Refusal("ValidationException", "This feature is disabled"))
    aws.says(FINDINGS, page(enhanced(), at=NOON - timedelta(hours=25)))
    with pytest.raises(ScanUnavailable, match="not under 24 hours old"):
        scanner.scan("latest")


def test_just_after_a_push_image_and_scan_may_be_unknown(aws, scanner) -> None:
    """ImageNotFound and ScanNotFound are waited out for a bounded time."""
    known = aws.script["DescribeImages"]
    aws.script["DescribeImages"] = [Refusal("ImageNotFoundException"), *known]
    aws.says("StartImageScan", Refusal("ImageNotFoundException"), {"imageScanStatus": {"status": "PENDING"}})
    aws.says(FINDINGS, NEVER, Refusal("ImageNotFoundException"), NEVER, page(basic()))
    assert scanner.scan("latest").findings


def test_a_tag_that_never_appears_is_refused(aws, scanner, time) -> None:
    """The wait is bounded, made once, and the sentence names the tag."""
    aws.says("DescribeImages", Refusal("ImageNotFoundException"))
    for _ in range(3):
        with pytest.raises(ScanUnavailable, match=r"has the tag v9\.9\.9"):
            scanner.scan("v9.9.9")
    assert sum(time.slept) < 120


def test_a_500_in_the_middle_of_paging_is_asked_again(aws, scanner) -> None:
    """The same page is asked for once more; nothing is lost and nothing counted twice."""
    counts = {"LOW": 2}
    aws.says(
        FINDINGS,
        NEVER,
        page(basic("CVE-2024-1111"), token="a", counts=counts),
        Refusal("ServerException", status=500),
        page(basic("CVE-2024-2222"), counts=counts),
    )
    assert [f.id for f in scanner.scan("latest").findings] == ["CVE-2024-1111", "CVE-2024-2222"]


@pytest.mark.parametrize(
    "trouble",
    [
        Refusal("ThrottlingException"),
        Refusal("TooManyRequestsException", status=429),
        Refusal("X", status=503),
        Garbage(),
    ],
    ids=["throttled", "429", "503", "garbage"],
)
def test_passing_trouble_is_retried_and_lasting_trouble_refused(aws, scanner, trouble, time) -> None:
    """Throttling, server errors and garbage: three times are survived, for ever is a NO-GO with the last error."""
    aws.says(FINDINGS, trouble, trouble, trouble, NEVER, page(basic()))
    assert scanner.scan("v1.0.0").findings
    aws.says(FINDINGS, trouble)
    with pytest.raises(ScanUnavailable, match="6 attempts"):
        scanner.scan("latest")
    assert sum(time.slept) < 100


def test_a_refused_call_is_not_repeated(aws, scanner) -> None:
    """Without the permission the gate says which one, at once."""
    aws.says(FINDINGS, Refusal("AccessDeniedException", "not authorized to perform ecr:DescribeImageScanFindings"))
    with pytest.raises(AwsRefused, match="not allowed ecr:DescribeImageScanFindings on naver"):
        scanner.scan("latest")
    assert aws.count(FINDINGS) == 1


def test_expired_credentials_say_so(aws, scanner) -> None:
    """Credentials that expire in mid-run are named as the cause."""
    aws.says(FINDINGS, Refusal("ExpiredTokenException"))
    with pytest.raises(AwsRefused, match=r"credentials are not accepted \(ExpiredTokenException\)"):
        scanner.scan("latest")


def test_an_index_cannot_be_scanned(aws, scanner) -> None:
    """Row 8: scan on push is on, and the scan of an index never runs; the configuration is no result."""
    aws.says(FINDINGS, NEVER)
    aws.says("StartImageScan", Refusal("UnsupportedImageTypeException", "an index"))
    assert scanner.settings().scan_on_push
    with pytest.raises(ScanUnavailable, match="cannot scan"):
        scanner.scan("latest")


def test_a_scan_that_does_not_end_is_refused_in_time(aws, scanner, time) -> None:
    """After --scan-timeout there is a NO-GO that names the status; progress was told."""
    aws.says(FINDINGS, NEVER, waiting())
    scanner.timeout = 60
    with pytest.raises(ScanUnavailable, match="IN_PROGRESS"):
        scanner.scan("latest")
    assert 60 <= (time.at - NOON).total_seconds() < 70
    assert len(scanner.told) > 5


@pytest.mark.parametrize("ahead", [timedelta(days=365), timedelta(days=-365)], ids=["forward", "back"])
def test_a_clock_that_is_set_meanwhile_makes_no_wait_shorter_or_longer(aws, new_scanner, scanner, time, ahead) -> None:
    """--scan-timeout is counted on the clock that never jumps."""
    aws.says(FINDINGS, NEVER, waiting())
    steady, looks = time.keeper().monotonic, iter(range(1000))
    time.keeper = lambda: TimeSource(lambda: NOON + ahead * next(looks), steady, time.sleep)
    reader = new_scanner()
    reader.timeout = 60
    with pytest.raises(ScanUnavailable, match="IN_PROGRESS"):
        reader.scan("latest")
    assert 60 <= (time.at - NOON).total_seconds() < 70


def test_an_unknown_kind_of_scanning_is_refused(aws, scanner) -> None:
    """A scan type that AWS adds tomorrow is not guessed at."""
    aws.says("GetRegistryScanningConfiguration", {"scanningConfiguration": {"scanType": "QUANTUM", "rules": []}})
    with pytest.raises(ScanUnavailable, match="QUANTUM"):
        scanner.scan("latest")


def test_an_image_that_inspector_does_not_list_is_reported_so(aws, scanner) -> None:
    """All pages of ListCoverage are read before an image counts as not covered."""
    configure(aws, "ENHANCED", "CONTINUOUS_SCAN")
    aws.says("ListCoverage", {"coveredResources": [], "nextToken": "a"}, {"coveredResources": []})
    aws.says("StartImageScan", Refusal("ValidationException", "This feature is disabled"))
    aws.says(FINDINGS, page())
    report = scanner.scan("latest")
    assert report.inspector is not None
    assert not report.inspector.listed
    assert aws.count("ListCoverage") == 2


def test_the_answers_of_these_tests_use_the_models_words() -> None:
    """Error codes scripted here are errors of the operation in ECR's service model."""
    model = botocore.session.get_session().get_service_model("ecr")
    errors = {shape.name for op in (FINDINGS, "StartImageScan") for shape in model.operation_model(op).error_shapes}
    used = {"ScanNotFoundException", "ImageNotFoundException", "LimitExceededException", "ValidationException"}
    assert used | {"UnsupportedImageTypeException", "ImageArchivedException", "ServerException"} <= errors
