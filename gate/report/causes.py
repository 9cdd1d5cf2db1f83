"""Why a run ended as it did, for page and terminal: each cause once, with the claims that it hit. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gate.verdict import ScenarioOutcome, Verdict

# The order in which `gate.errors.compose` writes a failure.
_LABELS = ("where", "to do")


@dataclass(frozen=True)
class Line:
    """One line of a cause; `label` is "" for the cause itself, else "where" or "to do"."""

    label: str
    text: str


@dataclass(frozen=True)
class Cause:
    """One reason for failures.

    Attributes:
        lines: what the failure says.
        checked: True when a check said no, False when the facts could not be had.
        claims: those that it hit, in the order of the run.
    """

    lines: tuple[Line, ...]
    checked: bool
    claims: tuple[ScenarioOutcome, ...]

    @property
    def criteria(self) -> str:
        """The acceptance criteria that it hit."""
        return ", ".join(f"AC{number}" for number in sorted({claim.criterion for claim in self.claims}))


def causes(outcomes: Iterable[ScenarioOutcome]) -> tuple[Cause, ...]:
    """The causes of all failures: first what a check said no to, then what kept claims from being checked.

    Among these in the order of the run, in which an image comes before what is done with it.
    """
    hit: dict[str, list[ScenarioOutcome]] = {}
    for outcome in outcomes:
        if outcome.status == "failed":
            hit.setdefault(outcome.reason, []).append(outcome)
    found = (Cause(lines_of(text), any(o.checked for o in claims), tuple(claims)) for text, claims in hit.items())
    return tuple(sorted(found, key=lambda cause: not cause.checked))


def lines_of(reason: str) -> tuple[Line, ...]:
    """A failure's text as lines, each with its label."""
    return tuple(_line(text) for text in reason.splitlines() if text.strip()) or (Line("", "no cause was given"),)


def _line(text: str) -> Line:
    for label in _LABELS:
        mark = f"    {label}: "
        if text.startswith(mark):
            return Line(label, text.removeprefix(mark))
    return Line("", text)


def other_reasons(verdict: Verdict, outcomes: Iterable[ScenarioOutcome]) -> tuple[str, ...]:
    """What forbids the release beside failed claims: interruptions, blind checks, claims that did not run."""
    failed = {f"AC{o.criterion}: {o.name}" for o in outcomes if o.status == "failed"}
    return tuple(reason for reason in verdict.reasons if reason not in failed)
