"""What a judge answers, and the roll of all judges.

A judge is a pure function from facts to a `Judgement`. It is entered on the roll by `@judge`, with the
criterion it serves and a known-bad value: in every run each judge is fed that value and has to say no
(`prove_judges`), so that a judge that has gone blind is noticed before its "yes" is believed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from gate.errors import compose, one_line

F = TypeVar("F", bound=Callable[..., "Judgement"])


@dataclass(frozen=True)
class Rejection:
    """One reason for a NO-GO: its cause, where it was seen, and what to do about it.

    Attributes:
        paste: lines to copy, which the remedy speaks of; whoever gives them answers for their form.
    """

    cause: str
    where: str
    remedy: str
    paste: str = ""

    def __str__(self) -> str:
        return compose(one_line(self.cause), self.where, self.remedy, self.paste)


@dataclass(frozen=True)
class Judgement:
    """A judge's answer: accepted when there is no rejection."""

    rejections: tuple[Rejection, ...] = ()

    @property
    def accepted(self) -> bool:
        """True when the judge found nothing to object to."""
        return not self.rejections

    @classmethod
    def of(cls, rejections: Iterable[Rejection]) -> Judgement:
        """The judgement that holds these rejections (none: accepted)."""
        return cls(tuple(rejections))

    def __add__(self, other: Judgement) -> Judgement:
        return Judgement(self.rejections + other.rejections)


ACCEPTED = Judgement()


def reject(cause: str, where: str, remedy: str) -> Judgement:
    """A judgement with this one rejection."""
    return Judgement((Rejection(cause, where, remedy),))


class NoGo(AssertionError):
    """A judgement that was not accepted; its text is the whole message a person needs."""

    def __init__(self, judgement: Judgement) -> None:
        super().__init__("\n".join(map(str, judgement.rejections)))
        self.judgement = judgement


def require(judgement: Judgement) -> None:
    """Let an accepted judgement pass.

    Raises:
        NoGo: with every rejection, when it is not accepted.
    """
    if not judgement.accepted:
        raise NoGo(judgement)


@dataclass(frozen=True)
class Judge:
    """One judge on the roll."""

    name: str
    criterion: int
    function: Callable[..., Judgement]
    known_bad: Callable[[], tuple[Any, ...]]


@dataclass(frozen=True)
class Proof:
    """Whether a judge said no to its known-bad value, and what it said."""

    judge: str
    said_no: bool
    answer: str


ROLL: dict[str, Judge] = {}


def judge(criterion: int, *, known_bad: Callable[[], tuple[Any, ...]]) -> Callable[[F], F]:
    """Enter a function on the roll of judges.

    Args:
        criterion: the acceptance criterion (1–9) that the judge serves.
        known_bad: makes the arguments to which the judge has to say no.
    """

    def enter(function: F) -> F:
        name = f"{function.__module__}.{function.__qualname__}"
        ROLL[name] = Judge(name, criterion, function, known_bad)
        return function

    return enter


def prove_judges() -> tuple[Proof, ...]:
    """Feed every judge on the roll its known-bad value."""
    return tuple(_prove(entry) for entry in sorted(ROLL.values(), key=lambda j: (j.criterion, j.name)))


def _prove(entry: Judge) -> Proof:
    # A judge that crashes has not judged: any exception here counts as "did not say no".
    try:
        judgement = entry.function(*entry.known_bad())
    except Exception as crash:
        return Proof(entry.name, False, f"crashed: {type(crash).__name__}: {crash}")
    return Proof(entry.name, not judgement.accepted, "\n".join(map(str, judgement.rejections)) or "accepted it")
