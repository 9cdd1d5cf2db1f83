"""The clock of a run: what is a correction, and what makes every moment worthless."""

import time

import pytest

from gate.run.environment import TOLERATED_SECONDS, ClockCheck


class Clocks:
    """Both clocks of a machine, set by hand."""

    def __init__(self):
        self.wall, self.steady = 1_760_000_000.0, 50.0

    def watch(self):
        """A watch that looks at them."""
        return ClockCheck(lambda: self.wall, lambda: self.steady)


@pytest.mark.parametrize("seconds", [0, 3600, 86_400])
def test_time_that_passes_is_no_jump(seconds):
    """However long a run takes, or the machine sleeps meanwhile."""
    clocks = Clocks()
    watch = clocks.watch()
    clocks.wall += seconds
    clocks.steady += seconds
    assert watch.objections() == ()


@pytest.mark.parametrize("way", [1, -1])
def test_a_correction_is_tolerated_and_a_second_more_is_not(way):
    """The limit is inclusive, in both directions."""
    clocks = Clocks()
    watch = clocks.watch()
    clocks.steady += 90
    clocks.wall += 90 + way * TOLERATED_SECONDS
    assert watch.objections() == ()
    clocks.wall += way
    [said] = watch.objections()
    assert f"set {'forward' if way > 0 else 'back'} by 301 s" in said


def test_this_machines_own_clocks_agree():
    """The real ones, a moment later."""
    watch = ClockCheck()
    time.sleep(0.01)
    assert watch.objections() == ()
