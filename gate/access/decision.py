"""Three-valued logic (Kleene): yes, no, and undecided if the facts do not suffice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
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
        """The answer for a known fact."""
        return cls.YES if fact else cls.NO


@dataclass(frozen=True)
class Decision:
    """An answer with its reasons.

    Attributes:
        answer: the answer.
        because: the statements that decide it, or that no statement does.
        keys: the missing context keys, if it is undecided.
        denied: whether a Deny is among the deciding statements.
    """

    answer: Ternary
    because: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    denied: bool = False


def any_of(decisions: Iterable[Decision]) -> Decision:
    """The disjunction, with the reasons of the decisions that decide it; no if there are none."""
    every = tuple(decisions)
    return _decided_by(every, max((each.answer for each in every), default=Ternary.NO))


def all_of(decisions: Iterable[Decision]) -> Decision:
    """The conjunction, with the reasons of the decisions that decide it; yes if there are none."""
    every = tuple(decisions)
    return _decided_by(every, min((each.answer for each in every), default=Ternary.YES))


def _decided_by(decisions: tuple[Decision, ...], answer: Ternary) -> Decision:
    deciding = [each for each in decisions if each.answer is answer]
    reasons = dict.fromkeys(reason for each in deciding for reason in each.because)
    keys = dict.fromkeys(key for each in deciding for key in each.keys)
    return Decision(answer, tuple(reasons), tuple(keys), any(each.denied for each in deciding))
