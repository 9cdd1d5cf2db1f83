"""The diary of a release: each step with command, identity, time and outcome, told as it happens (AC8)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from gate.check import NoGo
from gate.errors import GateError, one_line
from gate.registry.publication import DONE, RUNNING, Step


class Diary:
    """Writes down steps; a run that dies leaves what it had begun, as "running".

    Args:
        identity: who does it: the caller's ARN, and the profile if one was named.
        now: the time of day, in UTC.
        on_step: told twice of each step, when it begins and when it has ended (same number).
        clock: seconds, never jumping.
    """

    def __init__(
        self,
        identity: str,
        now: Callable[[], datetime],
        on_step: Callable[[Step], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._identity, self._now, self._on_step, self._clock = identity, now, on_step, clock
        self._steps: list[Step] = []

    @property
    def steps(self) -> tuple[Step, ...]:
        """Every step so far."""
        return tuple(self._steps)

    @contextmanager
    def step(self, command: str) -> Iterator[Callable[[str], None]]:
        """Write down one step; the block may say what came of it by calling what it is given."""
        began, start = self._now().isoformat(timespec="seconds"), self._clock()
        step = Step(len(self._steps) + 1, command, self._identity, began, 0.0, RUNNING)
        self._steps.append(step)
        self._on_step(step)
        outcome = DONE

        def tell(said: str) -> None:
            nonlocal outcome
            outcome = said

        try:
            yield tell
        except BaseException as error:
            outcome = f"refused: {_in_a_line(error)}"
            raise
        finally:
            ended = replace(step, seconds=round(self._clock() - start, 2), outcome=outcome)
            self._steps[step.number - 1] = ended
            self._on_step(ended)


def _in_a_line(error: BaseException) -> str:
    if isinstance(error, GateError):
        return one_line(error.cause)
    if isinstance(error, NoGo):
        return "; ".join(rejection.cause for rejection in error.result.rejections)
    return f"{type(error).__name__}: {error}"
