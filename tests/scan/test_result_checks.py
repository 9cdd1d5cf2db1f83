"""The checks of criterion 7 say yes to a good scan, and no with the thing named."""

from dataclasses import replace
from datetime import timedelta
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.check import CHECKS, run_self_tests
from gate.scan import coverage, remediation, scan_diff  # noqa: F401 - their checks are on the list
from gate.scan import result_checks as checks
from gate.scan.exceptions import exception_checks  # noqa: F401 - and these
from gate.scan.findings import Severity, tally
from gate.scan.pages import answered_mode, findings_of
from gate.scan.report import InspectorCoverage, ScanReport
from gate.scan.settings import ScanSettings, filter_matches
from gate.scan.statuses import Mode, meaning_of

from .conftest import DIGEST, NOON, REPOSITORY, basic, enhanced, page


def report_of(*entries, mode=Mode.BASIC, **changes) -> ScanReport:
    """A good report that lists these entries of the wire."""
    findings = tuple(findings_of(page(*entries)))
    good = ScanReport(
        DIGEST, "latest", mode, "COMPLETE", NOON, NOON, findings, tuple(tally(findings).items()), 1, NOON, "rescanned"
    )
    return replace(good, **changes)


def said(result) -> str:
    """The whole message of a judgement that must not be a yes."""
    assert not result.accepted
    return "\n".join(map(str, result.rejections))


def test_each_check_of_the_scan_says_no_to_its_known_bad() -> None:
    """None of this noun's checks is blind."""
    mine = [proof for proof in run_self_tests() if proof.check.startswith("gate.scan.")]
    assert len(mine) >= 14
    assert [proof for proof in mine if not proof.said_no] == []
    assert {CHECKS[proof.check].criterion for proof in mine} == {7, 9}


def test_a_good_scan_is_accepted_by_all() -> None:
    """A complete, fresh scan of the checked digest with one low finding passes every check."""
    report = report_of(basic())
    settings = ScanSettings(REPOSITORY, Mode.BASIC, "SCAN_ON_PUSH", True, ())
    assert checks.complete(report, DIGEST, NOON).accepted
    assert checks.free_of(report, "CRITICAL", 0).accepted
    assert checks.counts_match(report).accepted
    assert checks.applies(settings, report, True).accepted
    assert checks.data_fresh(report, NOON, 24).accepted


@pytest.mark.parametrize("digest", ["sha256:" + "cd" * 32, ""])
def test_a_scan_of_another_digest_is_refused(digest) -> None:
    """Both digests stand in the message."""
    message = said(checks.complete(report_of(digest=digest), DIGEST, NOON))
    assert DIGEST in message
    assert digest in message


@pytest.mark.parametrize("status", ["IN_PROGRESS", "FAILED", "UNSUPPORTED_IMAGE", "ACTIVE", "", "PERFECT"])
def test_a_scan_without_a_good_end_is_refused(status) -> None:
    """Under basic scanning COMPLETE is the only good end."""
    assert status in said(checks.complete(report_of(status=status), DIGEST, NOON))


@pytest.mark.parametrize(("hours", "ok"), [(23.9, True), (24, False), (25, False), (-0.05, True), (-1, False)])
def test_a_scan_counts_for_24_hours(hours, ok) -> None:
    """At 24 hours it is too old; one that ended in the future means that a clock is wrong."""
    report = report_of(completed_at=NOON - timedelta(hours=hours))
    assert checks.complete(report, DIGEST, NOON).accepted is ok


def test_a_scan_without_a_date_is_refused() -> None:
    """COMPLETE without a completion time is no result."""
    assert "when it was completed" in said(checks.complete(report_of(completed_at=None), DIGEST, NOON))


@pytest.mark.parametrize("word", ["CRITICAL", "critical", "Critical", "UNRATED", "UNKNOWN", "", "SEVERE", "5"])
def test_severities_in_any_case_and_unknown_ones_count_as_critical(word) -> None:
    """Only the words of AWS's models that stand below CRITICAL are below it."""
    message = said(checks.free_of(report_of(basic(severity=word)), "CRITICAL", 0))
    assert "zlib1g" in message
    assert "CVE-2024-0001" in message


@pytest.mark.parametrize("word", ["HIGH", "high", "Medium", "LOW", "INFORMATIONAL", "UNDEFINED", "Untriaged"])
def test_lower_severities_are_not_critical(word) -> None:
    """A known lower severity passes, in any case."""
    assert checks.free_of(report_of(basic(severity=word)), "CRITICAL", 0).accepted


def test_a_finding_without_an_id_counts_as_the_worst() -> None:
    """What nobody can look up, nobody can dismiss."""
    entry = basic(severity="LOW")
    del entry["name"]
    assert findings_of({"imageScanFindings": {"findings": [entry]}})[0].rank is Severity.CRITICAL


def test_a_misspelt_severity_in_the_scenario_is_refused() -> None:
    """A scenario about a severity that does not exist is not true by default."""
    assert "CRITICL" in said(checks.free_of(report_of(), "CRITICL", 0))


@pytest.mark.parametrize(
    "counts", [(), (("LOW", 2),), (("LOW", 1), ("HIGH", 1)), (("LOW", 1), ("CRITICAL", 1)), (("MEDIUM", 1),)]
)
def test_counts_that_lie_are_refused(counts) -> None:
    """Fewer, more, or of another severity than listed: not to be believed."""
    assert "ECR counts" in said(checks.counts_match(report_of(basic(), counts=counts)))


def test_counts_may_or_may_not_include_what_is_suppressed() -> None:
    """Both ways of counting suppressed findings are true; a third is not."""
    entries = (enhanced(), enhanced("CVE-2024-0009", status="SUPPRESSED"))
    for number, ok in ((1, True), (2, True), (0, False), (3, False)):
        assert checks.counts_match(report_of(*entries, counts=(("LOW", number),))).accepted is ok


def test_one_entry_with_three_packages_is_three_findings_and_one_count() -> None:
    """Each package is checked; the entry is counted once."""
    packages = [{"name": name, "version": "1", "packageManager": "OS"} for name in ("a", "b", "c")]
    details = {"vulnerabilityId": "CVE-2024-0002", "vulnerablePackages": packages}
    report = report_of(enhanced(packageVulnerabilityDetails=details))
    assert [finding.package for finding in report.findings] == ["a", "b", "c"]
    assert checks.counts_match(replace(report, counts=(("LOW", 1),))).accepted


def enhanced_report(**changes) -> ScanReport:
    """A continuous result that Inspector stands for."""
    covered = InspectorCoverage(True, "ACTIVE", "SUCCESSFUL")
    return report_of(
        enhanced(), mode=Mode.ENHANCED, **{"frequency": "CONTINUOUS_SCAN", "inspector": covered, **changes}
    )


def enhanced_settings(frequency="CONTINUOUS_SCAN", filters=("*",)) -> ScanSettings:
    """Enhanced scanning of every repository."""
    return ScanSettings(REPOSITORY, Mode.ENHANCED, frequency, False, filters)


def test_enhanced_scanning_that_applies_is_accepted_at_night_too() -> None:
    """CONTINUOUS_SCAN serves the nightly job."""
    assert checks.applies(enhanced_settings(), enhanced_report(), True).accepted


def test_scan_on_push_cannot_serve_the_night() -> None:
    """It serves the release, and never finds anything new afterwards."""
    covered = InspectorCoverage(True, "INACTIVE", "SCAN_FREQUENCY_SCAN_ON_PUSH")
    report, settings = enhanced_report(inspector=covered), enhanced_settings("SCAN_ON_PUSH")
    assert checks.applies(settings, report, False).accepted
    assert "SCAN_ON_PUSH" in said(checks.applies(settings, report, True))


@pytest.mark.parametrize(
    "settings",
    [
        enhanced_settings("MANUAL"),
        enhanced_settings(filters=()),
        enhanced_settings(filters=("other-*",)),
        enhanced_settings(""),
    ],
)
def test_enhanced_scanning_that_does_not_apply_is_refused(settings) -> None:
    """Manual frequency, no filter, or none that matches this repository."""
    assert "does not apply" in said(checks.applies(settings, enhanced_report(), False))


@pytest.mark.parametrize(
    "covered",
    [
        None,
        InspectorCoverage(False),
        InspectorCoverage(True, "INACTIVE", "UNSUPPORTED_OS"),
        InspectorCoverage(True, "ACTIVE", "PENDING_INITIAL_SCAN"),
        InspectorCoverage(True, "INACTIVE", "SCAN_FREQUENCY_SCAN_ON_PUSH"),
    ],
)
def test_an_image_that_inspector_does_not_cover_is_refused(covered) -> None:
    """Not listed, inactive, or not yet scanned."""
    assert "does not cover" in said(checks.applies(enhanced_settings(), enhanced_report(inspector=covered), False))


def test_a_repository_without_configuration_is_refused() -> None:
    """ECR's failure reason stands in the message."""
    settings = ScanSettings(REPOSITORY, Mode.BASIC, "", False, (), "REPOSITORY_NOT_FOUND")
    assert "REPOSITORY_NOT_FOUND" in said(checks.applies(settings, report_of(), False))


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [("*", True), ("naver", True), ("naver-*", True), ("*-automation", True), ("n*r-*n", True), ("naver-", True),
     ("prod", False), ("prod*", False), ("naver*x", False), ("automation*", False)],
)  # fmt: skip
def test_filters_match_as_ecr_says(pattern, matches) -> None:
    """`*` is any text; a filter without one matches names that contain it."""
    assert filter_matches(pattern, REPOSITORY) is matches


@pytest.mark.parametrize(
    ("age", "ok"), [(1, True), (23.9, True), (24, False), (400, False), (-2, False), (None, False)]
)
def test_vulnerability_data_must_be_fresh(age, ok) -> None:
    """Older than a day, from the future, or of no told age: not current."""
    updated = None if age is None else NOON - timedelta(hours=age)
    assert checks.data_fresh(report_of(vulnerability_source_updated_at=updated), NOON, 24).accepted is ok


def test_ten_thousand_findings_are_read_and_judged_in_linear_time() -> None:
    """Eight times the findings take at most sixteen times as long, and 10,000 over 10 pages take under 2 s of CPU."""

    def seconds(number: int) -> float:
        pages = [page(*(basic(f"CVE-2024-{i}", "LOW") for i in range(number // 10))) for _ in range(10)]
        began = process_time()
        findings = tuple(f for at, each in enumerate(pages) for f in findings_of(each, at * number // 10))
        report = report_of(findings=findings, counts=(("LOW", number),))
        assert checks.complete(report, DIGEST, NOON).accepted
        assert checks.free_of(report, "CRITICAL", 0).accepted
        assert checks.counts_match(report).accepted
        return process_time() - began

    small, large = min(seconds(1_250) for _ in range(3)), min(seconds(10_000) for _ in range(3))
    assert large / small < 16
    assert large < 2


def test_a_thousand_criticals_make_a_message_one_can_read() -> None:
    """The first twenty are named, the rest are counted."""
    report = report_of(*(basic(f"CVE-2024-{i}", "CRITICAL", description="x" * 10_000) for i in range(1000)))
    message = said(checks.free_of(report, "CRITICAL", 0))
    assert "980 more" in message
    assert len(message) < 20_000


HOSTILE = ("<script>alert(1)</script>", "| a | b |\n| - | - |", "\x1b[2J\x1b]0;x\x07red", "A" * 10_240, "\u202eevil")


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_texts_of_findings_are_harmless(text) -> None:
    """In every field of both shapes: one line, bounded, no escape; and a link is a web address or nothing."""
    attributes = {"package_name": text, "package_version": text, "fixed_in": text}
    package = {"name": text, "version": text, "release": text, "packageManager": text, "fixedInVersion": text}
    details = {"vulnerabilityId": text, "sourceUrl": "javascript:alert(1)", "vulnerablePackages": [package]}
    entries = (
        basic(text, text, description=text, uri=text, attributes=attributes),
        enhanced(severity=text, title=text, packageVulnerabilityDetails=details),
    )
    for finding in findings_of(page(*entries)):
        texts = (finding.id, finding.package, finding.installed, finding.fixed, finding.severity, finding.title)
        assert all(each.isprintable() and len(each) <= 400 for each in texts)
        assert finding.uri == ""


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)
ENTRY = st.fixed_dictionaries(
    {},
    optional={
        "name": st.text(max_size=60),
        "severity": st.text(max_size=20) | st.sampled_from(["HIGH", "critical", "UNDEFINED"]),
        "status": st.sampled_from(["ACTIVE", "SUPPRESSED", "CLOSED", "?"]),
        "description": st.text(max_size=900),
        "score": st.floats(),
        "attributes": st.lists(
            st.fixed_dictionaries({"key": st.text(max_size=20), "value": st.text(max_size=30)}), max_size=4
        ),
        "packageVulnerabilityDetails": st.fixed_dictionaries(
            {},
            optional={
                "vulnerabilityId": st.text(max_size=40),
                "vulnerablePackages": st.lists(
                    st.fixed_dictionaries({}, optional={"name": st.text(max_size=20), "epoch": st.integers(0, 9)}),
                    max_size=3,
                ),
            },
        ),
    },
)


@given(st.lists(ENTRY, max_size=5), st.lists(ENTRY, max_size=5))
def test_no_entry_of_either_list_is_ever_lost(plain_list, enhanced_list) -> None:
    """Whatever the entries hold, each is at least one finding, and none outranks its word downward."""
    held = {"findings": plain_list, "enhancedFindings": enhanced_list}
    findings = findings_of({"imageScanFindings": held})
    assert {f.entry for f in findings} == set(range(len(plain_list) + len(enhanced_list)))
    for finding in findings:
        assert Severity.knows(finding.severity) or finding.rank is Severity.CRITICAL
        assert finding.score is None or 0 <= finding.score <= 10
    assert answered_mode(findings, "COMPLETE", Mode.BASIC) in Mode


@pytest.mark.parametrize(("ahead", "ok"), [(300, True), (301, False)])
def test_clocks_may_differ_by_five_minutes(ahead, ok) -> None:
    """A scan, or its data, may be dated five minutes ahead of this machine, and not a second more."""
    then = NOON + timedelta(seconds=ahead)
    assert checks.complete(report_of(completed_at=then), DIGEST, NOON).accepted is ok
    assert checks.data_fresh(report_of(vulnerability_source_updated_at=then), NOON, 24).accepted is ok


def test_an_unknown_digest_is_no_digest() -> None:
    """A scan of nobody knows what is not of an image that nobody knows."""
    message = said(checks.complete(report_of(digest="", tag=""), "", NOON))
    assert "The scan is of an unknown digest" in message
    assert "The tag v9 is of" in said(checks.complete(report_of(digest="", tag="v9"), DIGEST, NOON))


@pytest.mark.parametrize("status", ["IN_PROGRESS", "UNSUPPORTED_IMAGE", "ACTIVE"])
def test_a_scan_without_a_result_says_the_way_out(status) -> None:
    """The status table's own remedy, or the one that helps where it has none."""
    remedy = meaning_of(status).remedy or "wait until the scan has ended"
    (refused,) = checks.complete(report_of(status=status), DIGEST, NOON).rejections
    assert refused.remedy == remedy


def test_a_misspelt_severity_is_answered_with_the_right_ones() -> None:
    """The way out names all five."""
    (refused,) = checks.free_of(report_of(), "CRITICL", 0).rejections
    assert refused.remedy == "name one of INFORMATIONAL, LOW, MEDIUM, HIGH, CRITICAL"


@pytest.mark.parametrize(("number", "ok"), [(0, True), (1, True), (2, True), (3, False)])
def test_as_many_findings_as_are_allowed_are_accepted(number, ok) -> None:
    """At most two are two, one or none."""
    report = report_of(*(basic(f"CVE-2024-{each}", "HIGH") for each in range(number)))
    assert checks.free_of(report, "HIGH", 2).accepted is ok


def refused_finding(**changes):
    """The rejection of one critical finding with these fields changed."""
    (finding,) = report_of(basic(severity="CRITICAL")).findings
    (refused,) = checks.free_of(report_of(findings=(replace(finding, **changes),)), "CRITICAL", 0).rejections
    return refused


def test_a_finding_is_told_with_its_severity_and_what_it_counts_as() -> None:
    """Its own word; beside it what it counts as where that is another, and that Inspector hides it where it does."""
    assert "is a finding of CRITICAL: " in refused_finding(severity="critical").cause
    unknown = refused_finding(severity="SEVERE", suppressed=True).cause
    assert "is a finding of unknown severity 'SEVERE', counted as CRITICAL, suppressed in Inspector: " in unknown


def test_a_finding_is_told_with_its_own_way_out() -> None:
    """An upgrade where there is one."""
    assert refused_finding(package="zlib1g", fixed="9.9").remedy.startswith("upgrade zlib1g to 9.9, build")
    assert refused_finding(fixed="").remedy.startswith("remove the package or wait for its fix, build")


def test_counts_are_added_over_pages_and_spellings() -> None:
    """One severity in two lines, or in two spellings, is one count."""
    entries = (basic("CVE-2024-1"), basic("CVE-2024-2"))
    assert checks.counts_match(report_of(*entries, counts=(("LOW", 1), ("low", 1)))).accepted


@pytest.mark.parametrize("status", ["SUPPRESSED", "CLOSED"])
def test_counts_need_not_hold_what_inspector_hides(status) -> None:
    """A severity whose findings are all suppressed or closed may be left out of the counts, or be counted as 0."""
    entry = enhanced(status=status)
    for counts in ((), (("LOW", 0),), (("LOW", 1),)):
        assert checks.counts_match(report_of(entry, counts=counts)).accepted, counts


def test_the_worst_count_that_lies_is_told_first() -> None:
    """Each severity has its own sentence, from the worst down."""
    refused = checks.counts_match(report_of(counts=(("LOW", 1), ("CRITICAL", 2), ("HIGH", 3)))).rejections
    assert [each.cause.split()[6].rstrip(",") for each in refused] == ["CRITICAL", "HIGH", "LOW"]


def test_a_continuous_scan_without_a_result_does_not_apply() -> None:
    """Rules and coverage are no result."""
    assert "no scan result" in said(checks.applies(enhanced_settings(), enhanced_report(status="PENDING"), True))


@pytest.mark.parametrize(
    "covered",
    [
        InspectorCoverage(True, "INACTIVE", "SUCCESSFUL"),
        InspectorCoverage(False, "ACTIVE", "SUCCESSFUL"),
        InspectorCoverage(True, "INACTIVE", "UNSUPPORTED_OS"),
    ],
)
def test_a_repository_scanned_on_push_needs_inspector_too(covered) -> None:
    """Only the one reason that follows from the frequency itself is excused."""
    for frequency in ("SCAN_ON_PUSH", "CONTINUOUS_SCAN"):
        checked = checks.applies(enhanced_settings(frequency), enhanced_report(inspector=covered), False)
        state = f"{covered.status} ({covered.reason})" if covered.listed else "not among the covered resources"
        assert f"it is {state}" in said(checked)


def test_an_image_that_inspector_never_answered_for_is_not_covered() -> None:
    """No answer is told as what it is."""
    checked = checks.applies(enhanced_settings(), enhanced_report(inspector=None), False)
    assert "not among the covered resources" in said(checked)
