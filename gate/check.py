"""What a check answers, and the list of all checks.

A check is a pure function from facts to a `CheckResult`. It is entered on the list of checks by `@check`, with the
criterion it serves and a known-bad value: in every run each check is fed that value and has to say no
(`run_self_tests`), so that a check that has gone blind is noticed before its "yes" is believed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from gate.errors import compose, one_line

F = TypeVar("F", bound=Callable[..., "CheckResult"])


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
class CheckResult:
    """A check's answer: accepted when there is no rejection."""

    rejections: tuple[Rejection, ...] = ()

    @property
    def accepted(self) -> bool:
        """True when the check found nothing to object to."""
        return not self.rejections

    @classmethod
    def of(cls, rejections: Iterable[Rejection]) -> CheckResult:
        """The judgement that holds these rejections (none: accepted)."""
        return cls(tuple(rejections))

    def __add__(self, other: CheckResult) -> CheckResult:
        return CheckResult(self.rejections + other.rejections)


ACCEPTED = CheckResult()


def reject(cause: str, where: str, remedy: str) -> CheckResult:
    """A judgement with this one rejection."""
    return CheckResult((Rejection(cause, where, remedy),))


class NoGo(AssertionError):
    """A judgement that was not accepted; its text is the whole message a person needs."""

    def __init__(self, result: CheckResult) -> None:
        super().__init__("\n".join(map(str, result.rejections)))
        self.result = result


def require(result: CheckResult) -> None:
    """Let an accepted judgement pass.

    Raises:
        NoGo: with every rejection, when it is not accepted.
    """
    if not result.accepted:
        raise NoGo(result)


@dataclass(frozen=True)
class Check:
    """One check on the list of checks."""

    name: str
    criterion: int
    function: Callable[..., CheckResult]
    known_bad: Callable[[], tuple[Any, ...]]


@dataclass(frozen=True)
class SelfTest:
    """Whether a check said no to its known-bad value, and what it said."""

    check: str
    said_no: bool
    answer: str


CHECKS: dict[str, Check] = {}


def check(criterion: int, *, known_bad: Callable[[], tuple[Any, ...]]) -> Callable[[F], F]:
    """Enter a function on the list of checks.

    Args:
        criterion: the acceptance criterion (1–9) that the check serves.
        known_bad: makes the arguments to which the check has to say no.
    """

    def enter(function: F) -> F:
        name = f"{function.__module__}.{function.__qualname__}"
        CHECKS[name] = Check(name, criterion, function, known_bad)
        return function

    return enter


def run_self_tests() -> tuple[SelfTest, ...]:
    """Feed every check on the list of checks its known-bad value."""
    return tuple(_prove(entry) for entry in sorted(CHECKS.values(), key=lambda j: (j.criterion, j.name)))


def _prove(entry: Check) -> SelfTest:
    # A check that crashes has not checked: any exception here counts as "did not say no".
    try:
        result = entry.function(*entry.known_bad())
    except Exception as crash:
        return SelfTest(entry.name, False, f"crashed: {type(crash).__name__}: {crash}")
    return SelfTest(entry.name, not result.accepted, "\n".join(map(str, result.rejections)) or "accepted it")
