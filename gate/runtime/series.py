"""What grows over the invocations, and after how many calls it reaches its limit in Lambda. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gate.runtime.constraints import DESCRIPTORS, PROCESSES, TMP_BYTES
from gate.runtime.growth import FEWEST, MOST, Growth, growth
from gate.runtime.report import HandlerRun, Moment, Settings

MIB = 1024 * 1024
# Lambda ends an environment every few hours, also one that is never idle (Lambda, "Understanding the Lambda execution
# environment lifecycle"). These calls, of two seconds each as a page in Chrome takes at least, are more than five hours
# without a pause: what needs more of them is not reached, and is shown without being refused.
LIVES = 10_000
# Megabytes of memory: a handler that keeps nothing rises by 24 kB with each call on the way to its level (measured).
_LEAST_MEMORY = 0.05
_TMP = "/tmp"  # noqa: S108 - Lambda's own path


@dataclass(frozen=True)
class Series:
    """One thing that was measured after each call.

    Attributes:
        what: a noun with its verb's subject, such as "/tmp".
        unit: of the levels, as a person reads them; "" for a number of things.
        levels: after each call, in that unit.
        limit: at which Lambda refuses more.
        limited: the limit, as a person reads it.
        growth: what the levels show.
        least: a rise per call below this is none: the allocator's own bookkeeping, not something that is kept.
    """

    what: str
    unit: str
    levels: tuple[float, ...]
    limit: float
    limited: str
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
    def matters(self) -> bool:
        """Whether an environment can live to see that call."""
        return self.calls is not None and self.calls <= LIVES and self.growth.per_call >= self.least

    def __str__(self) -> str:
        return " → ".join(f"{level:,.1f}" if self.unit else f"{level:,.0f}" for level in self.levels) + self.unit


def all_series(moments: Sequence[Moment], settings: Settings) -> tuple[Series, ...]:
    """The series of a run, without the number of processes, which counts in that of processes and threads.

    Args:
        moments: the container after each call, in order.
        settings: the function's memory is the limit of that.
    """
    tmp = _series(_TMP, " MB", [m.tmp_bytes / MIB for m in moments], TMP_BYTES / MIB)
    threads = [sum(max(p.threads, 1) for p in m.processes) for m in moments]
    together = _series("the number of processes and threads", "", threads, PROCESSES)
    held = memory(moments, settings)
    return (tmp, *([held] if held else []), together, *_descriptors(moments))


def series_of(run: HandlerRun) -> tuple[Series, ...]:
    """The series of a run, as far as it went."""
    moments = [each.after for each in run.invocations if each.after]
    return all_series(moments, run.settings) if moments else ()


def memory(moments: Sequence[Moment], settings: Settings) -> Series | None:
    """What the function's processes hold; None where one of the moments did not measure it."""
    levels = [m.memory_bytes / MIB for m in moments if m.memory_bytes is not None]
    whole = bool(moments) and len(levels) == len(moments)
    return _series("memory", " MB", levels, float(settings.memory_mb), _LEAST_MEMORY) if whole else None


def processes(moments: Sequence[Moment]) -> Series:
    """How many processes live."""
    return _series("the number of processes", "", [len(m.processes) for m in moments], PROCESSES)


def more_calls_tell(moments: Sequence[Moment], settings: Settings) -> bool:
    """Whether calls beyond the fewest can tell more: something may grow, and would not reach its limit within them."""
    if len(moments) != FEWEST:
        return False
    growing = [each for each in all_series(moments, settings) if each.matters]
    return bool(growing) and not any(each.growth.trend == "steady" and each.near for each in growing)


def _descriptors(moments: Sequence[Moment]) -> Iterator[Series]:
    """Of each process that lived through all of the calls: the limit is a process's own."""
    held = [{p.pid: p for p in m.processes} for m in moments]
    for pid in sorted(set.intersection(*(set(each) for each in held)) if held else ()):
        levels = [each[pid].descriptors for each in held]
        yield _series(f"the number of open files of {held[-1][pid].name} (pid {pid})", "", levels, DESCRIPTORS)


def _series(what: str, unit: str, levels: Sequence[float], limit: float, least: float = 0.0) -> Series:
    limited = f"{limit:,.0f}{unit}"
    return Series(what, unit, tuple(float(each) for each in levels), limit, limited, growth(levels), least)
