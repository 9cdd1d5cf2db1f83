"""What a run in the Lambda sandbox reports: facts only, none of them checked."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import Literal

# answered: it did what was asked. failed: it reported an error. late: it was stopped after its time limit.
# ended: its process ended first. not started: the engine could not start it.
Outcome = Literal["answered", "failed", "late", "ended", "not started"]


@dataclass(frozen=True)
class Settings:
    """The function's settings, as Lambda would apply them.

    Attributes:
        memory_mb: 1,769 MB are one vCPU, less is proportionally less (Lambda, "Configure Lambda function memory").
        helper: the image whose Python serves the Runtime API and measures the function; "" where its own image's does.
    """

    memory_mb: int
    name: str = "function"
    region: str = "us-east-1"
    task_root: str = "/var/task"
    helper: str = ""

    @property
    def cpus(self) -> float:
        """The share of CPUs that goes with the memory."""
        return self.memory_mb / 1769


@dataclass(frozen=True)
class PhaseTimeouts:
    """How long each phase may take before the sandbox is ended, in seconds.

    They are longer than what the checks allow, so that a slow run is measured and not only cut off.
    """

    init: float = 30
    invocation: float = 120
    idle: float = 20
    probe: float = 120


@dataclass(frozen=True)
class ReportedError:
    """An error as the runtime, Selenium or the engine reported it.

    Attributes:
        line: the deepest line of the image's own code that it came from; "" when there is none.
    """

    type: str
    text: str
    line: str = ""

    def __str__(self) -> str:
        return f"{self.type}: {self.text}" + (f", at {self.line}" if self.line else "")


@dataclass(frozen=True)
class ContainerProcess:
    """One process, as seen from inside its container.

    Attributes:
        state: as in proc(5), "Z" for a zombie.
        descriptors: how many files it holds open; where they cannot be listed, the size of its descriptor table.
    """

    pid: int
    parent: int
    state: str
    name: str
    threads: int = 1
    descriptors: int = 0


@dataclass(frozen=True)
class TopProcess:
    """One process, as the engine sees it from outside (`docker top`)."""

    threads: int
    command: str


@dataclass(frozen=True)
class ResourceSample:
    """What a container used at one moment.

    Attributes:
        tmp_bytes: used in /tmp.
        high_water_bytes: the most memory ever used, page cache and /tmp included; None when the kernel does not tell.
        oom_kills: processes killed for want of memory so far; None when the kernel does not tell.
        memory_bytes: held by the processes themselves, without page cache and /tmp; None when it was not measured.
        started: when the container's first process started, in seconds since boot.
    """

    processes: tuple[ContainerProcess, ...]
    tmp_bytes: int
    high_water_bytes: int | None
    oom_kills: int | None
    memory_bytes: int | None = None
    started: float = 0.0

    @property
    def zombies(self) -> tuple[ContainerProcess, ...]:
        """The processes that ended and that no parent has reaped."""
        return tuple(p for p in self.processes if p.state == "Z")


@dataclass(frozen=True)
class Init:
    """The function's initialisation.

    Attributes:
        seconds: from the start of the container's first process to the first request for an event; None when there
            was no such request, or the start could not be measured.
    """

    outcome: Outcome
    seconds: float | None
    error: ReportedError | None = None


@dataclass(frozen=True)
class Invocation:
    """One event handed to the handler.

    Attributes:
        seconds: from handing it out to the answer; None when there was none.
        answer: what the handler returned, as JSON text; at most 64 K characters of it.
        after: the container once the runtime had asked for the next event; None when it did not ask, or the container
            could not be measured.
        measure_error: why the container could not be measured though the runtime had asked for the next event.
        browser: the command line of a browser that ran meanwhile; "" when none was seen.
        top_error: why the engine could not list what ran meanwhile; "" when it could.
    """

    number: int
    outcome: Outcome
    seconds: float | None
    answer: str = ""
    error: ReportedError | None = None
    after: ResourceSample | None = None
    measure_error: str = ""
    browser: str = ""
    top_error: str = ""


@dataclass(frozen=True)
class Footprint:
    """What a container used in all, and how it ended.

    Attributes:
        exit_code: None when it still ran and was stopped by the gate.
        oom_killed: whether the container or a process in it was killed for want of memory.
        working_set_bytes: the most that was used without reclaimable page cache, sampled twice a second.
        high_water_bytes: the kernel's own mark, page cache and /tmp included; None when unknown.
        logs: the end of what it wrote.
    """

    memory_mb: int
    exit_code: int | None
    oom_killed: bool
    working_set_bytes: int | None
    high_water_bytes: int | None
    logs: str

    def end(self, outcome: Outcome) -> str:
        """How a run that did not answer ended, as the rest of a sentence that begins with what was run."""
        if self.oom_killed:
            return f"was killed for want of memory ({self.memory_mb} MB)"
        if outcome == "late":
            return "did not answer in time, and was stopped"
        code = self.exit_code
        # The engine reports death by a signal as 128 + its number (bash(1), EXIT STATUS).
        if code is not None and code > 128 and code - 128 in set(signal.Signals):  # noqa: PLR2004
            return f"ended with exit code {code} ({signal.Signals(code - 128).name})"
        return f"ended with exit code {code}" if code is not None else "ended with no exit code"

    @property
    def last_line(self) -> str:
        """The last line of the logs that is not empty, as a clause."""
        lines = [line.strip() for line in self.logs.splitlines() if line.strip()]
        return f"its last log line: {lines[-1][:300]}" if lines else "it wrote nothing"


@dataclass(frozen=True)
class HandlerRun:
    """The image's own handler, initialised and perhaps invoked.

    Attributes:
        baseline: the container right after its initialisation.
        invocations: as many as were tried; the run stops at the first that ends the function.
    """

    settings: Settings
    init: Init
    baseline: ResourceSample | None
    invocations: tuple[Invocation, ...]
    footprint: Footprint
