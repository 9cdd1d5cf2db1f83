"""What ends a run's work early on a check's no, told to each claim as it concerns that claim."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce
from operator import add

from gate.check import ACCEPTED, CheckResult, NoGo
from gate.errors import GateError, one_line

_TOLD = 5


class BlockedByEarlierFailure(NoGo):
    """A next step was not taken, because checks said no.

    Attributes:
        said: what the checks of each criterion said; it is theirs to tell in full.
        elsewhere: what every other claim is told: nothing can be known of it, and why, each cause in brief.
    """

    def __init__(self, said: Mapping[int, CheckResult], sentence: str, *, where: str = "", remedy: str) -> None:
        super().__init__(reduce(add, said.values(), ACCEPTED))
        self.said = said
        causes = (rejection.cause for rejection in self.result.rejections)
        self.elsewhere = GateError(briefly(sentence, causes), where=where, remedy=remedy)

    def to(self, criterion: int) -> NoGo | GateError:
        """What a claim of this criterion is told."""
        own = self.said.get(criterion, ACCEPTED)
        return self.elsewhere if own.accepted else NoGo(own)


def briefly(sentence: str, causes: Iterable[str]) -> str:
    """The sentence, and below it each cause once, as far as they are few."""
    found = list(dict.fromkeys(map(one_line, causes)))
    more = [f"– and {len(found) - _TOLD} more"] if len(found) > _TOLD else []
    return "\n".join([sentence, *(f"– {cause}" for cause in found[:_TOLD]), *more])
