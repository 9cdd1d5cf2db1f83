"""What must hold before a push and before the tags: derived from how a scenario is tagged, and from nothing else."""

from types import SimpleNamespace

import pytest

from gate.check import BlockedByEarlierFailure
from gate.publish.preconditions import Stage, arranged, refuse_promotion, refuse_push, stage_of, unmet
from gate.scenarios.features import Scenario, scenarios_of
from gate.verdict import ScenarioOutcome
from tests.faults.world import ROOT

IMAGE = Scenario("image", 6, frozenset({"ac6", "before_push"}), "", {"": "image"})
SIZE = Scenario("size", 6, frozenset({"ac6", "before_push", "published"}), "", {"": "size"})
ACCESS = Scenario("access", 5, frozenset({"ac5"}), "", {"": "access"})
NEW = Scenario("new", 9, frozenset({"ac9"}), "", {"": "new"})
AWS = Scenario("aws", 4, frozenset({"ac4", "aws", "published"}), "", {"": "aws"})
TAGS = Scenario("tags", 2, frozenset({"ac2", "published", "after_promotion"}), "", {"a": "tags a", "b": "tags b"})
EVERY = (TAGS, NEW, ACCESS, SIZE, IMAGE, AWS)


def run_of(*outcomes, place="local", kind="full", overridden=()):
    """A run in which so much was checked: (scenario, status)."""
    checked = [ScenarioOutcome(n, c.criterion, s, f"cause of {n}\n    where: x", only_aws="aws" in c.tags)
              for c, s in outcomes for n in c.titles.values()]  # fmt: skip
    return SimpleNamespace(scenarios=EVERY, outcomes=checked, target=place, kind=kind, overridden=overridden)


BEFORE = tuple((scenario, "passed") for scenario in (IMAGE, SIZE, ACCESS, NEW))


def test_a_scenario_without_a_tag_of_its_own_is_a_condition_of_the_tags():
    """Whoever adds one need not know of any second list."""
    assert [stage_of(scenario) for scenario in (IMAGE, SIZE, NEW, ACCESS, TAGS)] == [
        Stage.IMAGE, Stage.CANDIDATE, Stage.CANDIDATE, Stage.CANDIDATE, Stage.RELEASE,
    ]  # fmt: skip


def test_scenarios_run_in_the_order_of_their_stages_whatever_order_they_came_in():
    """Within a stage the order stays."""
    assert arranged(EVERY, EVERY, lambda scenario: scenario) == [IMAGE, NEW, ACCESS, SIZE, AWS, TAGS]


@pytest.mark.parametrize(
    ("chosen", "checked"),
    [
        ((ACCESS,), [ACCESS]),
        ((SIZE,), [IMAGE, SIZE]),
        ((TAGS,), [IMAGE, NEW, ACCESS, SIZE, AWS, TAGS]),
        ((IMAGE, ACCESS), [IMAGE, ACCESS]),
        ((), []),
    ],
    ids=["nothing is pushed for it", "needs a push", "needs the tags", "none", "empty"],
)
def test_a_selected_scenario_brings_its_conditions(chosen, checked):
    """`-m ac2` promotes, and so every scenario that must hold before is checked too."""
    assert arranged(EVERY, chosen, lambda scenario: scenario) == checked


def test_everything_judged_and_green_lets_the_tags_be_given():
    """What only AWS can prove does not stop a rehearsal."""
    run = run_of(*BEFORE, (AWS, "not run"))
    refuse_push(run)
    refuse_promotion(run, "sha256:d")


@pytest.mark.parametrize("scenario", [IMAGE, SIZE, ACCESS, NEW, AWS], ids=lambda scenario: scenario.name)
@pytest.mark.parametrize("state", ["failed", "missing"])
def test_one_scenario_that_fails_or_was_not_judged_stops_the_promotion(scenario, state):
    """Its cause is in the refusal."""
    rest = [(each, status) for each, status in (*BEFORE, (AWS, "not run")) if each is not scenario]
    run = run_of(*rest, *([(scenario, "failed")] if state == "failed" else []))
    said = f"cause of {scenario.name}" if state == "failed" else "was not checked before"
    with pytest.raises(BlockedByEarlierFailure, match=said):
        refuse_promotion(run, "sha256:d")


def test_the_push_asks_about_the_image_alone():
    """A refused permission does not keep the scan from being looked at."""
    refuse_push(run_of((IMAGE, "passed"), (ACCESS, "failed")))
    with pytest.raises(BlockedByEarlierFailure, match="cause of image"):
        refuse_push(run_of((IMAGE, "failed")))


def test_on_aws_a_scenario_that_did_not_run_stops_the_promotion():
    """A tag that never moves again is given to what is wholly checked."""
    run = run_of(*BEFORE, (AWS, "not run"), place="aws")
    with pytest.raises(BlockedByEarlierFailure, match="AC4 did not run: aws"):
        refuse_promotion(run, "sha256:d")


def test_on_aws_a_restricted_run_gives_no_tag():
    """It could never be a GO."""
    run = run_of(*BEFORE, (AWS, "passed"), place="aws", kind="partial")
    with pytest.raises(BlockedByEarlierFailure, match="restricted"):
        refuse_promotion(run, "sha256:d")


@pytest.mark.parametrize("place", ["aws", "local", "aws-rehearsal"])
def test_on_aws_an_overridden_run_gives_no_tag(place):
    """It is INCOMPLETE at most; a rehearsal goes on, so that the rest can be seen too."""
    run = run_of(*BEFORE, (AWS, "passed"), place=place, overridden=("handler is x",))
    if place != "aws":
        return refuse_promotion(run, "sha256:d")
    with pytest.raises(BlockedByEarlierFailure, match="overridden: handler is x"):
        refuse_promotion(run, "sha256:d")
    return None


def test_a_cause_that_many_scenarios_share_is_told_once():
    """An engine that stops is one cause."""
    run = run_of(*((scenario, "failed") for scenario in (IMAGE, SIZE)))
    for number, outcome in enumerate(run.outcomes):
        run.outcomes[number] = ScenarioOutcome(outcome.name, outcome.criterion, "failed", "the same")
    assert [each.cause for each in unmet(run, Stage.RELEASE)].count("the same") == 1


def test_of_the_real_features_only_what_needs_the_tags_comes_after_them():
    """AC1, AC4, AC5, AC6 and AC9 are wholly checked before; AC3 and AC8 are about what was published."""
    after = {
        scenario.criterion
        for scenario in scenarios_of(ROOT / "features").values()
        if stage_of(scenario) is Stage.RELEASE
    }
    assert after == {2, 3, 7, 8}
    late = {scenario.name for scenario in scenarios_of(ROOT / "features").values()
            if stage_of(scenario) is Stage.RELEASE and scenario.criterion in {2, 7}}  # fmt: skip
    settings = ("mutability", "lifecycle", "overwritten while", "admits", "Scanning really", "checked digest finds")
    assert not [name for name in late if any(word in name for word in settings)]
