"""What a run in the Lambda sandbox came to: facts only, none of them checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# answered: it did what was asked. failed: it said that it could not. late: its time limit passed, and it was killed.
# ended: its process ended first. not started: the engine could not even start it.
Outcome = Literal["answered", "failed", "late", "ended", "not started"]


@dataclass(frozen=True)
class Settings:
    """The function's settings, as Lambda would apply them.

    Attributes:
        memory_mb: 1,769 MB are one vCPU, less is proportionally less (Lambda, "Configure Lambda function memory").
    """

    memory_mb: int
    name: str = "function"
    region: str = "us-east-1"
    task_root: str = "/var/task"

    @property
    def cpus(self) -> float:
        """The share of CPUs that goes with the memory."""
        return self.memory_mb / 1769


@dataclass(frozen=True)
class Limits:
    """How long each phase may take before the sandbox is ended, in seconds.

    They are longer than what the checks allow, so that a slow run is measured and not only cut off.
    """

    init: float = 30
    invocation: float = 120
    idle: float = 20
    probe: float = 120


@dataclass(frozen=True)
class Fault:
    """What went wrong, in the words of who noticed.

    Attributes:
        line: the deepest line of the image's own code that it came from; "" when there is none.
    """

    type: str
    text: str
    line: str = ""

    def __str__(self) -> str:
        return f"{self.type}: {self.text}" + (f", at {self.line}" if self.line else "")


@dataclass(frozen=True)
class Process:
    """One process in the container.

    Attributes:
        state: as in proc(5), "Z" for a zombie.
        descriptors: how many files it holds open; where nobody may look, the places in its table.
    """

    pid: int
    parent: int
    state: str
    name: str
    threads: int = 1
    descriptors: int = 0


@dataclass(frozen=True)
class Program:
    """A process as the engine sees it from outside: how many threads it has, and its command line."""

    threads: int
    command: str


@dataclass(frozen=True)
class Moment:
    """The container as it was at one moment.

    Attributes:
        tmp_bytes: used in /tmp.
        high_water_bytes: the most memory ever used, page cache and /tmp included; None when the kernel does not tell.
        oom_kills: processes killed for want of memory so far; None when the kernel does not tell.
        memory_bytes: held by the processes themselves, without page cache and /tmp; None when it was not measured.
    """

    processes: tuple[Process, ...]
    tmp_bytes: int
    high_water_bytes: int | None
    oom_kills: int | None
    memory_bytes: int | None = None

    @property
    def zombies(self) -> tuple[Process, ...]:
        """The processes that ended and that nobody has reaped."""
        return tuple(p for p in self.processes if p.state == "Z")


@dataclass(frozen=True)
class Init:
    """The function's initialisation.

    Attributes:
        seconds: from the start of the container's first process to the first request for an event; None when that
            never came, or the start could not be seen.
    """

    outcome: Outcome
    seconds: float | None
    fault: Fault | None = None


@dataclass(frozen=True)
class Invocation:
    """One event handed to the handler.

    Attributes:
        seconds: from handing it out to the answer; None when there was none.
        answer: what the handler returned, as JSON text; at most 64 K characters of it.
        after: the container once the runtime had asked for the next event; None when it did not, or could not be seen.
        unseen: why the container could not be seen though the runtime had asked for the next event.
        browser: the command line of a browser that was at work meanwhile; "" when none was seen.
        unwatched: why it could not be seen what ran meanwhile; "" when it could.
    """

    number: int
    outcome: Outcome
    seconds: float | None
    answer: str = ""
    fault: Fault | None = None
    after: Moment | None = None
    unseen: str = ""
    browser: str = ""
    unwatched: str = ""


@dataclass(frozen=True)
class Footprint:
    """What a container used, and how it ended.

    Attributes:
        exit_code: None when it still ran and was stopped by the gate.
        oom_killed: whether the container or a process in it was killed for want of memory.
        working_set_bytes: the most that was seen in use without reclaimable page cache, sampled twice a second.
        high_water_bytes: the kernel's own mark, page cache and /tmp included; None when unknown.
        logs: the last of what it wrote.
    """

    memory_mb: int
    exit_code: int | None
    oom_killed: bool
    working_set_bytes: int | None
    high_water_bytes: int | None
    logs: str


@dataclass(frozen=True)
class HandlerRun:
    """The image's own handler, initialised and perhaps invoked.

    Attributes:
        baseline: the container right after its initialisation.
        invocations: as many as were tried; the run stops at the first that ends the function.
    """

    settings: Settings
    init: Init
    baseline: Moment | None
    invocations: tuple[Invocation, ...]
    footprint: Footprint
