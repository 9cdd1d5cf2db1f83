"""Whether this machine's clock ran evenly while a run went on: every moment in the evidence rests on it."""

from __future__ import annotations

import time
from collections.abc import Callable

# A time service corrects a clock by seconds. As much as a scan may be dated ahead of this machine.
TOLERATED_SECONDS = 300


def _wall() -> float:
    return time.time()


def _steady() -> float:
    # Goes on while the machine sleeps, as the wall clock does; elsewhere than on Linux there is no such clock.
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class ClockCheck:
    """Two clocks, looked at together when the run begins and again when it ends.

    Args:
        wall: the time of day in seconds, which anybody may set.
        steady: seconds that never jump.
    """

    def __init__(self, wall: Callable[[], float] = _wall, steady: Callable[[], float] = _steady) -> None:
        self._wall, self._steady = wall, steady
        self._began = wall() - steady()

    def objections(self) -> tuple[str, ...]:
        """What speaks against every moment that was written down: nothing, or the clock's jump in a sentence."""
        jump = self._wall() - self._steady() - self._began
        if abs(jump) <= TOLERATED_SECONDS:
            return ()
        way = "forward" if jump > 0 else "back"
        return (
            f"this machine's clock was set {way} by {abs(jump):.0f} s while the run went on, so no moment in its "
            "evidence can be relied on: see that its time service works (`timedatectl`), and run again",
        )
