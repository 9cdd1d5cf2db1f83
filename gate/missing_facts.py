"""Facts that could not be read: they fail only what needs them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from gate.errors import GateError


@dataclass(frozen=True)
class MissingFact:
    """Stands in the place of a fact that could not be read.

    Attributes:
        error: why not.
    """

    error: GateError

    def __str__(self) -> str:
        return f"could not be read: {self.error.cause}"


class PartialFacts:
    """Base of facts of which some may be missing. Reading a missing one raises its error."""

    @classmethod
    def gathered(cls, **calls: Callable[[], Any]) -> Self:
        """The facts that these calls answer, by name; what one of them refuses is missing."""
        return cls(**{name: fact_or_missing(call) for name, call in calls.items()})

    def __getattribute__(self, name: str) -> Any:
        value = object.__getattribute__(self, name)
        if isinstance(value, MissingFact):
            raise value.error
        return value


def fact_or_missing(call: Callable[[], Any]) -> Any:
    """What a call answers, or a MissingFact with its error."""
    try:
        return call()
    except GateError as refusal:
        return MissingFact(refusal)


def fact_or_reason(call: Callable[[], Any]) -> Any:
    """What a call answers, or, for a record, the sentence that says why it could not be read."""
    found = fact_or_missing(call)
    return str(found) if isinstance(found, MissingFact) else found
