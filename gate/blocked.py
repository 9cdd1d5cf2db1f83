"""What is not done because checks said no before: told to each scenario as it concerns that scenario."""

from __future__ import annotations

from collections.abc import Sequence

from gate.check import Rejection
from gate.errors import GateError, compose, one_line

_TOLD = 5


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
