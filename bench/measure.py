"""How long commands take and how much memory they need."""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


class Observed:
    """What was seen of the measured processes.

    Attributes:
        largest: the largest resident memory of any in MiB, without what it starts itself (syft, docker).
        parts: where the last run of the gate says that its time went.
    """

    largest, parts = 0.0, ""

    @classmethod
    def follow(cls, process: subprocess.Popen[str]) -> None:
        """Read a process's memory until it ends."""
        while process.poll() is None:
            with suppress(OSError, StopIteration, ProcessLookupError):
                cls.largest = max(cls.largest, resident(process.pid))
            time.sleep(0.02)


def resident(process: int) -> float:
    """The largest resident memory of a process so far, in MiB; what getrusage gives includes that of its parent."""
    status = Path(f"/proc/{process}/status").read_text().splitlines()
    return int(next(line for line in status if line.startswith("VmHWM")).split()[1]) / 1024


def seconds(command: list[str], environment: dict[str, str] | None = None, folder: Path = ROOT) -> float:
    """How long a command takes in a folder; one that fails ends the bench, with the end of its output."""
    began = time.monotonic()
    whole = {**os.environ, **(environment or {})}
    with tempfile.TemporaryFile("w+") as screen:
        process = subprocess.Popen(command, cwd=folder, env=whole, stdout=screen, stderr=screen, text=True)
        Observed.follow(process)
        took = time.monotonic() - began
        screen.seek(0)
        if process.returncode:
            raise SystemExit(f"{' '.join(command[:4])} ended with {process.returncode}:\n{screen.read()[-3000:]}")
        said = [line for line in screen if line.startswith("time: ")]
        Observed.parts = said[-1].removeprefix("time: ").strip() if said else Observed.parts
    return took


def medians(
    runs: int, gate: Callable[[], float], other: Callable[[], float], before: Callable[[], None] | None
) -> Iterator[tuple[int, float, float]]:
    """The medians of both in seconds, after each run of both; they take turns, so the machine's load is the same."""
    gates: list[float] = []
    others: list[float] = []
    for number in range(1, runs + 1):
        for measure, times in ((gate, gates), (other, others)):
            if before:
                before()
            times.append(measure())
            print(f"  run {number}: {measure.__name__} {times[-1]:.1f} s", flush=True)
        yield number, statistics.median(gates), statistics.median(others)
