"""Three-valued logic: yes, no, and undecided when the facts do not tell (Kleene's strong logic)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import IntEnum


class Ternary(IntEnum):
    """An answer; the order makes `min` the conjunction and `max` the disjunction."""

    NO = 0
    UNDECIDED = 1
    YES = 2

    @property
    def opposite(self) -> Ternary:
        """The negation: undecided stays undecided."""
        return Ternary(Ternary.YES - self)

    @classmethod
    def of(cls, fact: bool) -> Ternary:
        """The answer that a known fact gives."""
        return cls.YES if fact else cls.NO


@dataclass(frozen=True)
class Decision:
    """An answer and the statements (or their absence) that decide it.

    Attributes:
        keys: the context keys for want of which it is undecided.
        denied: whether a Deny is among what decides it.
    """

    answer: Ternary
    because: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    denied: bool = False


def any_of(decisions: Iterable[Decision]) -> Decision:
    """The disjunction, with the reasons of those findings that decide it; of nothing: no."""
    every = tuple(decisions)
    return _decided_by(every, max((each.answer for each in every), default=Ternary.NO))


def all_of(decisions: Iterable[Decision]) -> Decision:
    """The conjunction, with the reasons of those findings that decide it; of nothing: yes."""
    every = tuple(decisions)
    return _decided_by(every, min((each.answer for each in every), default=Ternary.YES))


def negate(decision: Decision) -> Decision:
    """The negation, for the same reasons."""
    return replace(decision, answer=decision.answer.opposite)


def _decided_by(decisions: tuple[Decision, ...], answer: Ternary) -> Decision:
    deciding = [each for each in decisions if each.answer is answer]
    reasons = dict.fromkeys(reason for each in deciding for reason in each.because)
    keys = dict.fromkeys(key for each in deciding for key in each.keys)
    return Decision(answer, tuple(reasons), tuple(keys), any(each.denied for each in deciding))
