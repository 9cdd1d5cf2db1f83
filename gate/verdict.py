"""The verdict: from what every scenario came to, to one word and one exit code. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from gate.check import Rejection, SelfTest

Status = Literal["passed", "failed", "not run"]
Kind = Literal["full", "partial", "rescan", "promotion"]
# Every word that a run may end with.
WORDS = ("GO", "NO-GO", "REHEARSAL PASSED", "REHEARSAL FAILED", "INCOMPLETE", "CLEAN", "NOT CLEAN", "UNKNOWN")

CRITERIA = {
    1: "The image is built from the Dockerfile with all that it needs, and runs as Lambda runs it",
    2: "The image is published under its tags",
    3: "Digest, size and tags are documented for the stories that follow",
    4: "The zip-based Lambda is untouched",
    5: "Only the CI role pushes and only Lambda pulls",
    6: "The image is under 10 GB and on the approved base",
    7: "What its tags name is scanned and free of critical findings",
    8: "Every step is logged, so that QA can verify it",
    9: "Every finding is mitigated or validly excepted, and rescanned",
}
# Lambda's quotas for a container image and its initialisation, as features/ state them; a test holds the two together.
IMAGE_LIMIT_GB, INIT_LIMIT_SECONDS = 10, 10


@dataclass(frozen=True)
class StepOutcome:
    """One Gherkin step as it ran; `evidence` are the numbers of the records it left."""

    keyword: str
    text: str
    status: Status
    seconds: float
    evidence: tuple[int, ...] = ()


@dataclass(frozen=True)
class ScenarioOutcome:
    """One scenario, and what became of it.

    Attributes:
        reason: why it failed or did not run, as text.
        only_aws: a rehearsal cannot prove it.
        checked: False when it failed because the facts could not be had, which leaves the scenario undecided.
        rejections: why it failed.
        blocked_by: what failed before and kept it from being checked.
    """

    name: str
    criterion: int
    status: Status
    reason: str = ""
    provenance: str = "real"
    only_aws: bool = False
    checked: bool = True
    seconds: float = 0.0
    steps: tuple[StepOutcome, ...] = ()
    rejections: tuple[Rejection, ...] = ()
    blocked_by: tuple[Rejection, ...] = ()

    @property
    def told(self) -> tuple[Rejection, ...]:
        """Why it failed; of a run of an older gate, which kept only the text, that text."""
        return self.rejections or (Rejection(self.reason or "no cause was given", "", ""),)


@dataclass(frozen=True)
class NotPart:
    """A scenario about something that is no part of this release: it is not checked, and stands against nothing.

    Attributes:
        reason: which key of pytest.ini says so.
    """

    name: str
    criterion: int
    reason: str


@dataclass(frozen=True)
class Verdict:
    """The answer of a run.

    Attributes:
        word: one of the README's verdicts.
        exit_code: of pytest.
        reasons: the sentences that explain it, most important first.
        criteria: the status of each criterion: passed, failed or incomplete.
        only_aws: the names of the scenarios that only AWS can prove and that were not tried.
        beside: those of the reasons that are no failed scenario and no scenario that was not begun.
        not_begun: those of the reasons that name a scenario, or a criterion, that was not begun.
    """

    word: str
    exit_code: int
    reasons: tuple[str, ...]
    criteria: dict[int, str]
    only_aws: tuple[str, ...]
    beside: tuple[str, ...] = ()
    not_begun: tuple[str, ...] = ()


def criterion_status(outcomes: Iterable[ScenarioOutcome], target: str) -> str:
    """passed, failed or incomplete; a criterion without a scenario that ran is incomplete."""
    statuses = [o.status for o in outcomes if not _excused(o, target)]
    if "failed" in statuses:
        return "failed"
    return "passed" if statuses and set(statuses) == {"passed"} else "incomplete"


def _excused(outcome: ScenarioOutcome, target: str) -> bool:
    return target == "local" and outcome.only_aws and outcome.status == "not run"


def decide(  # noqa: PLR0913 - each is a part of what a run came to
    outcomes: tuple[ScenarioOutcome, ...],
    *,
    target: str,
    kind: Kind,
    expected: frozenset[str],
    proofs: tuple[SelfTest, ...],
    trouble: tuple[str, ...] = (),
    endpoint_is_aws: bool = True,
    overridden: tuple[str, ...] = (),
    not_part: tuple[NotPart, ...] = (),
) -> Verdict:
    """The verdict over a run.

    Args:
        outcomes: of every scenario that was collected.
        target: "local" or "aws".
        kind: a full run, a run restricted by the person, the nightly rescan, or a promotion by name.
        expected: the names of all scenarios that this kind of run must contain.
        proofs: of the checks, each fed its known-bad value.
        trouble: sentences about what went wrong outside any scenario (a crash, an interruption).
        endpoint_is_aws: False when `--target aws` was pointed at something that is not AWS.
        overridden: sentences about what was decided by something else than the repository states.
        not_part: scenarios about something that is no part of this release.
    """
    # What answers in AWS's place can prove as little as the local target.
    target = target if endpoint_is_aws else "local"
    criteria = {n: criterion_status([o for o in outcomes if o.criterion == n], target) for n in CRITERIA}
    blind = [f"the check {p.check} did not say no to a known-bad value: {p.answer}" for p in proofs if not p.said_no]
    if not proofs:
        blind = ["no check was fed a known-bad value"]
    failed = [f"AC{o.criterion}: {o.name}" for o in outcomes if o.status == "failed"]
    absent = [f"not run: {name}" for name in sorted(expected - {o.name for o in outcomes})]
    unrun = [f"AC{o.criterion} not run: {o.name}: {o.reason}" for o in outcomes if _blocks(o, target)]
    by_hand = [f"overridden: {sentence}" for sentence in overridden]
    about = {o.criterion for o in outcomes} | {each.criterion for each in not_part}
    silent = [f"AC{n}" for n in CRITERIA if n not in about]
    if kind == "partial" and not outcomes:
        by_hand.append(
            "the run was restricted, and no scenario is left in it: `pytest features/ --collect-only` lists them"
        )
    elif kind == "partial":
        without = f"{', '.join(silent)} had no part in it" if silent else "each criterion had only a part in it"
        by_hand.append(f"the run was restricted: {without}")
    empty = [f"{criterion} has no scenario" for criterion in silent] if kind == "full" else []
    beside = (*trouble, *blind, *unrun, *by_hand)
    unrun = [*unrun, *absent, *by_hand, *empty]
    bad = (*trouble, *blind, *failed)
    only_aws = tuple(o.name for o in outcomes if _excused(o, target))
    if kind == "rescan":
        found_bad = any(o.status == "failed" and o.checked for o in outcomes)
        word = "NOT CLEAN" if found_bad else "UNKNOWN" if bad or unrun or not outcomes else "CLEAN"
    else:
        word = _release_word(target == "local", bad=bool(bad), whole=kind != "partial" and bool(outcomes) and not unrun)
    part = kind == "partial" and any(o.status == "passed" for o in outcomes)
    reasons = (*bad, *unrun)
    return Verdict(word, _exit_code(word, part=part), reasons, criteria, only_aws, beside, (*absent, *empty))


def _blocks(outcome: ScenarioOutcome, target: str) -> bool:
    return outcome.status == "not run" and not _excused(outcome, target)


def _release_word(rehearsal: bool, *, bad: bool, whole: bool) -> str:
    if bad:
        return "REHEARSAL FAILED" if rehearsal else "NO-GO"
    if not whole:
        return "INCOMPLETE"
    return "REHEARSAL PASSED" if rehearsal else "GO"


def _exit_code(word: str, *, part: bool) -> int:
    if word in {"GO", "REHEARSAL PASSED", "CLEAN"}:
        return 0
    if word == "UNKNOWN":
        return 2
    # A run that the person restricted is a success when what it ran passed, and that is something; it still says
    # INCOMPLETE, and never when anything failed.
    return 0 if word == "INCOMPLETE" and part else 1
