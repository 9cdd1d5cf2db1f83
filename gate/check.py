"""What a check answers, and the list of all checks.

A check is a pure function from facts to a `CheckResult`. It is entered on the list of checks by `@check`, with the
criterion it serves and a known-bad value: in every run each check is fed that value and has to say no
(`run_self_tests`), so that a check that has gone blind is noticed before its "yes" is believed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import wraps
from typing import Any, TypeVar, cast

from gate.errors import GateError, compose, one_line

F = TypeVar("F", bound=Callable[..., "CheckResult"])
# Of the causes that blocked a step, so many are told with each scenario that needs it.
_TOLD = 5


@dataclass(frozen=True)
class Rejection:
    """One reason for a NO-GO: its cause, where it was seen, and what to do about it.

    Attributes:
        paste: lines to copy, which the remedy speaks of; whoever gives them answers for their form.
        check: the name of the check that said it; "" for what is no check's.
        follows: the names of the checks of which a no explains this one.
    """

    cause: str
    where: str
    remedy: str
    paste: str = ""
    check: str = field(default="", compare=False)
    follows: tuple[str, ...] = field(default=(), compare=False)

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
        """The result that holds these rejections (none: accepted)."""
        return cls(tuple(rejections))

    def __add__(self, other: CheckResult) -> CheckResult:
        return CheckResult(self.rejections + other.rejections)


ACCEPTED = CheckResult()


def reject(cause: str, where: str, remedy: str) -> CheckResult:
    """A result with this one rejection."""
    return CheckResult((Rejection(cause, where, remedy),))


class NoGo(AssertionError):
    """A result that was not accepted; its text is the whole message a person needs."""

    def __init__(self, result: CheckResult) -> None:
        super().__init__("\n".join(map(str, result.rejections)))
        self.result = result


def require(result: CheckResult) -> None:
    """Let an accepted result pass.

    Raises:
        NoGo: with every rejection, when it is not accepted.
    """
    if not result.accepted:
        raise NoGo(result)


class BlockedByEarlierFailure(GateError):
    """A next step was not taken, because of what failed before: correct that first.

    Attributes:
        causes: what failed before.
        criterion: the scenarios of this criterion are told the causes as their own; 0 where they are others'.
    """

    usual_remedy = "correct what failed before it, and run the gate again"

    def __init__(
        self, sentence: str, causes: Sequence[Rejection] = (), *, criterion: int = 0, where: str = "", remedy: str = ""
    ) -> None:
        super().__init__(sentence, where=where, remedy=remedy)
        self.causes, self.criterion = tuple(causes), criterion

    def __str__(self) -> str:
        return compose(self.in_brief, self.where, self.remedy)

    @property
    def in_brief(self) -> str:
        """The sentence, and below it each cause once, as far as they are few."""
        found = list(dict.fromkeys(one_line(each.cause) for each in self.causes))
        more = [f"– and {len(found) - _TOLD} more"] if len(found) > _TOLD else []
        return "\n".join([self.cause, *(f"– {cause}" for cause in found[:_TOLD]), *more])


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


def check(
    criterion: int, *, known_bad: Callable[[], tuple[Any, ...]], follows: tuple[Callable[..., CheckResult], ...] = ()
) -> Callable[[F], F]:
    """Enter a function on the list of checks; its rejections carry its name.

    Args:
        criterion: the acceptance criterion (1–9) that the check serves.
        known_bad: makes the arguments to which the check has to say no.
        follows: checks that look at what this one rests on: where one of them said no too, it is told as the cause.
    """

    def enter(function: F) -> F:
        name, causes = name_of(function), tuple(map(name_of, follows))

        @wraps(function)
        def named(*args: Any, **kwargs: Any) -> CheckResult:
            result = function(*args, **kwargs)
            # A check may pass on what another said.
            return CheckResult.of(
                each if each.check else replace(each, check=name, follows=causes) for each in result.rejections
            )

        CHECKS[name] = Check(name, criterion, named, known_bad)
        return cast(F, named)

    return enter


def name_of(function: Callable[..., CheckResult]) -> str:
    """The name of a check: its module and its function's name."""
    return f"{function.__module__}.{function.__qualname__}"


def run_self_tests() -> tuple[SelfTest, ...]:
    """Feed every check on the list of checks its known-bad value."""
    return tuple(_self_test(entry) for entry in sorted(CHECKS.values(), key=lambda j: (j.criterion, j.name)))


def _self_test(entry: Check) -> SelfTest:
    # A check that crashes has not checked: any exception here counts as "did not say no".
    try:
        result = entry.function(*entry.known_bad())
    except Exception as crash:
        return SelfTest(entry.name, False, f"crashed: {type(crash).__name__}: {crash}")
    return SelfTest(entry.name, not result.accepted, "\n".join(map(str, result.rejections)) or "accepted it")
