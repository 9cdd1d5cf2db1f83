"""What grows over the invocations, and after how many calls it reaches its limit in Lambda. Pure.

The rule for a series of levels, one after each call (those of the first call are left out as warm-up):

- Five calls show no growth where the later two levels are not above the earlier two, by their lowest and by their
  highest, or where the last is back at the lowest. Steady growth raises the lowest as well as the highest, whatever
  fluctuates above it.
- Otherwise up to ten calls are made. Their last nine levels are three thirds. They grow steadily if the lowest level
  rises from third to third, the second rise of the mean is at least six tenths of the first (what slows down comes to
  an end), the level has not stood still at the end for longer than ever before (a plateau), and the rise of the
  straight line through them is at least four times what the levels usually deviate from it (of series of pure noise,
  4 in 1,000 get so far).
- Where no more than five calls could be made, they grow steadily if each step goes up, none more than twice another.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from gate.runtime.constraints import DESCRIPTORS, PROCESSES, TMP_BYTES
from gate.runtime.report import HandlerRun, ResourceSample, Settings

# The first two calls fill caches and load what is loaded late: the level after the second is the first that counts.
WARM_UP = 1
FEWEST, MOST = 5, 10
_SLOWING = 0.6
_ALIKE = 2.0
# A step below this part of the mean rise per call counts as none.
_STILL = 0.1
_CLEAR = 4.0
MIB = 1024 * 1024
# Lambda ends an environment every few hours, even one that is never idle (Lambda, "Understanding the Lambda execution
# environment lifecycle"). So many calls, of two seconds each as a page in Chrome takes at least, are more than five
# hours without a pause: a limit that needs more of them is not reached; it is shown, and is no failure.
LIFETIME_CALLS = 10_000
# Megabytes of memory: a handler that keeps nothing rises by 24 kB with each call on the way to its level (measured).
_LEAST_MEMORY = 0.05

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
    """What the levels after each call show, by the rule above.

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
    """Whether the level has stood still at the end for longer than ever before."""
    least = _STILL * (kept[-1] - kept[0]) / (len(kept) - 1)
    runs, run = [], 0
    for before, after in itertools.pairwise(kept):
        run = run + 1 if abs(after - before) <= least else 0
        runs.append(run)
    return runs[-1] > max(runs[: len(runs) - runs[-1]], default=0)


def _strays(kept: list[float]) -> bool:
    """Whether the levels deviate from their straight line so far that its rise may be chance."""
    calls = range(len(kept))
    line = statistics.linear_regression(calls, kept)
    around = [level - line.slope * call - line.intercept for call, level in zip(calls, kept, strict=True)]
    return line.slope * (len(kept) - 1) < _CLEAR * statistics.pstdev(around)


@dataclass(frozen=True)
class Series:
    """One thing that was measured after each call.

    Attributes:
        what: the subject of a sentence, such as "/tmp".
        unit: of the levels, such as " MB"; "" for a count.
        levels: after each call, in that unit.
        limit: at which Lambda refuses more, in that unit.
        growth: what the levels show.
        least: a rise per call below this is the allocator's own bookkeeping, and does not count.
    """

    what: str
    unit: str
    levels: tuple[float, ...]
    limit: float
    growth: Growth
    least: float = 0.0

    @property
    def calls(self) -> int | None:
        """After how many calls, from the first, the limit is reached; None when it does not grow."""
        if self.growth.per_call <= 0:
            return None
        left = max(self.limit - self.levels[-1], 0.0)
        return len(self.levels) + math.ceil(left / self.growth.per_call)

    @property
    def near(self) -> bool:
        """Whether the limit is so near that more calls would only run into it."""
        return self.calls is not None and self.calls <= 2 * MOST

    @property
    def reaches_limit(self) -> bool:
        """Whether the limit is reached within the lifetime of a Lambda environment."""
        return self.calls is not None and self.calls <= LIFETIME_CALLS and self.growth.per_call >= self.least

    def __str__(self) -> str:
        return " → ".join(f"{level:,.1f}" if self.unit else f"{level:,.0f}" for level in self.levels) + self.unit


def all_series(samples: Sequence[ResourceSample], settings: Settings) -> tuple[Series, ...]:
    """The series of a run. The number of processes is part of the number of processes and threads.

    Args:
        samples: the container after each call, in order.
        settings: the function's memory is the limit of its memory series.
    """
    tmp = _series("/tmp", " MB", [m.tmp_bytes / MIB for m in samples], TMP_BYTES / MIB)  # noqa: S108 - Lambda's own path
    threads = [sum(max(p.threads, 1) for p in m.processes) for m in samples]
    together = _series("the number of processes and threads", "", threads, PROCESSES)
    held = memory(samples, settings)
    return (tmp, *([held] if held else []), together, *_descriptors(samples))


def series_of(run: HandlerRun) -> tuple[Series, ...]:
    """The series of a run, as far as it went."""
    samples = [each.after for each in run.invocations if each.after]
    return all_series(samples, run.settings) if samples else ()


def memory(samples: Sequence[ResourceSample], settings: Settings) -> Series | None:
    """What the function's processes hold; None where it was not measured after each call."""
    levels = [m.memory_bytes / MIB for m in samples if m.memory_bytes is not None]
    whole = bool(samples) and len(levels) == len(samples)
    return _series("memory", " MB", levels, float(settings.memory_mb), _LEAST_MEMORY) if whole else None


def processes(samples: Sequence[ResourceSample]) -> Series:
    """How many processes live."""
    return _series("the number of processes", "", [len(m.processes) for m in samples], PROCESSES)


def more_calls_needed(samples: Sequence[ResourceSample], settings: Settings) -> bool:
    """Whether five calls cannot tell: something may grow, and would not reach its limit within the further calls."""
    if len(samples) != FEWEST:
        return False
    growing = [each for each in all_series(samples, settings) if each.reaches_limit]
    return bool(growing) and not any(each.growth.trend == "steady" and each.near for each in growing)


def _descriptors(samples: Sequence[ResourceSample]) -> Iterator[Series]:
    """The open files of each process that lived through all calls: the limit applies to each process."""
    held = [{p.pid: p for p in m.processes} for m in samples]
    for pid in sorted(set.intersection(*(set(each) for each in held)) if held else ()):
        levels = [each[pid].descriptors for each in held]
        yield _series(f"the number of open files of {held[-1][pid].name} (pid {pid})", "", levels, DESCRIPTORS)


def _series(what: str, unit: str, levels: Sequence[float], limit: float, least: float = 0.0) -> Series:
    return Series(what, unit, tuple(float(each) for each in levels), limit, growth(levels), least)
