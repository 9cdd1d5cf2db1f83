"""Whether a series of levels, one after each call, grows for ever: a rule on numbers. Pure.

The rule, with the levels after the second call and later (what the first two calls load or fill is warm-up):

- Five calls show no growth where the later two levels are not above the earlier two, by their lowest and by their
  highest, or where the last is back at the lowest. Growth that goes on is not left out so: it lifts the floor as well
  as the ceiling, whatever swings above it.
- Otherwise up to ten calls are made. Their last nine levels are three thirds. They grow steadily if the floor (the
  lowest level) rises from third to third, the second rise of the mean is at least six tenths of the first (what slows
  down comes to an end), the level has not stood still at the end for longer than ever before (a plateau), and the rise
  of the straight line through them is at least four times what the levels usually stray from it (of series of pure
  noise, 4 in 1,000 get so far).
- Where no more than five calls could be made, they grow steadily if each step goes up, none more than twice another.
"""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

# The first two calls fill caches and load what is loaded late: the level after the second is the first that counts.
WARM_UP = 1
FEWEST, MOST = 5, 10
_SLOWING = 0.6
_ALIKE = 2.0
# A step below this part of the mean rise per call is none.
_STILL = 0.1
_CLEAR = 4.0

Trend = Literal["level", "steady", "unclear"]


@dataclass(frozen=True)
class Growth:
    """What a series of levels shows.

    Attributes:
        trend: steady when it grows with the calls; unclear when more calls have to tell.
        per_call: how much the level rises with each call, by the later levels; 0 unless steady or unclear.
    """

    trend: Trend
    per_call: float = 0.0


LEVEL = Growth("level")


def growth(levels: Sequence[float]) -> Growth:
    """What the levels after each call show (the rule stands above).

    Args:
        levels: after the first call, the second, and so on; fewer than five are unclear.
    """
    kept = list(levels[WARM_UP:])
    size = len(kept) // 3
    if len(levels) < FEWEST:
        return Growth("unclear", max((levels[-1] - levels[0]) / max(len(levels) - 1, 1), 0.0) if levels else 0.0)
    if size == 1:
        return _by_pairs(kept[-4:])
    return _by_thirds(kept[-3 * size :], size)


def _by_pairs(kept: list[float]) -> Growth:
    early, late = kept[:2], kept[2:]
    rise = (sum(late) - sum(early)) / 4
    if rise <= 0 or min(late) < min(early) or max(late) < max(early) or late[-1] <= min(early):
        return LEVEL
    steps = [after - before for before, after in itertools.pairwise(kept)]
    steady = min(steps) > 0 and max(steps) <= _ALIKE * min(steps)
    return Growth("steady" if steady else "unclear", rise)


def _by_thirds(kept: list[float], size: int) -> Growth:
    thirds = [kept[start : start + size] for start in range(0, 3 * size, size)]
    floors = [min(each) for each in thirds]
    first, second = (sum(after) - sum(before) for before, after in itertools.pairwise(thirds))
    rising = floors[0] < floors[1] < floors[2] and second >= _SLOWING * first
    if not rising or _stands_still(kept) or _strays(kept):
        return LEVEL
    return Growth("steady", second / size**2)


def _stands_still(kept: list[float]) -> bool:
    """Whether it has been still at the end for longer than ever before."""
    least = _STILL * (kept[-1] - kept[0]) / (len(kept) - 1)
    runs, run = [], 0
    for before, after in itertools.pairwise(kept):
        run = run + 1 if abs(after - before) <= least else 0
        runs.append(run)
    return runs[-1] > max(runs[: len(runs) - runs[-1]], default=0)


def _strays(kept: list[float]) -> bool:
    """Whether the levels lie about their straight line so widely that its rise may be chance."""
    calls = range(len(kept))
    line = statistics.linear_regression(calls, kept)
    around = [level - line.slope * call - line.intercept for call, level in zip(calls, kept, strict=True)]
    return line.slope * (len(kept) - 1) < _CLEAR * statistics.pstdev(around)
