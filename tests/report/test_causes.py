"""Why a run ended as it did: each cause once, with what follows from it below it."""

from gate.causes import causes
from gate.check import CHECKS, CheckResult, Rejection, check, reject
from gate.report.findings import SHOWN, findings
from gate.verdict import ScenarioOutcome
from tests.report.sample import scan

LINK = Rejection("/opt/driver is a dangling link", "/opt/driver", "install it", check="driver")
VERSION = Rejection(
    "the driver gave no version", "/opt/driver --version", "run it", check="version", follows=("driver",)
)
PAGE = Rejection("no page was opened", "sandbox", "run Chrome", check="page", follows=("version", "driver"))
PUSH = Rejection("nothing was pushed", "", "correct the image")


def scenario(criterion, *rejections, blocked_by=(), checked=True, status="failed"):
    """A scenario that failed by these rejections."""
    name = f"scenario {criterion} {rejections[0].cause[:9] if rejections else ''}"
    return ScenarioOutcome(name, criterion, status, checked=checked, rejections=rejections, blocked_by=blocked_by)


def blocked(criterion, *by, sentence=PUSH):
    """A scenario that was not looked at because of these."""
    return scenario(criterion, sentence, blocked_by=by, checked=False)


def test_one_cause_is_told_once_and_in_the_order_of_the_run():
    """Scenarios with the same rejection share a cause, told where the first of them stood; the passed have none."""
    told = causes([scenario(1, VERSION), scenario(2, LINK), scenario(9, LINK), scenario(3, status="passed")])
    assert [(cause.rejections, cause.counted) for cause in told] == [((LINK,), "2 scenarios in AC2, AC9")]
    assert [each.counted for each in told[0].consequences] == ["1 scenario in AC1"]


def test_one_broken_driver_is_one_cause():
    """What looks at the driver, what needs it, and what was not done for it, in the order of the run."""
    told = causes(
        [scenario(1, LINK), scenario(1, VERSION), scenario(6, PAGE), *(blocked(n, LINK, PAGE) for n in (2, 3, 7))]
    )
    assert [cause.rejections for cause in told] == [(LINK,)]
    assert [each.rejections for each in told[0].consequences] == [(VERSION,), (PAGE,), (PUSH,)]
    assert len(told[0].failed_with_it) == 5


def test_what_follows_from_nothing_that_failed_is_a_cause():
    """A page that does not open although the driver is well."""
    told = causes([scenario(1, PAGE), scenario(1, VERSION)])
    assert [cause.rejections for cause in told] == [(VERSION,)]
    assert [cause.rejections for cause in causes([scenario(1, PAGE)])] == [(PAGE,)]


def test_a_second_cause_is_never_folded_away():
    """A scenario that says something of its own beside what follows stays in sight."""
    own = Rejection("Chrome is 1 and the driver 2", "", "", check="page")
    told = causes([scenario(1, LINK), scenario(1, VERSION, own), scenario(6, own)])
    assert [cause.rejections for cause in told] == [(LINK,), (VERSION, own)]


def test_a_rejection_is_told_once_although_two_scenarios_say_it_beside_others():
    """Two tags, one finding more behind one of them."""
    first, second = Rejection("CVE-1", "scan", "upgrade"), Rejection("CVE-2", "scan", "upgrade")
    told = causes([scenario(7, first), scenario(7, first, second)])
    assert [(cause.rejections, len(cause.scenarios)) for cause in told] == [((first,), 2), ((second,), 1)]


def test_what_a_check_said_comes_before_what_could_not_be_judged_for_it():
    """One bad image keeps thirty waiting: it is told first, however many wait; the engine's silence after it."""
    silence = Rejection("the engine does not answer", "", "start it")
    told = causes([scenario(4, silence, checked=False), *(blocked(n, LINK) for n in (2, 3)), scenario(6, LINK)])
    assert [(cause.rejections, cause.checked) for cause in told] == [((LINK,), True), ((silence,), False)]
    assert told[0].consequences[0].rejections == (PUSH,)


def test_what_did_not_run_is_the_cause_of_what_waits_for_it():
    """Nothing failed: a scenario that was not run stands against the tags."""
    absent = Rejection("AC5 was not checked before: a scenario", "", "")
    [cause] = causes([blocked(2, absent), blocked(3, absent)])
    assert (cause.rejections, cause.scenarios, cause.checked) == ((absent,), (), False)
    assert len(cause.failed_with_it) == 2


def test_two_that_explain_each_other_are_both_told():
    """A table of what follows from what may be wrong; nothing is lost by it."""
    one = Rejection("one", "", "", check="one", follows=("two",))
    two = Rejection("two", "", "", check="two", follows=("one",))
    told = causes([scenario(1, one), scenario(2, two)])
    assert sorted(r.cause for cause in told for r in (cause, *cause.consequences) for r in r.rejections) == [
        "one",
        "two",
    ]


def test_a_run_of_an_older_gate_tells_its_text():
    """It kept no objects."""
    old = ScenarioOutcome("scenario", 1, "failed", "why")
    assert [cause.rejections[0].cause for cause in causes([old])] == ["why"]


def test_a_check_signs_what_it_says_and_names_what_explains_it():
    """Also when it passes on what another said."""

    @check(1, known_bad=lambda: (0,))
    def looks(value: int) -> CheckResult:
        return reject("no", "", "")

    @check(1, known_bad=lambda: (0,), follows=(looks,))
    def uses(value: int) -> CheckResult:
        return looks(value) + reject("own", "", "")

    try:
        told = uses(1).rejections
        assert [each.check.rpartition(".")[2] for each in told] == ["looks", "uses"]
        assert [each.follows for each in told] == [(), (told[0].check,)]
    finally:
        for name in [name for name in CHECKS if name.startswith(__name__)]:
            del CHECKS[name]


def test_a_list_of_findings_is_bounded_and_counts_them_all():
    """The worst are shown, all are counted; without a register nobody knows what is to become of them."""
    found = findings(scan(SHOWN + 50, "p"), None)
    assert (len(found.rows), found.total) == (SHOWN, SHOWN + 50)
    assert {row.severity for row in found.rows[:60]} == {"CRITICAL"}
    assert {row.fate for row in found.rows} == {"unknown: the register cannot be read"}
