"""Why a run ended as it did: each cause once, in the words of the failure."""

from datetime import date

from gate.report.causes import Line, causes, lines_of, other_reasons
from gate.report.findings import SHOWN, findings
from gate.verdict import ScenarioOutcome, Verdict
from tests.report.sample import CAUSE, scan


def claim(criterion, reason, status="failed", **more):
    """A claim with this reason."""
    return ScenarioOutcome(f"claim {criterion} {reason[:9]}", criterion, status, reason, **more)


def test_one_cause_is_told_once_and_in_the_order_of_the_run():
    """Claims with the same reason share a cause, told where the first of them stood."""
    told = causes([claim(1, "rare"), claim(2, CAUSE), claim(9, CAUSE), claim(3, "", "passed")])
    assert [(len(c.claims), c.criteria) for c in told] == [(1, "AC1"), (2, "AC2, AC9")]


def test_what_a_check_said_comes_before_what_could_not_be_judged_for_it():
    """One bad image keeps thirty claims waiting: it is told first, however many wait."""
    told = causes([*(claim(n, "nothing was pushed", checked=False) for n in (2, 3, 7)), claim(1, "no Chromedriver")])
    assert [c.lines[0].text for c in told] == ["no Chromedriver", "nothing was pushed"]


def test_facts_that_could_not_be_had_are_no_judgement():
    """A cause of which no check spoke says so."""
    assert [c.checked for c in causes([claim(1, "silence", checked=False)])] == [False]


def test_where_and_what_to_do_are_told_apart():
    """The three parts of a failure keep their order and lose their marks."""
    assert lines_of(CAUSE)[1:] == (
        Line("where", "/etc/security/opasswd"),
        Line("to do", "chmod -R a+rX them in the layer that makes them"),
    )
    assert lines_of("") == (Line("", "no cause was given"),)


def test_other_reasons_leave_out_the_failed_claims():
    """A failed claim is told by its cause; interruptions stay."""
    failed = claim(1, "x")
    verdict = Verdict("NO-GO", 1, ("interrupted", f"AC1: {failed.name}"), {}, ())
    assert other_reasons(verdict, [failed]) == ("interrupted",)


def test_a_list_of_findings_is_bounded_and_counts_them_all():
    """The worst are shown, all are counted; without a register nobody knows what is to become of them."""
    found = findings(scan(SHOWN + 50, "p"), None, "local", date(2026, 1, 2))
    assert (len(found.rows), found.total) == (SHOWN, SHOWN + 50)
    assert {row.severity for row in found.rows[:60]} == {"CRITICAL"}
    assert {row.fate for row in found.rows} == {"unknown: the register cannot be read"}
