"""When each scenario is checked: before the push, before the promotion, or after it; and what has to hold before each.

The stage follows from the tags of the scenario, so that a new one is a condition of the release without being entered
anywhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, TypeVar

from gate.check import BlockedByEarlierFailure, Rejection

if TYPE_CHECKING:
    from gate.run.model import Run
    from gate.scenarios.features import Scenario

T = TypeVar("T")
# Tags of features/ (pytest.ini explains them).
_BEFORE_PUSH, _PUBLISHED, _AFTER = "before_push", "published", "after_promotion"


class Stage(IntEnum):
    """When a scenario is checked by a run that publishes.

    IMAGE: on the image alone, before anything is pushed.
    CANDIDATE: on the digest behind the candidate tag, before it is given any other; the stage of a scenario that
        says nothing else.
    RELEASE: once its tags name the digest, because it can only be seen then.
    """

    IMAGE = 1
    CANDIDATE = 2
    RELEASE = 3


def stage_of(scenario: Scenario) -> Stage:
    """The stage that the tags of a scenario state."""
    if _AFTER in scenario.tags:
        return Stage.RELEASE
    return Stage.IMAGE if _BEFORE_PUSH in scenario.tags and _PUBLISHED not in scenario.tags else Stage.CANDIDATE


def arranged(every: Sequence[T], selected: Sequence[T], scenario_of: Callable[[T], Scenario]) -> list[T]:
    """The selected tests in the order of their stages, with the conditions that they have and were not selected.

    Args:
        every: all tests that were collected, in their order.
        selected: those that the person chose, in the order in which they are to run.
        scenario_of: the scenario of a test.
    """
    needed = max((_needs(scenario_of(test)) for test in selected), default=Stage.IMAGE)
    chosen = {id(test) for test in selected}
    conditions = [test for test in every if id(test) not in chosen and stage_of(scenario_of(test)) < needed]
    return sorted([*selected, *conditions], key=lambda test: stage_of(scenario_of(test)))


def _needs(scenario: Scenario) -> Stage:
    """How far a release must have come for a scenario: one that asks nothing of the registry needs no push."""
    stage = stage_of(scenario)
    return Stage.IMAGE if stage is Stage.CANDIDATE and _PUBLISHED not in scenario.tags else stage


def unmet(run: Run, stage: Stage) -> tuple[Rejection, ...]:
    """What stands against going on to a stage, from the scenarios of the stages before it.

    A scenario that did not run stands against a release on AWS; a rehearsal goes on, so that the rest can be seen too.
    """
    outcomes = {(outcome.criterion, outcome.name): outcome for outcome in run.outcomes}
    found: list[Rejection] = []
    for scenario in run.scenarios:
        for name in scenario.titles.values() if stage_of(scenario) < stage else ():
            outcome = outcomes.get((scenario.criterion, name))
            if outcome is None:
                found.append(_against(f"AC{scenario.criterion} was not checked before: {name}"))
            elif outcome.status == "failed":
                found += outcome.told
            elif outcome.status == "not run" and run.target == "aws":
                found.append(_against(f"AC{scenario.criterion} did not run: {name}: {outcome.reason}"))
    return tuple(dict.fromkeys(found))


def _against(sentence: str) -> Rejection:
    return Rejection(sentence, "", "")


def refuse_push(run: Run) -> None:
    """Let a push go on only when every scenario about the image holds.

    Raises:
        BlockedByEarlierFailure: with what stands against it.
    """
    if against := unmet(run, Stage.CANDIDATE):
        raise BlockedByEarlierFailure(
            "nothing was pushed, and so nothing could be looked at in the registry: the image fails AC1 or AC6",
            against,
            remedy="correct the image; the scenarios of AC1 and AC6 say more (-m 'ac1 or ac6')",
        )


def refuse_promotion(run: Run, digest: str) -> None:
    """Let the tags be given only when every scenario that can be checked without them holds.

    Raises:
        BlockedByEarlierFailure: with what stands against it.
    """
    against = unmet(run, Stage.RELEASE)
    if run.kind == "partial" and run.target == "aws":
        restricted = "the run was restricted (-m, -k or a path), and a restricted run gives no tag on AWS"
        against = (*against, _against(restricted))
    if run.target == "aws":
        # Such a run is INCOMPLETE at most, so its release would never be accepted.
        against = (*against, *(_against(f"overridden: {sentence}") for sentence in run.overridden))
    if against and run.kind == "promotion":
        raise BlockedByEarlierFailure(
            f"{run.release.rolling_tag} was not given to {run.release.release_tag} ({digest}), because scenarios that "
            "must hold before do not",
            against,
            remedy="correct what these scenarios name, and promote again; nothing in the registry has changed",
        )
    if against:
        raise BlockedByEarlierFailure(
            f"the candidate {digest} was pushed and given no other tag, because scenarios that must hold before do not",
            against,
            remedy="correct what they name, and release again; the published tags name what they named before",
        )
