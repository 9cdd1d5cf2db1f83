"""Where the time of a run goes: its parts as they were really timed, for the page and for the terminal."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gate.cached_property import times_of

# What the candidate's facts are called here, by their names in `gate.candidate`.
_FACTS = {
    "handler_run": "sandbox: handler",
    "probe_run": "sandbox: browser",
    "archive": "reading layers",
    "layers": "searching layers",
    "interpreter": "the image's Python",
    "sbom": "SBOM",
}
# Facts that begin with others, which have a part of their own or none.
_AFTER = {"layers": "records", "interpreter": "pins"}
# A part that is shorter, in seconds, is not worth a reader's look.
_SHORTEST = 0.05
_SHOWN = 120
# proc(5), /proc/pid/stat: field 22 is the start time; counted from the field after the command's closing bracket.
_START_TIME = 22 - 3


@dataclass(frozen=True)
class RunPart:
    """A part of a run; parts may overlap.

    Attributes:
        began: seconds since the process began.
        seconds: how long it took.
    """

    name: str
    began: float
    seconds: float


class Timeline:
    """The parts of a run, from the start of its process."""

    def __init__(self) -> None:
        self._zero = _process_began()
        self._parts = [self._since("start", self._zero)]

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Time what is done in this block, whether or not it succeeds."""
        began = time.monotonic()
        try:
            yield
        finally:
            self._parts.append(self._since(name, began))

    def collected(self) -> None:
        """The scenarios are collected: what was done before belongs to the start."""
        self._parts[0] = self._since("start", self._zero)

    def parts(self, candidate: object) -> list[RunPart]:
        """The parts, with those of the facts about the candidate (None without one), as they began."""
        times, nothing = times_of(candidate), (self._zero, self._zero)
        gathered = [
            self._between(label, max(times[name][0], times.get(_AFTER.get(name, ""), nothing)[1]), times[name][1])
            for name, label in _FACTS.items()
            if name in times
        ]
        return sorted(
            (each for each in (*self._parts, *gathered) if each.seconds >= _SHORTEST), key=lambda each: each.began
        )

    def line(self, candidate: object) -> str:
        """The whole time, and the longest parts, as one line of at most 120 columns."""
        line = f"time: {time.monotonic() - self._zero:.0f} s; parts, some side by side: "
        longest = sorted(self.parts(candidate), key=lambda each: -each.seconds)
        for number, each in enumerate(longest):
            more = f"{', ' if number else ''}{each.name} {each.seconds:.1f}"
            if len(line) + len(more) <= _SHOWN:
                line += more
        return line

    def _since(self, name: str, began: float) -> RunPart:
        return self._between(name, began, time.monotonic())

    def _between(self, name: str, began: float, ended: float) -> RunPart:
        return RunPart(name, began - self._zero, ended - began)


def _process_began() -> float:
    """When this process began, in seconds of `time.monotonic`; now, where the system does not tell (macOS)."""
    try:
        fields = Path("/proc/self/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return time.monotonic()
    age = time.clock_gettime(time.CLOCK_BOOTTIME) - int(fields[_START_TIME]) / os.sysconf("SC_CLK_TCK")
    return time.monotonic() - age
