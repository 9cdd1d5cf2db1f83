"""From what a test raised to why its scenario failed."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from gate.check import BlockedByEarlierFailure, CheckResult, NoGo, Rejection
from gate.errors import GateError, one_line
from gate.text import visible

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

    def redacted(self, redact: Callable[[str], str]) -> ScenarioFailure:
        """The failure without the secrets that it may quote."""

        def clean(rejections: tuple[Rejection, ...]) -> tuple[Rejection, ...]:
            return tuple(
                replace(each, cause=redact(each.cause), where=redact(each.where), remedy=redact(each.remedy),
                        paste=redact(each.paste))
                for each in rejections
            )  # fmt: skip

        return replace(
            self,
            message=redact(self.message),
            rejections=clean(self.rejections),
            blocked_by=clean(self.blocked_by),
        )


def failure_of(error: BaseException, criterion: int = 0) -> ScenarioFailure:
    """The failure that an exception stands for, to a scenario of this criterion."""
    if isinstance(error, BlockedByEarlierFailure) and error.criterion and error.criterion == criterion:
        error = NoGo(CheckResult(error.causes))
    if isinstance(error, NoGo):
        told = tuple(_shown(replace(each, cause=one_line(each.cause))) for each in error.result.rejections)
        return ScenarioFailure(str(error), told, checked=True)
    if isinstance(error, GateError):
        told = (_shown(Rejection(error.cause, error.where, error.remedy)),)
        before = error.causes if isinstance(error, BlockedByEarlierFailure) else ()
        blocked_by = tuple(_shown(replace(each, cause=one_line(each.cause))) for each in before[:_KEPT])
        return ScenarioFailure(str(error), told, checked=False, blocked_by=blocked_by)
    return _crash(error)


def _shown(rejection: Rejection) -> Rejection:
    """The rejection in visible characters; only cause and paste may have lines of their own."""
    return replace(
        rejection,
        cause=visible(rejection.cause),
        where=visible(one_line(rejection.where)),
        remedy=visible(one_line(rejection.remedy)),
        paste=visible(rejection.paste),
    )


def _crash(error: BaseException) -> ScenarioFailure:
    place = traceback.extract_tb(error.__traceback__)[-1] if error.__traceback__ else None
    told = Rejection(
        f"the gate itself failed: {type(error).__name__}: {error}",
        f"{place.filename.rpartition('/')[2]}:{place.lineno} in {place.name}" if place else "unknown",
        "this is a defect of the gate, not of the image; the traceback is in the evidence folder",
    )
    text = str(GateError(told.cause, where=told.where, remedy=told.remedy))
    return ScenarioFailure(text, (_shown(told),), checked=False, traceback="".join(traceback.format_exception(error)))


def skip_reason(report: Any) -> str:
    """The reason that a skipped test gives."""
    longrepr = report.longrepr
    text = longrepr[2] if isinstance(longrepr, tuple) else str(longrepr)
    return text.removeprefix("Skipped: ") or "no reason given"
