"""Why a run ended as it did: why each scenario failed, and each cause of that once, with what follows from it. Pure.

Terminal, page, verdict.json (and from it the page of a CI job) and VALIDATION.md all show these objects.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from gate.check import BlockedByEarlierFailure, CheckResult, NoGo, Rejection
from gate.errors import GateError, one_line
from gate.text import visible
from gate.verdict import ScenarioOutcome

# What is told together: the rejections of one scenario that no scenario before it had.
Told = tuple[Rejection, ...]
# As many causes of a scenario that was blocked are kept with it: the sentence on it counts the others.
_KEPT = 20


@dataclass(frozen=True)
class ScenarioFailure:
    """Why a scenario failed.

    Attributes:
        message: the whole as text.
        rejections: the same as objects: cause, where, what to do.
        checked: True when a check said no, False when the facts could not be had.
        blocked_by: what failed before and kept this scenario from being checked.
        traceback: for the evidence, when the gate itself crashed.
    """

    message: str
    rejections: tuple[Rejection, ...]
    checked: bool
    blocked_by: tuple[Rejection, ...] = ()
    traceback: str = ""


def failure_of(error: BaseException, criterion: int = 0, redact: Callable[[str], str] = str) -> ScenarioFailure:
    """The failure that an exception stands for, to a scenario of this criterion, without the secrets it may quote."""
    if isinstance(error, BlockedByEarlierFailure) and error.criterion and error.criterion == criterion:
        error = NoGo(CheckResult(error.causes))
    if isinstance(error, NoGo):
        return ScenarioFailure(redact(str(error)), _shown(error.result.rejections, redact), checked=True)
    before = error.causes[:_KEPT] if isinstance(error, BlockedByEarlierFailure) else ()
    trace = "" if isinstance(error, GateError) else "".join(traceback.format_exception(error))
    known = error if isinstance(error, GateError) else _crash(error)
    told = _shown([Rejection(known.cause, known.where, known.remedy)], redact, in_lines=True)
    return ScenarioFailure(redact(str(known)), told, checked=False, blocked_by=_shown(before, redact), traceback=trace)


def _shown(
    rejections: Iterable[Rejection], redact: Callable[[str], str], *, in_lines: bool = False
) -> tuple[Rejection, ...]:
    """The rejections in visible characters, on a line each but for what is to be pasted, and a cause `in_lines`."""
    return tuple(
        replace(
            each,
            cause=redact(visible(each.cause if in_lines else one_line(each.cause))),
            where=redact(visible(one_line(each.where))),
            remedy=redact(visible(one_line(each.remedy))),
            paste=redact(visible(each.paste)),
        )
        for each in rejections
    )


def _crash(error: BaseException) -> GateError:
    place = traceback.extract_tb(error.__traceback__)[-1] if error.__traceback__ else None
    return GateError(
        f"the gate itself failed: {type(error).__name__}: {error}",
        where=f"{place.filename.rpartition('/')[2]}:{place.lineno} in {place.name}" if place else "unknown",
        remedy="this is a defect of the gate, not of the image; the traceback is in the evidence folder",
    )


def skip_reason(report: Any) -> str:
    """The reason that a skipped test gives."""
    longrepr = report.longrepr
    text = longrepr[2] if isinstance(longrepr, tuple) else str(longrepr)
    return text.removeprefix("Skipped: ") or "no reason given"


@dataclass(frozen=True)
class Cause:
    """One reason for failures.

    Attributes:
        rejections: what was said, each told once in a run.
        checked: True when a check said no, False when the facts could not be had.
        scenarios: those that failed by it, in the order of the run; none where what did not run stands against it.
        consequences: what would not have been said without it.
    """

    rejections: Told
    checked: bool
    scenarios: tuple[ScenarioOutcome, ...]
    consequences: tuple[Cause, ...] = ()

    @property
    def criteria(self) -> str:
        """The acceptance criteria that it hit, as text."""
        return ", ".join(f"AC{number}" for number in sorted({scenario.criterion for scenario in self.scenarios}))

    @property
    def counted(self) -> str:
        """How many scenarios it hit and in which criteria, as text."""
        return f"{len(self.scenarios)} scenario{'s' * (len(self.scenarios) != 1)} in {self.criteria}"

    @property
    def failed_with_it(self) -> tuple[ScenarioOutcome, ...]:
        """The scenarios that failed by what follows from it, each once."""
        scenarios = (scenario for each in self.consequences for scenario in each.scenarios)
        return tuple({(scenario.criterion, scenario.name): scenario for scenario in scenarios}.values())

    def stated(self) -> dict[str, Any]:
        """The cause as verdict.json states it."""
        return {
            "rejections": [
                {"cause": each.cause, "where": each.where, "remedy": each.remedy, "paste": each.paste}
                for each in self.rejections
            ],
            "checked": self.checked,
            "claims": [{"criterion": each.criterion, "name": each.name} for each in self.scenarios],
            "consequences": [each.stated() for each in self.consequences],
        }


def causes(outcomes: Iterable[ScenarioOutcome]) -> tuple[Cause, ...]:
    """The causes of all failures: first what a check said no to, then what kept scenarios from being checked.

    Among these in the order of the run, in which an image comes before what is done with it.
    """
    failed = [outcome for outcome in outcomes if outcome.status == "failed"]
    hit, told_in = _grouped(failed)
    roots: dict[Told, list[Told]] = {}
    for told in hit:
        root = _root(told, hit, told_in)
        roots.setdefault(root, [])
        if root != told:
            roots[root].append(told)
    found = [replace(_cause(root, hit), consequences=tuple(_cause(each, hit) for each in rest))
             for root, rest in roots.items()]  # fmt: skip
    return tuple(sorted(found, key=lambda cause: not cause.checked))


def _grouped(failed: list[ScenarioOutcome]) -> tuple[dict[Told, list[ScenarioOutcome]], dict[Rejection, Told]]:
    """Every scenario by what failed it, and of each rejection with which others it is told."""
    hit: dict[Told, list[ScenarioOutcome]] = {}
    told_in: dict[Rejection, Told] = {}
    for outcome in failed:
        new = tuple(dict.fromkeys(each for each in outcome.told if each not in told_in))
        if new:
            hit[new] = []
            told_in |= dict.fromkeys(new, new)
        for told in dict.fromkeys(told_in[each] for each in outcome.told):
            hit[told].append(outcome)
    # What blocked a scenario and failed none: it did not run, or forbids the release by itself.
    for outcome in failed:
        new = tuple(dict.fromkeys(each for each in outcome.blocked_by if each not in told_in))
        if new:
            hit[new] = []
            told_in |= dict.fromkeys(new, new)
    return hit, told_in


def _root(told: Told, hit: Mapping[Told, list[ScenarioOutcome]], told_in: Mapping[Rejection, Told]) -> Told:
    """The first of all that this follows from; itself, when it follows from nothing, or in a circle."""
    seen = [told]
    while (earlier := _earlier(seen[-1], hit, told_in)) is not None:
        if earlier in seen:
            return told
        seen.append(earlier)
    return seen[-1]


def _earlier(told: Told, hit: Mapping[Told, list[ScenarioOutcome]], told_in: Mapping[Rejection, Told]) -> Told | None:
    scenarios = hit[told]
    if scenarios and all(scenario.blocked_by for scenario in scenarios):
        return next((told_in[each] for each in scenarios[0].blocked_by if told_in[each] != told), None)
    by_check = {each.check: group for each, group in reversed(list(told_in.items())) if each.check and group != told}
    explained = [next((by_check[name] for name in each.follows if name in by_check), None) for each in told]
    return explained[0] if all(explained) else None


def _cause(told: Told, hit: Mapping[Told, list[ScenarioOutcome]]) -> Cause:
    scenarios = tuple(hit[told])
    return Cause(told, any(scenario.checked for scenario in scenarios), scenarios)
