"""Nights beside each other, and the chain from found over mitigated to rescanned."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from time import process_time
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.errors import EvidenceDamaged
from gate.run import inputs
from gate.scan import remediation, scan_diff
from gate.scan.exceptions.reading import parse
from gate.scan.records import RecordedFinding, ScanRecord, from_json, keep, read, read_all, record_of, to_json

from .conftest import DIGEST, NOON, Refusal, basic, page
from .test_exceptions import GOOD
from .test_result_checks import report_of

NIGHT = datetime(2026, 11, 22, 3, 12, tzinfo=UTC)
OTHER = "sha256:" + "cd" * 32


def note(id="CVE-2024-0001", severity="HIGH", score=7.5, decision="open", installed="3.0.1", **more) -> RecordedFinding:
    """A finding in openssl."""
    return RecordedFinding(id, "openssl", installed, "3.0.2", severity, score, decision, **more)


def night(*notes, hours=0.0, digest=DIGEST, data=0.0, event="rescanned") -> ScanRecord:
    """A recorded scan so many hours after the first, with data of that age."""
    at = NIGHT + timedelta(hours=hours)
    updated = NIGHT + timedelta(hours=data)
    return ScanRecord(at, event, digest, ("v1.0.0", "latest"), "aws", "BASIC", at, updated, "rescanned", notes)


def test_two_nights_25_hours_apart_are_compared(aws, scanner, new_scanner, time) -> None:
    """The clock moves on by 25 hours: a new scan, a new finding, and the reason is the vulnerability data."""
    first = page(basic(severity="LOW"), at=NOON)
    later = NOON + timedelta(hours=25)
    second = page(basic(severity="MEDIUM"), basic("CVE-2026-5555", "HIGH"), at=later)
    aws.says("DescribeImageScanFindings", Refusal("ScanNotFoundException"), first)
    last = record_of(scanner.scan("v1.0.0"), parse(GOOD), event="rescanned", tags=("v1.0.0",), target="aws")
    time.at = later
    aws.says("DescribeImageScanFindings", first, first, second)
    tonight = record_of(new_scanner().scan("v1.0.0"), parse(GOOD), event="rescanned", tags=("v1.0.0",), target="aws")
    changes = scan_diff.compare(last, tonight)
    assert [n.id for n in changes.new] == ["CVE-2026-5555"]
    assert [(r.before.severity, r.after.severity) for r in changes.rescored] == [("LOW", "MEDIUM")]
    assert changes.fixed == ()
    assert changes.reason == "the image is the same; the vulnerability data changed"
    assert scan_diff.explained(changes).accepted


def test_a_night_within_the_limit_says_that_nothing_was_rescanned(aws, scanner) -> None:
    """ECR's 24-hour limit: the log row carries the time of the result that was read."""
    aws.says("StartImageScan", Refusal("LimitExceededException"))
    aws.says("DescribeImageScanFindings", page(at=NOON.replace(hour=3, minute=12)))
    tonight = record_of(scanner.scan("latest"), parse(GOOD), event="rescanned", tags=("latest",), target="aws")
    assert "not rescanned, result of 2026-11-22 03:12 UTC" in scan_diff.log_row(scan_diff.compare(None, tonight))


def test_a_run_is_compared_with_what_was_there_before_it_began() -> None:
    """Never with a record of its own; the last of the same digest goes before a later one of another image."""
    began = NIGHT + timedelta(hours=24)
    first, second = night(note()), night(hours=20, data=20)
    other = night(hours=23, digest=OTHER, event="withdrawn")
    own = (night(hours=24, event="candidate"), night(hours=25, event="released"), night(hours=25, digest=OTHER))
    for records, digest, wanted in (
        (own, DIGEST, None),
        ((), DIGEST, None),
        ((first, *own), DIGEST, first),
        ((*own, second, first), DIGEST, second),
        ((second, other, *own), DIGEST, second),
        ((other, *own), DIGEST, other),
        ((first, other), "", other),
    ):
        assert scan_diff.last_before(records, began, digest) == wanted


def test_a_contradiction_stays_one_until_the_data_changes_or_the_answer_is_the_first_again() -> None:
    """Five, then none: red on that night and the next; five again, or other data: not."""
    five, none = night(*(note(f"CVE-{n}") for n in range(5))), night(hours=24)
    began = NIGHT + timedelta(hours=47)
    before = scan_diff.last_before((five, none), began, DIGEST)
    assert before == five
    assert not scan_diff.explained(scan_diff.compare(before, night(hours=48))).accepted
    assert scan_diff.explained(scan_diff.compare(before, replace(five, at=NIGHT + timedelta(hours=48)))).accepted
    assert scan_diff.explained(scan_diff.compare(before, night(hours=48, data=48))).accepted
    untold = replace(none, source_updated_at=None)
    assert scan_diff.last_before((five, untold), began, DIGEST) == untold


def test_nothing_found_where_last_night_found_five_is_a_contradiction() -> None:
    """Though this run's own candidate scan found nothing as well."""
    five = night(*(note(f"CVE-{n}") for n in range(5)))
    candidate, released = night(hours=24, event="candidate"), night(hours=24.1, event="released")
    before = scan_diff.last_before((five, candidate), candidate.at, DIGEST)
    checked = scan_diff.explained(scan_diff.compare(before, released))
    assert "CVE-0, CVE-1, CVE-2, CVE-3, CVE-4" in checked.rejections[0].cause


def test_the_run_finds_the_record_before_it_by_its_own_beginning_and_digest(tmp_path) -> None:
    """Wired as a run wires it: its folder of records, its start, the digest that it checks, or --previous."""
    for each in (night(note()), night(hours=30, event="candidate"), night(hours=20, digest=OTHER)):
        keep(each, tmp_path / "scans")
    options = SimpleNamespace(previous=None)
    store = SimpleNamespace(digest=DIGEST)
    run = SimpleNamespace(options=options, store=store, started=NIGHT + timedelta(hours=29), scans=tmp_path / "scans")
    run.target = "aws"
    assert inputs.last_scan(run, read_all(run.scans, run.target)) == night(note())
    options.previous = keep(night(hours=1), tmp_path / "named")
    assert inputs.last_scan(run, read_all(run.scans, run.target)) == night(hours=1)


def test_a_new_image_is_the_reason_when_the_digest_changed() -> None:
    """Image, data, both, or neither: the sentence says which."""
    before = night(note())
    assert scan_diff.compare(before, night(digest=OTHER)).reason.startswith("the image changed")
    both = scan_diff.compare(before, night(digest=OTHER, data=5))
    assert "the image changed" in both.reason
    assert "the vulnerability data changed" in both.reason
    assert scan_diff.compare(before, night(note())).reason.endswith("data is the same")
    untold = replace(night(), source_updated_at=None)
    assert "do not date" in scan_diff.compare(before, untold).reason
    assert "first recorded night" in scan_diff.compare(None, before).reason


def test_a_scanner_that_contradicts_itself_is_a_no() -> None:
    """The same image, the same data, another answer; a vanished finding as well as a new one."""
    for before, after in ((night(), night(note())), (night(note()), night()), (night(note()), night(note(score=1.0)))):
        checked = scan_diff.explained(scan_diff.compare(before, after))
        assert "CVE-2024-0001" in checked.rejections[0].cause
    assert scan_diff.explained(scan_diff.compare(night(note()), night(note()))).accepted
    assert scan_diff.explained(scan_diff.compare(night(note()), night(data=1))).accepted
    assert scan_diff.explained(scan_diff.compare(None, night(note()))).accepted


def test_an_answer_that_changed_for_a_reason_is_no_contradiction() -> None:
    """Another image, or data whose age one of the scans does not tell; the same age of both is told."""
    assert scan_diff.explained(scan_diff.compare(night(), night(note(), digest=OTHER))).accepted
    untold = replace(night(), source_updated_at=None)
    for before, after in ((untold, night(note())), (night(note()), untold)):
        changes = scan_diff.compare(before, after)
        assert changes.data_changed is None
        assert changes.reason == "the image is the same; the scans do not date their vulnerability data"
        assert scan_diff.explained(changes).accepted
    both = scan_diff.compare(night(), replace(untold, digest=OTHER))
    assert both.reason == f"the image changed from {DIGEST} to {OTHER}; the scans do not date their vulnerability data"
    first = scan_diff.compare(None, night(note()))
    assert (first.any, first.image_changed, first.data_changed) == (False, False, None)


def test_a_contradiction_names_ten_findings_at_most() -> None:
    """New, fixed and re-scored ones."""
    before = night(note("CVE-old"), note("CVE-scored"))
    after = night(note("CVE-scored", score=9.9), *(note(f"CVE-new-{n}") for n in range(4)))
    cause = scan_diff.explained(scan_diff.compare(before, after)).rejections[0].cause
    assert cause.endswith("CVE-new-0, CVE-new-1, CVE-new-2, CVE-new-3, CVE-old, CVE-scored")
    many = scan_diff.explained(scan_diff.compare(night(), night(*(note(f"CVE-{n:02}") for n in range(11)))))
    assert many.rejections[0].cause.endswith("CVE-09")


@pytest.mark.parametrize("after", [note(severity="CRITICAL"), note(score=7.6), note(score=None)])
def test_another_severity_or_another_score_is_another_answer(after) -> None:
    """Either of them, in both directions."""
    for one, other in ((note(), after), (after, note())):
        (pair,) = scan_diff.compare(night(one), night(other, data=1)).rescored
        assert (pair.before, pair.after) == (one, other)


def test_of_a_finding_that_is_there_twice_the_worst_counts() -> None:
    """By severity, then by score; no score is the least."""
    low, unscored, high = note(severity="LOW", score=9.0), note(score=None), note(score=0.5)
    lower = note(score=0.4)
    for notes in ((low, unscored, high), (high, unscored, low), (unscored, high, low), (high, lower), (lower, high)):
        (pair,) = scan_diff.compare(night(*notes), night(note(), data=1)).rescored
        assert pair.before == high
    zero = note(score=0.0)  # no worse than none: the first of the two stays
    assert scan_diff.compare(night(zero, unscored), night(zero)).rescored == ()
    assert scan_diff.compare(night(unscored, zero), night(unscored)).rescored == ()


def test_the_row_of_the_log_counts_each_kind_of_change() -> None:
    """New, fixed, re-scored, and what is open tonight."""
    before = night(note("CVE-1"), note("CVE-2"), note("CVE-3"), note("CVE-4"))
    critical = note("CVE-5", "CRITICAL")
    after = night(note("CVE-3", score=1.0), note("CVE-4", score=1.0), note("CVE-6"), critical, hours=24, data=1)
    row = scan_diff.log_row(scan_diff.compare(before, replace(after, findings=(*after.findings, note("CVE-7", "LOW")))))
    assert row.startswith("| 2026-11-23 03:12 UTC | ")
    assert "| 3 | 2 | 2 | 1 | 3 | the image is the same; the vulnerability data changed" in row
    assert scan_diff.LOG_HEAD.splitlines()[1] == "|---" * 9 + "|"


def test_a_newer_version_of_a_package_is_not_a_new_finding() -> None:
    """The same vulnerability in the same package is the same finding, whatever the version."""
    changes = scan_diff.compare(night(note()), night(note(installed="3.0.1-2"), digest=OTHER))
    assert not changes.any


def test_the_trend_counts_each_night_by_severity() -> None:
    """Oldest first; an unknown word counts as the worst."""
    points = scan_diff.trend([night(note(), note("CVE-2", "SEVERE"), note("CVE-3", "UNTRIAGED"), hours=25), night()])
    assert [dict(p.counts)["HIGH"] for p in points] == [0, 1]
    assert (dict(points[1].counts)["CRITICAL"], dict(points[1].counts)["UNRATED"]) == (1, 1)
    assert [name for name, _ in points[1].counts][:3] == ["CRITICAL", "UNRATED", "HIGH"]


def test_a_record_comes_back_as_it_was_kept(tmp_path) -> None:
    """Written at once, sorted by time, equal after reading."""
    records = [night(note(decision="upgrade", until=date(2026, 12, 1)), hours=h) for h in (25, 0)]
    paths = [keep(record, tmp_path) for record in records]
    assert read(paths[0]) == records[0]
    assert read_all(tmp_path) == (records[1], records[0])


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"at": "yesterday"}', "[" * 100_000])
def test_a_damaged_record_is_a_clear_no(text, tmp_path) -> None:
    """It names the file and the way out; there is no night without findings by accident."""
    path = tmp_path / "last.json"
    path.write_text(text)
    with pytest.raises(EvidenceDamaged, match=r"last\.json"):
        read(path)
    with pytest.raises(EvidenceDamaged):
        read_all(tmp_path)


@given(
    st.sampled_from(list(json.loads(to_json(night(note()))))),
    st.none() | st.integers() | st.text() | st.lists(st.text()),
)
def test_a_record_with_any_wrong_value_is_read_or_refused(key, value) -> None:
    """Whatever one value is replaced by, the outcome is a record or EvidenceDamaged."""
    raw = {**json.loads(to_json(night(note()))), key: value}
    try:
        record = from_json(json.dumps(raw))
    except EvidenceDamaged:
        return
    assert record.at.tzinfo is not None


def test_the_chain_leads_from_a_withdrawn_candidate_to_the_release() -> None:
    """Found in a candidate, upgraded in the next image, scanned again there: digests and dates are in the row."""
    withdrawn = night(note(), note("CVE-2", "CRITICAL"), event="withdrawn", digest=OTHER)
    links = remediation.remediations([night(hours=2, event="released"), withdrawn])
    assert remediation.remediated(links, "HIGH").accepted
    assert [link.note.id for link in links] == ["CVE-2", "CVE-2024-0001"]
    table = remediation.markdown(links)
    for part in (OTHER, DIGEST, "2026-11-22 03:12", "2026-11-22 05:12", "candidate withdrawn", "fixed in 3.0.2"):
        assert part in table


def test_the_chain_tells_exceptions_monitoring_and_withdrawn_advisories() -> None:
    """Each way a finding may be dealt with has its words."""
    excepted = remediation.remediations([night(note(decision="accepted-risk", until=date(2026, 12, 1)))])[0]
    assert (excepted.mitigation, excepted.closed) == ("excepted until 2026-12-01: accepted-risk", True)
    monitored = remediation.remediations([night(note(severity="LOW", decision="monitor"))])[0]
    assert monitored.mitigation.startswith("monitored")
    gone = remediation.remediations([night(note()), night(hours=25, data=25)])[0]
    assert "the vulnerability data changed" in gone.mitigation


def test_a_finding_that_comes_back_is_open_again() -> None:
    """The last word counts: mitigated once and found again is not mitigated."""
    links = remediation.remediations([night(note()), night(hours=1, digest=OTHER), night(note(), hours=2)])
    checked = remediation.remediated(links, "HIGH")
    assert "has not been mitigated" in checked.rejections[0].cause
    assert "| open | not yet |" in remediation.markdown(links)


def test_a_worse_finding_than_the_severity_named_has_to_be_closed_too() -> None:
    """The severity and above: an open CRITICAL is no less open than a HIGH."""
    checked = remediation.remediated(remediation.remediations([night(note(severity="CRITICAL"))]), "HIGH")
    assert "(CRITICAL) was found" in checked.rejections[0].cause


def test_a_finding_that_is_gone_from_the_same_image_and_data_is_not_mitigated() -> None:
    """Not by this run's own scans without it, nor by the next night's; by other data or another image it is."""
    found, own = night(note()), [night(hours=24, event="candidate"), night(hours=25, event="released")]
    links = remediation.remediations([found, *own])
    assert "has not been mitigated" in remediation.remediated(links, "HIGH").rejections[0].cause
    assert "| open | not yet |" in remediation.markdown(links)
    for later in (night(hours=48, data=48), night(hours=48, digest=OTHER), replace(own[1], source_updated_at=None)):
        (link,) = remediation.remediations([found, *own, later])
        assert link.rescanned == later
        assert remediation.remediated((link,), "HIGH").accepted


def test_a_link_is_closed_by_a_mitigation_and_a_scan_since() -> None:
    """Neither alone closes it."""
    (link,) = remediation.remediations([night(note())])
    scan = night(hours=1)
    assert replace(link, mitigation="replaced", rescanned=scan).closed
    assert not replace(link, mitigation="", rescanned=scan).closed
    assert not replace(link, mitigation="replaced", rescanned=None).closed


def test_the_chain_names_the_first_scan_that_found_it_and_the_first_without_it() -> None:
    """Of five scans: seen in the second and third, proven gone by the fourth."""
    seen = [night(note(), hours=2), night(note(installed="3.0.1-2"), hours=3)]
    gone = [night(hours=4, digest=OTHER, event="released"), night(hours=5, digest=OTHER)]
    (link,) = remediation.remediations([night(hours=1), *seen, *gone])
    assert (link.found, link.last, link.rescanned) == (seen[0], seen[1], gone[0])
    assert link.note.installed == "3.0.1-2"
    assert link.mitigation == "openssl 3.0.1-2 replaced (fixed in 3.0.2) in a new image"
    row = remediation.markdown([link])
    assert "withdrawn" not in row
    assert f"2026-11-22 07:12 UTC `{OTHER}`" in row.replace("\\", "")


def test_a_withdrawn_candidate_is_called_so() -> None:
    """In the mitigation and where it was found; without a fixed version none is named."""
    found = night(replace(note(), fixed=""), event="withdrawn", digest=OTHER)
    (link,) = remediation.remediations([found, night(hours=2, event="released")])
    assert link.mitigation == "openssl 3.0.1 replaced in a new image, the candidate withdrawn"
    assert "(candidate withdrawn)" in remediation.markdown([link])


def test_lower_findings_may_stay_open() -> None:
    """The chain asked for is that of the severity named, and above."""
    links = remediation.remediations([night(note(severity="LOW"))])
    assert remediation.remediated(links, "HIGH").accepted
    assert not remediation.remediated(links, "LOW").accepted


@pytest.mark.parametrize("text", ["<script>x</script>", "| a |\n|---|", "\x1b[2Jx", "A" * 10_240], ids=range(4))
def test_hostile_texts_do_not_leave_their_cell(text) -> None:
    """In the chain and in the rescan log: one row each, of the same number of cells, no tag."""
    raw = json.loads(to_json(night(note(id=text, installed=text))))
    record = from_json(json.dumps({**raw, "provenance": text, "digest": text}))
    rows = [
        scan_diff.log_row(scan_diff.compare(None, record)),
        remediation.markdown(remediation.remediations([record])).splitlines()[2],
    ]
    for row, bars in zip(rows, (10, 7), strict=True):
        assert row.strip().count("\n") == 0
        assert row.replace("\\|", "").count("|") == bars
        assert "<" not in row
        assert "\x1b" not in row


def test_nothing_ever_found_is_a_sentence() -> None:
    """An empty chain is not an empty table."""
    assert "No recorded scan has found" in remediation.markdown(remediation.remediations([night()]))


def test_ten_thousand_findings_over_two_nights_are_compared_quickly() -> None:
    """Comparison and chain grow with the findings, not with their square."""

    def seconds(number: int) -> float:
        notes = tuple(note(f"CVE-{i}", "LOW", decision="monitor") for i in range(number))
        began = process_time()
        scan_diff.compare(night(*notes), night(*notes[1:], data=1))
        remediation.remediations([night(*notes), night(*notes[1:], hours=25, data=1)])
        return process_time() - began

    assert min(seconds(10_000) for _ in range(3)) / min(seconds(1_250) for _ in range(3)) < 32


def test_the_records_findings_are_those_of_the_report() -> None:
    """Open ones, with what was to become of each."""
    record = record_of(report_of(basic(severity="low")), parse(GOOD), event="released", tags=(), target="aws")
    assert [(n.id, n.severity, n.decision) for n in record.findings] == [("CVE-2024-0001", "LOW", "monitor")]
