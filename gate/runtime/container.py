"""One container of the sandbox: created, started, measured, and removed in any case."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from docker.errors import APIError

from gate.engine import Engine, engine_errors, owner_label
from gate.engine.script import between_marks, new_mark
from gate.errors import EngineUnavailable
from gate.runtime import constraints
from gate.runtime.constraints import USER
from gate.runtime.report import ContainerProcess, Footprint, ResourceSample, TopProcess

T = TypeVar("T")

MEASURE = Path(__file__).with_name("measure.py").read_text()
LOG_CHARACTERS = 32 * 1024
_POLL_SECONDS = 0.1
_SAMPLE_SECONDS = 0.5
# A busy engine may give no answer once: a measurement is tried again before it counts as failed.
_ATTEMPTS = 3
_EXECUTE_SECONDS = 20
# The file system of a container's first process, as another container with the same user and processes sees it.
_ROOT_OF_THE_FIRST = "/proc/1/root"


class Container:
    """A container that was created for one run.

    Attributes:
        mark: what stands before the lines that its program answers.
        start_error: why the engine could not start it; "" when it did.
        measure_error: why the last measurement failed; "" when it did not, and when the container has ended.
    """

    def __init__(self, engine: Engine, identity: str, mark: str = "", observer: str = "") -> None:
        self._engine, self._observer = engine, observer
        self._api: Any = engine.client.api
        self.identity = identity
        self.mark = mark
        self.start_error = ""
        self.measure_error = ""
        self._working_set: int | None = None
        self._sampled = 0.0

    def start(self) -> bool:
        """Start it; False, with `start_error` set, when the engine says that its command cannot be run."""
        with engine_errors(f"docker start {self.identity[:12]}"):
            try:
                self._api.start(self.identity)
            except APIError as refused:
                if refused.is_server_error() and "runtime create failed" not in str(refused.explanation):
                    raise
                self.start_error = str(refused.explanation)
        return not self.start_error

    def state(self) -> dict[str, Any]:
        """Its `State` in `docker inspect`."""
        with engine_errors(f"docker inspect {self.identity[:12]}"):
            return dict(self._api.inspect_container(self.identity)["State"])

    def logs(self, *, stderr: bool = True, tail: int | str = 400) -> str:
        """The last lines of what it wrote."""
        with engine_errors(f"docker logs {self.identity[:12]}"):
            raw: bytes = self._api.logs(self.identity, stdout=True, stderr=stderr, tail=tail)
        return raw.decode("utf-8", "replace")

    def signal(self, name: str) -> None:
        """Send its first process a signal; when it has ended, nothing is sent."""
        with engine_errors(f"docker kill {self.identity[:12]}"):
            try:
                self._api.kill(self.identity, signal=name)
            except APIError as refused:
                if not refused.is_client_error():
                    raise

    def wait_for(self, fact: Callable[[], T | None], seconds: float) -> T | None:
        """Ask for a fact until it is there, the container has ended, or the time is over.

        Returns:
            The fact, or None: then `state` tells whether the container still runs.
        """
        deadline = time.monotonic() + seconds
        while True:
            # In this order, so that a fact that came just before the end is still found.
            running = bool(self.state()["Running"])
            if (found := fact()) is not None:
                return found
            if not running or time.monotonic() >= deadline:
                return None
            self._sample()
            time.sleep(_POLL_SECONDS)

    def measure(self) -> ResourceSample | None:
        """What it uses now, by its own Python or the observer's; None when it has ended, or three attempts failed."""
        for _ in range(_ATTEMPTS):
            if sample := self._measured():
                return sample
            if not self.state()["Running"]:
                self.measure_error = ""
                return None
        return None

    def footprint(self, memory_mb: int, samples: Sequence[ResourceSample | None]) -> Footprint:
        """What it used in all, and how it ended."""
        state = self.state()
        taken = [each for each in samples if each]
        kills = any(each.oom_kills for each in taken)
        return Footprint(
            memory_mb=memory_mb,
            exit_code=None if state["Running"] else int(state["ExitCode"]),
            oom_killed=bool(state["OOMKilled"]) or kills,
            working_set_bytes=self._working_set,
            high_water_bytes=max((each.high_water_bytes for each in taken if each.high_water_bytes), default=None),
            logs=self.logs()[-LOG_CHARACTERS:].rstrip("\n") or self.start_error,
        )

    def _measured(self) -> ResourceSample | None:
        mark = new_mark()
        command = ["python3", "-I", "-S", "-c", MEASURE, mark]
        answer, error = self._observed([*command, _ROOT_OF_THE_FIRST]) if self._observer else self.execute(command)
        sample = sample_in(answer, mark)
        self.measure_error = "" if sample else error or "an empty answer"
        return sample

    def _observed(self, command: Sequence[str]) -> tuple[str, str]:
        """Run a command in a container beside it, of the observer's image, that sees its processes; as `execute`."""
        host = constraints.observer(self.identity)
        try:
            with sandbox_container(self._engine, self._observer, host, entrypoint=command) as beside:
                beside.start()
                beside.wait_for(lambda: None, _EXECUTE_SECONDS)
                return beside.logs(stderr=False), beside.start_error or beside.logs()[-300:].strip()
        except EngineUnavailable as refused:
            return "", str(refused)

    def execute(self, command: Sequence[str]) -> tuple[str, str]:
        """Run a command in it; returns its standard output, and the end of its error output or the engine's error."""
        answers: list[tuple[str, str]] = []
        # A thread, because docker-py reads the output of `docker exec` without a time limit.
        running = threading.Thread(target=lambda: answers.append(self._executed(command)), daemon=True)
        running.start()
        running.join(_EXECUTE_SECONDS)
        return answers[0] if answers else ("", f"no answer in {_EXECUTE_SECONDS} s")

    def _executed(self, command: Sequence[str]) -> tuple[str, str]:
        try:
            created = self._api.exec_create(self.identity, list(command), user=USER)
            output, error = self._api.exec_start(created["Id"], demux=True)
        except (APIError, OSError) as refused:
            return "", str(refused)
        end = (error or output or b"")[-300:].decode("utf-8", "replace").strip()
        return (output or b"").decode("utf-8", "replace"), end

    def top(self) -> tuple[TopProcess, ...]:
        """The processes in it, as the engine lists them: the container's own limits are not used up by it.

        Raises:
            APIError: it has ended, or the engine cannot list them.
        """
        rows = self._api.top(self.identity, ps_args="-eo pid,nlwp,args").get("Processes") or []
        return tuple(TopProcess(int(threads), command) for _, threads, command in rows)

    def _sample(self) -> None:
        if time.monotonic() - self._sampled < _SAMPLE_SECONDS:
            return
        self._sampled = time.monotonic()
        with engine_errors(f"docker stats {self.identity[:12]}"):
            used = _working_set(self._api.stats(self.identity, stream=False, one_shot=True).get("memory_stats") or {})
        if used is not None:
            self._working_set = max(used, self._working_set or 0)


def sample_in(text: str, mark: str) -> ResourceSample | None:
    """The answer of `measure.py`; None when there is none, as after a process that was killed meanwhile."""
    try:
        found = json.loads(between_marks(text, mark) or "")
        return ResourceSample(**{**found, "processes": tuple(ContainerProcess(**each) for each in found["processes"])})
    except (ValueError, KeyError, TypeError):
        return None


def _working_set(memory: Mapping[str, Any]) -> int | None:
    """Bytes in use without reclaimable page cache, as `docker stats` itself computes them."""
    if "usage" not in memory:
        return None
    counters = memory.get("stats") or {}
    cache = counters.get("total_inactive_file", counters.get("inactive_file", 0))
    return max(int(memory["usage"]) - int(cache), 0)


@contextmanager
def sandbox_container(
    engine: Engine,
    reference: str,
    host: Mapping[str, Any],
    *,
    entrypoint: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    mark: str = "",
    observer: str = "",
) -> Iterator[Container]:
    """A container of the image, created but not started, and removed at the end.

    Args:
        engine: where it runs.
        reference: the image.
        host: the constraints, as docker-py's `create_host_config` takes them.
        entrypoint: what to run; the image's own when empty.
        environment: variables beside the image's own.
        mark: what stands before the lines that its program answers.
        observer: the image whose Python measures it from beside it; "" where its own does.

    Raises:
        ImageUnavailable: there is no such image.
        EngineUnavailable: the engine does not answer.
    """
    api: Any = engine.client.api
    with engine_errors(f"docker create {reference}"):
        created = api.create_container(
            reference,
            entrypoint=list(entrypoint) or None,
            command=[] if entrypoint else None,
            environment=dict(environment or {}),
            user=USER,
            labels=owner_label(),
            # Not the proxies of the user's Docker configuration: the sandbox must not reach anything.
            use_config_proxy=False,
            host_config=api.create_host_config(**host),
        )
    try:
        yield Container(engine, created["Id"], mark, observer)
    finally:
        engine.remove(created["Id"])
