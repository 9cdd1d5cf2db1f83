"""From pytest's report of a test to what became of a claim."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from typing import Any

from gate.blocked import BlockedByEarlierFailure
from gate.check import NoGo
from gate.errors import GateError
from gate.text import visible


@dataclass(frozen=True)
class Failure:
    """Why a claim failed.

    Attributes:
        message: what a person reads: cause, where, what to do.
        checked: True when a check said no, False when the facts could not be had.
        traceback: for the evidence, when the gate itself crashed.
    """

    message: str
    checked: bool
    traceback: str = ""


def failure_of(error: BaseException, criterion: int = 0) -> Failure:
    """The failure that an exception stands for, to a claim of this criterion."""
    if isinstance(error, BlockedByEarlierFailure):
        error = error.to(criterion)
    if isinstance(error, NoGo):
        return Failure(str(error), checked=True)
    if isinstance(error, GateError):
        return Failure(str(error), checked=False)
    place = traceback.extract_tb(error.__traceback__)[-1] if error.__traceback__ else None
    where = f"{place.filename.rpartition('/')[2]}:{place.lineno} in {place.name}" if place else "unknown"
    message = (
        f"the gate itself failed: {type(error).__name__}: {error}\n    where: {where}\n"
        "    to do: this is a defect of the gate, not of the image; the traceback is in the evidence folder"
    )
    return Failure(visible(message), checked=False, traceback="".join(traceback.format_exception(error)))


def skip_reason(report: Any) -> str:
    """The reason that a skipped test gives."""
    longrepr = report.longrepr
    text = longrepr[2] if isinstance(longrepr, tuple) else str(longrepr)
    return text.removeprefix("Skipped: ") or "no reason given"
