"""The report's page: every word escaped, every status shown, never larger than a mail attachment."""

import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from gate.check import SelfTest
from gate.evidence.store import EvidenceRecord
from gate.report.figures import Bar, bars
from gate.report.html import mend
from gate.report.page import EMBEDDED_PER_RECORD, ReportPage, excerpts, render
from gate.verdict import ScenarioOutcome, StepOutcome, Verdict

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{ 7*7 }}"


def record(number, answer):
    """A record with this answer."""
    return EvidenceRecord(number, 1, "scenario", HOSTILE, HOSTILE, answer, "local", "real", "", "2026-01-01", "0" * 64)


def page(**changed):
    """A page with one failed scenario, every text of which is hostile."""
    step = StepOutcome("Given", HOSTILE, "failed", 0.1, (1,))
    outcome = ScenarioOutcome(HOSTILE, 1, "failed", HOSTILE, steps=(step,))
    document = {"target": "local", "judges": {"said_no": 1, "of": 1}, "valid_until": None}
    values = {
        "verdict": Verdict("REHEARSAL FAILED", 1, (HOSTILE,), {1: "failed"}, (HOSTILE,)),
        "document": document,
        "headline": HOSTILE,
        "summary": [(HOSTILE, HOSTILE)],
        "pictures": [],
        "outcomes": [outcome],
        "records": [record(1, {"text": HOSTILE})],
        "proofs": [SelfTest(HOSTILE, True, HOSTILE)],
        **changed,
    }
    return ReportPage(**values)


class Tags(HTMLParser):
    """Counts the elements of a page."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def handle_starttag(self, tag, attrs):
        """Note each element and its attributes."""
        self.seen.append((tag, dict(attrs)))


def elements(html):
    """Every element of a page with its attributes."""
    parser = Tags()
    parser.feed(html)
    return parser.seen


def test_foreign_text_never_becomes_markup():
    """Hostile text in every place of the page adds no element and no handler."""
    seen = elements(render(page()))
    assert [tag for tag, _ in seen if tag == "script"] == ["script"]
    assert not [tag for tag, _ in seen if tag == "img"]
    assert not [attrs for _, attrs in seen if any(name.startswith("on") for name in attrs)]
    assert "{{ 7*7 }}" in render(page())


def test_what_is_no_text_does_not_keep_the_page_from_the_disk():
    """A file's name in an image may be bytes that UTF-8 does not know."""
    html = render(page(records=[record(1, {"name": "caf\udce9"})], headline="\ud800"))
    assert "caf?" in html
    assert html.encode()


def entitled(title, answer):
    """A record with this title."""
    return EvidenceRecord(1, 6, "scenario", title, "", answer, "local", "real", "", "2026-01-01", "0" * 64)


def test_warnings_stand_below_the_decision_and_no_others_do():
    """Each once, by its first line; without any there is no such section."""
    found = [
        entitled("warnings: ends", [f"soon {HOSTILE}\n    where: here", "soon"]),
        entitled("warnings: more", ["soon"]),
    ]
    html = render(page(records=[*found, entitled("no warnings: at all", ["never"]), entitled("warnings: none", [])]))
    listed = html[html.index('id="warnings"') : html.index('id="release"')]
    assert listed.count("<li>") == 2
    assert "<li>soon</li>" in listed
    assert "<script>alert" not in listed
    assert "where: here" not in listed
    assert 'id="warnings"' not in render(page(records=[entitled("warnings: none", [])]))


def test_only_what_the_run_is_about_is_shown_and_the_rest_is_named():
    """A night looks at two criteria: seven yellow rows of "0 of 0" beside a CLEAN would have to be explained."""
    html = render(page())
    assert [f'id="ac{n}"' in html for n in range(1, 10)] == [True] + [False] * 8
    assert "No part of this run: AC2, AC3, AC4, AC5, AC6, AC7, AC8, AC9." in html
    night = render(page(document={"target": "aws", "judges": {"said_no": 1, "of": 1}, "kind": "rescan"}))
    assert "No part of this night: AC2" in night


def test_what_only_aws_can_prove_is_not_counted_against_a_rehearsal():
    """A rehearsal counts 3 of 3 and names the 2 others; it used to say 3/5 in green."""
    scenarios = [ScenarioOutcome(f"Scenario {n}", 4, "passed") for n in range(3)]
    scenarios += [ScenarioOutcome(f"Trail {n}", 4, "not run", "only AWS", only_aws=True) for n in range(2)]
    html = render(page(outcomes=scenarios))
    assert "<td>3 of 3<br>" in html
    assert "2 more on AWS" in html
    assert "<td>3 of 5" in render(page(outcomes=scenarios, document={**page().document, "target": "aws"}))


@pytest.mark.parametrize(
    ("checked", "criterion", "scenarios"),
    [([True, True], "failed", ["failed", "failed"]), ([True, False], "failed", ["failed", "not checked"]),
     ([False, False], "not checked", ["not checked", "not checked"])],
)  # fmt: skip
def test_what_could_not_be_judged_accuses_nobody(checked, criterion, scenarios):
    """Its badge is as red, with another word; the criterion's too when none of its scenarios was checked."""
    outcomes = [ScenarioOutcome(f"scenario {n}", 4, "failed", "why", checked=each) for n, each in enumerate(checked)]
    words = re.findall(r'<span class="badge failed">([^<]+)</span>', render(page(outcomes=outcomes)))
    assert words == [criterion, criterion, *scenarios]


def test_long_evidence_is_cut_and_says_where_the_rest_is():
    """A record beyond its share is cut, with the name of the whole file."""
    [text] = excerpts([record(1, "x" * (EMBEDDED_PER_RECORD + 5))]).values()
    assert text.endswith("… 5 more characters in 001-script-alert-1-script-img-src-x-onerror-alert-1-7-7.json")


def test_ten_thousand_records_stay_below_a_mail_attachment():
    """The page stays under 5 MB whatever the run recorded."""
    steps = tuple(StepOutcome("Then", "it", "passed", 0.1, (n,)) for n in range(1, 2001))
    records = [record(n, "y" * 5000) for n in range(1, 2001)]
    html = render(page(records=records, outcomes=[ScenarioOutcome("scenario", 1, "passed", steps=steps)]))
    assert len(html) < 5_000_000


def test_a_bar_beyond_the_limit_is_drawn_beyond_it():
    """The scale grows with the value, so that an excess is seen."""
    drawn = bars("Init", [Bar("init", 12.0, "12.0 s", "bad")], limit=Bar("limit", 10.0, "10 s"))
    width = float(re.search(r'class="bar bad" style="margin-left:0.0%;width:([\d.]+)%"', drawn).group(1))
    limit = float(re.search(r'class="limit" style="left:([\d.]+)%"', drawn).group(1))
    assert width > limit


def test_the_nights_are_drawn_by_severity():
    """A bar of parts, the worst first and each of its own length; a night without findings has none."""
    night = Bar("night", 4, "1 critical, 3 low", parts=(("severity critical", 1), ("severity low", 3)))
    drawn = bars("Nights", [night, Bar("clean", 0, "none"), Bar("more", 8, "8 high", parts=(("severity high", 8),))])
    found = re.findall(r'class="bar ([a-z ]+)" style="margin-left:0[.0]*%;width:([\d.]+)%"', drawn)
    severities = [("severity critical", "12.5"), ("severity low", "37.5"), ("severity high", "100.0")]
    assert found == [*severities[:2], ("plain", "0"), severities[2]]


def test_mending_gives_the_page_a_language_and_no_outside_link(tmp_path):
    """What pytest-html's template lacks is added once."""
    path = tmp_path / "report.html"
    path.write_text(
        '<!DOCTYPE html>\n<html>\n<head><meta charset="utf-8"/></head><body><a href="https://pypi.python.org/x">'
        f'pytest-html</a><input data-test-result="passed">{datetime.now(UTC):%Y}</body></html>'
    )
    mend(path)
    seen = dict(elements(path.read_text()))
    assert seen["html"] == {"lang": "en"}
    assert "a" not in seen
    assert seen["input"]["aria-label"] == "show passed tests"
