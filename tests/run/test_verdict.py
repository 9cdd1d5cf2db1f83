"""The verdict: one word over a run, and never a GO that something forbids."""

from dataclasses import replace

import pytest

from gate.check import SelfTest
from gate.verdict import CRITERIA, ScenarioOutcome, criterion_status, decide

SEEING = (SelfTest("a check", True, "no"),)
ALL = tuple(ScenarioOutcome(f"scenario {n}", n, "passed") for n in CRITERIA)
NAMES = frozenset(o.name for o in ALL)


def verdict(outcomes=ALL, **changed):
    """The verdict over nine passed scenarios, with what a test changes."""
    settings = {"target": "aws", "kind": "full", "expected": NAMES, "proofs": SEEING, **changed}
    return decide(tuple(outcomes), **settings)


def with_status(status, **changed):
    """Nine scenarios, the last of them with this status."""
    return (*ALL[:-1], replace(ALL[-1], status=status, reason="why", **changed))


def test_only_nine_passed_criteria_on_aws_are_a_go():
    """Everything passed on AWS is GO and exit code 0."""
    assert (verdict().word, verdict().exit_code) == ("GO", 0)


def test_a_rehearsal_never_says_go():
    """The same outcomes on the local target are REHEARSAL PASSED."""
    assert verdict(target="local").word == "REHEARSAL PASSED"


def test_aws_pointed_elsewhere_is_a_rehearsal():
    """`--target aws` against an endpoint that is not AWS does not say GO."""
    assert verdict(endpoint_is_aws=False).word == "REHEARSAL PASSED"


@pytest.mark.parametrize(("target", "word"), [("aws", "NO-GO"), ("local", "REHEARSAL FAILED")])
def test_one_failed_scenario_is_a_no(target, word):
    """A single failure forbids the release and is named."""
    found = verdict(with_status("failed"), target=target)
    assert (found.word, found.exit_code) == (word, 1)
    assert found.reasons == ("AC9: scenario 9",)


def test_a_scenario_that_did_not_run_is_incomplete():
    """A scenario without an answer is neither a yes nor silently left out."""
    found = verdict(with_status("not run"))
    assert (found.word, found.exit_code) == ("INCOMPLETE", 1)
    assert "AC9 not run: scenario 9: why" in found.reasons


def test_failure_outranks_incompleteness():
    """A run with both says NO-GO."""
    assert verdict((*with_status("failed")[1:], replace(ALL[0], status="not run"))).word == "NO-GO"


def test_what_only_aws_can_prove_does_not_block_a_rehearsal_and_is_named():
    """An `@aws` scenario that a rehearsal left out is counted beside the verdict."""
    extra = ScenarioOutcome("cloud scenario", 4, "not run", reason="only AWS", only_aws=True)
    found = verdict((*ALL, extra), target="local", expected=NAMES | {"cloud scenario"})
    assert found.word == "REHEARSAL PASSED"
    assert found.only_aws == ("cloud scenario",)
    assert verdict((*ALL, extra), expected=NAMES | {"cloud scenario"}).word == "INCOMPLETE"


def test_a_scenario_that_was_not_collected_is_missed():
    """A scenario that exists in features/ and was not part of the run makes it INCOMPLETE."""
    found = verdict(expected=NAMES | {"forgotten scenario"})
    assert found.word == "INCOMPLETE"
    assert "not run: forgotten scenario" in found.reasons


def test_a_criterion_without_scenarios_is_missed():
    """Nine criteria are asked for, whatever the features folder holds."""
    found = verdict(ALL[:-1], expected=NAMES - {"scenario 9"})
    assert found.word == "INCOMPLETE"
    assert "AC9 has no scenario" in found.reasons


@pytest.mark.parametrize("proofs", [(), (SelfTest("blind check", False, "accepted it"),)])
def test_a_check_that_cannot_say_no_forbids_the_release(proofs):
    """A blind check, or no check at all, is NO-GO."""
    assert verdict(proofs=proofs).word == "NO-GO"


def test_trouble_outside_scenarios_forbids_the_release():
    """A crash or an interruption is NO-GO even when every scenario passed."""
    assert verdict(trouble=("the run was interrupted",)).word == "NO-GO"


def test_a_restricted_run_is_incomplete_and_succeeds_when_its_part_passed():
    """`-m ac1` ends 0 when what it ran passed, and never says more than INCOMPLETE."""
    found = verdict(ALL[:1], kind="partial", expected=frozenset())
    assert (found.word, found.exit_code) == ("INCOMPLETE", 0)
    assert verdict((), kind="partial", expected=frozenset()).exit_code == 1
    assert verdict(with_status("failed")[-1:], kind="partial", expected=frozenset()).exit_code == 1
    nothing = tuple(replace(each, only_aws=True) for each in with_status("not run")[-1:])
    assert verdict(nothing, kind="partial", expected=frozenset()).exit_code == 1


@pytest.mark.parametrize(
    ("outcomes", "word", "code"),
    [
        (ALL, "CLEAN", 0),
        (with_status("failed"), "NOT CLEAN", 1),
        (with_status("failed", checked=False), "UNKNOWN", 2),
        (with_status("not run"), "UNKNOWN", 2),
        ((), "UNKNOWN", 2),
    ],
)
def test_the_night_knows_the_difference_between_bad_and_unknown(outcomes, word, code):
    """A rescan is NOT CLEAN when a check said no, and UNKNOWN when nothing could be learnt."""
    found = verdict(outcomes, kind="rescan")
    assert (found.word, found.exit_code) == (word, code)


def test_a_criterion_with_no_scenario_is_incomplete():
    """No scenario is not a pass."""
    assert criterion_status((), "local") == "incomplete"


@pytest.mark.parametrize("status", ["passed", "failed", "not run"])
def test_each_criterion_has_the_status_of_its_own_scenarios(status):
    """The ninth criterion alone is what its scenario is; the others stay passed."""
    word = {"not run": "incomplete"}.get(status, status)
    assert verdict(with_status(status)).criteria == {**dict.fromkeys(range(1, 9), "passed"), 9: word}


def test_a_criterion_is_passed_only_when_all_of_its_scenarios_are():
    """One passed scenario does not speak for one that did not run."""
    beside = ScenarioOutcome("another scenario", 9, "not run", reason="why")
    assert verdict((*ALL, beside)).criteria[9] == "incomplete"


def test_a_criterion_that_only_aws_can_prove_is_not_passed_by_a_rehearsal():
    """A rehearsal passes no criterion of which it tried nothing."""
    assert verdict(with_status("not run", only_aws=True), target="local").criteria[9] == "incomplete"


def test_a_rehearsal_excuses_nothing_that_it_could_have_proven():
    """A scenario that did not run, and that the local target can prove, is INCOMPLETE there too."""
    found = verdict(with_status("not run"), target="local")
    assert (found.word, found.only_aws) == ("INCOMPLETE", ())


@pytest.mark.parametrize(("status", "word"), [("failed", "REHEARSAL FAILED"), ("passed", "REHEARSAL PASSED")])
def test_a_cloud_scenario_that_a_rehearsal_tried_counts(status, word):
    """What only AWS can prove is excused where it did not run, not where it ran."""
    found = verdict(with_status(status, only_aws=True), target="local")
    assert (found.word, found.only_aws, found.criteria[9]) == (word, (), status)


def test_a_restricted_run_names_what_it_left_out():
    """Criteria without a scenario are told in one sentence, and none is told where none is missing."""
    left_out = verdict(ALL[:7], kind="partial", expected=frozenset())
    assert left_out.reasons == ("the run was restricted: AC8, AC9 had no part in it",)
    assert verdict(kind="partial").reasons == ("the run was restricted: each criterion had only a part in it",)


def test_a_restricted_run_without_a_scenario_says_where_they_are_listed():
    """A name that matches nothing: nine criteria that had no part would hide it."""
    found = verdict((), kind="partial", expected=frozenset())
    assert (found.word, found.exit_code) == ("INCOMPLETE", 1)
    assert found.reasons == (
        "the run was restricted, and no scenario is left in it: `pytest features/ --collect-only` lists them",
    )
    whole = verdict((), kind="full", expected=frozenset())
    assert whole.reasons == tuple(f"AC{n} has no scenario" for n in range(1, 10))


def test_a_restricted_run_never_says_go_even_if_it_ran_everything():
    """A restriction that happens to leave nothing out is still INCOMPLETE."""
    assert verdict(kind="partial").word == "INCOMPLETE"


def test_a_night_that_looked_at_nothing_is_unknown():
    """No scenario, and none expected, is no CLEAN."""
    assert verdict((), kind="rescan", expected=frozenset()).word == "UNKNOWN"


def test_an_outcome_says_only_what_it_was_told():
    """By default a scenario is the check's own, provable anywhere, and took no time."""
    bare = ScenarioOutcome("scenario", 1, "passed")
    assert (bare.only_aws, bare.checked, bare.seconds) == (False, True, 0.0)


def test_the_criteria_are_the_nine_of_the_story():
    """None is missing, none is counted twice."""
    assert list(CRITERIA) == list(range(1, 10))
