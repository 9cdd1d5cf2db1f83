"""Facts of which some could not be had: only what needs such a one falls with it, and says why it is not there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gate.errors import GateError


@dataclass(frozen=True)
class Gap:
    """Stands in the place of a fact that could not be had.

    Attributes:
        error: what stood against it.
    """

    error: GateError

    def __str__(self) -> str:
        return f"could not be read: {self.error.cause}"


class Gapped:
    """Base of facts whose attributes may be gaps. Reading one raises what stood against it."""

    def __getattribute__(self, name: str) -> Any:
        value = object.__getattribute__(self, name)
        if isinstance(value, Gap):
            raise value.error
        return value


def had(call: Callable[[], Any]) -> Any:
    """What a call answers, or the gap that it leaves when it is refused."""
    try:
        return call()
    except GateError as refusal:
        return Gap(refusal)


def told(call: Callable[[], Any]) -> Any:
    """What a call answers, for a record: in the place of what could not be had, the sentence about it."""
    found = had(call)
    return str(found) if isinstance(found, Gap) else found
