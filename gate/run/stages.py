"""When each claim is checked: before the push, before the tags are given, or after; and what must hold before each.

The stage of a claim follows from the tags of its scenario, so that a new scenario is a condition of the release without
being named anywhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, TypeVar

from gate.blocked import BlockedByEarlierFailure
from gate.check import Rejection

if TYPE_CHECKING:
    from gate.run.model import Run
    from gate.run.scenarios import Scenario

T = TypeVar("T")
# Tags of features/ (pytest.ini explains them).
_BEFORE_PUSH, _PUBLISHED, _AFTER = "before_push", "published", "after_promotion"


class Stage(IntEnum):
    """When a claim is decided by a run that releases.

    IMAGE: on the image alone, before anything is pushed.
    CANDIDATE: on the digest behind the candidate tag, before it is given any other; the stage of a scenario that
        says nothing else.
    RELEASE: once both tags name the digest, because it can only be seen then.
    """

    IMAGE = 1
    CANDIDATE = 2
    RELEASE = 3


def stage_of(claim: Scenario) -> Stage:
    """The stage that the claim's tags state."""
    if _AFTER in claim.tags:
        return Stage.RELEASE
    return Stage.IMAGE if _BEFORE_PUSH in claim.tags and _PUBLISHED not in claim.tags else Stage.CANDIDATE


def arranged(every: Sequence[T], selected: Sequence[T], claim_of: Callable[[T], Scenario]) -> list[T]:
    """The selected tests in the order of their stages, with the conditions that they have and were not selected.

    Args:
        every: all tests that were collected, in their order.
        selected: those that the person chose, in the order in which they are to run.
        claim_of: the claim of a test.
    """
    needed = max((_needs(claim_of(test)) for test in selected), default=Stage.IMAGE)
    chosen = {id(test) for test in selected}
    conditions = [test for test in every if id(test) not in chosen and stage_of(claim_of(test)) < needed]
    return sorted([*selected, *conditions], key=lambda test: stage_of(claim_of(test)))


def _needs(claim: Scenario) -> Stage:
    """How far a release must have come for the claim: one that asks nothing of the registry needs no push."""
    stage = stage_of(claim)
    return Stage.IMAGE if stage is Stage.CANDIDATE and _PUBLISHED not in claim.tags else stage


def unmet(run: Run, stage: Stage) -> tuple[Rejection, ...]:
    """What stands against going on to a stage, from the claims of the stages before it.

    A claim that did not run stands against a release on AWS; a rehearsal goes on, so that the rest can be seen too.
    """
    outcomes = {(outcome.criterion, outcome.name): outcome for outcome in run.outcomes}
    found: list[Rejection] = []
    for claim in run.claims:
        for name in claim.titles.values() if stage_of(claim) < stage else ():
            outcome = outcomes.get((claim.criterion, name))
            if outcome is None:
                found.append(_against(f"AC{claim.criterion} was not checked before: {name}"))
            elif outcome.status == "failed":
                found += outcome.told
            elif outcome.status == "not run" and run.place == "aws":
                found.append(_against(f"AC{claim.criterion} did not run: {name}: {outcome.reason}"))
    return tuple(dict.fromkeys(found))


def _against(sentence: str) -> Rejection:
    return Rejection(sentence, "", "")


def refuse_push(run: Run) -> None:
    """Let a push go on only when every claim about the image holds.

    Raises:
        BlockedByEarlierFailure: with what stands against it.
    """
    if against := unmet(run, Stage.CANDIDATE):
        raise BlockedByEarlierFailure(
            "nothing was pushed, and so nothing could be looked at in the registry: the image fails AC1 or AC6",
            against,
            remedy="correct the image; the claims of AC1 and AC6 say more (-m 'ac1 or ac6')",
        )


def refuse_promotion(run: Run, digest: str) -> None:
    """Let the tags be given only when every claim that can be checked without them holds.

    Raises:
        BlockedByEarlierFailure: with what stands against it.
    """
    against = unmet(run, Stage.RELEASE)
    if run.kind == "partial" and run.place == "aws":
        restricted = "the run was restricted (-m, -k or a path), and a restricted run gives no tag on AWS"
        against = (*against, _against(restricted))
    if run.place == "aws":
        # Such a run is INCOMPLETE at most, so its release would never be accepted.
        against = (*against, *(_against(f"overridden: {sentence}") for sentence in run.overridden))
    if against:
        raise BlockedByEarlierFailure(
            f"the candidate {digest} was pushed and given no other tag, because claims that must hold before do not",
            against,
            remedy="correct what these claims name, and release again; the published tags name what they named before",
        )
