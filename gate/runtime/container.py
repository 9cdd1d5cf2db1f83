"""One container of the sandbox: started, watched, measured, and removed whatever happens."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from docker.errors import APIError

from gate.engine import Engine, engine_errors, owner_label
from gate.engine.script import new_mark
from gate.runtime.constraints import USER
from gate.runtime.measurement import MEASURE, Measurement, measurement_in, working_set
from gate.runtime.report import Footprint, Moment, Program

T = TypeVar("T")

LOG_CHARACTERS = 32 * 1024
_POLL_SECONDS = 0.1
_SAMPLE_SECONDS = 0.5
# A look is a question to a busy engine: one that brings nothing is asked again before it counts as unanswered.
_LOOKS = 3
_LOOK_SECONDS = 20


class Container:
    """A container that was created for one run.

    Attributes:
        mark: what stands before the lines that its program answers.
        refusal: why the engine could not start it; "" when it did.
        unseen: why the last look into it showed nothing; "" when it did, and when it has ended.
    """

    def __init__(self, engine: Engine, identity: str, mark: str = "") -> None:
        self._engine = engine
        self._api: Any = engine.client.api
        self.identity = identity
        self.mark = mark
        self.refusal = ""
        self.unseen = ""
        self._working_set: int | None = None
        self._sampled = 0.0

    def start(self) -> bool:
        """Start it; False, with `refusal` set, when the engine says that its command cannot be run."""
        with engine_errors(f"docker start {self.identity[:12]}"):
            try:
                self._api.start(self.identity)
            except APIError as refused:
                if refused.is_server_error() and "runtime create failed" not in str(refused.explanation):
                    raise
                self.refusal = str(refused.explanation)
        return not self.refusal

    def state(self) -> dict[str, Any]:
        """The engine's account of it (`State` of docker inspect)."""
        with engine_errors(f"docker inspect {self.identity[:12]}"):
            return dict(self._api.inspect_container(self.identity)["State"])

    def logs(self, *, stderr: bool = True, tail: int | str = 400) -> str:
        """The last lines of what it wrote."""
        with engine_errors(f"docker logs {self.identity[:12]}"):
            raw: bytes = self._api.logs(self.identity, stdout=True, stderr=stderr, tail=tail)
        return raw.decode("utf-8", "replace")

    def signal(self, name: str) -> None:
        """Send its first process a signal; one that has ended takes none."""
        with engine_errors(f"docker kill {self.identity[:12]}"):
            try:
                self._api.kill(self.identity, signal=name)
            except APIError as refused:
                if not refused.is_client_error():
                    raise

    def wait_for(self, fact: Callable[[], T | None], seconds: float) -> T | None:
        """Ask for a fact until it is there, the container has ended, or the time is up.

        Returns:
            The fact, or None: then `state` tells whether the container still runs.
        """
        deadline = time.monotonic() + seconds
        while True:
            # The order matters: a fact that came just before the end is still found.
            running = bool(self.state()["Running"])
            if (found := fact()) is not None:
                return found
            if not running or time.monotonic() >= deadline:
                return None
            self._sample()
            time.sleep(_POLL_SECONDS)

    def measure(self) -> Measurement | None:
        """Look into it with the image's own Python, three times at most; None when it has ended or shows nothing."""
        for _ in range(_LOOKS):
            if seen := self._look():
                return seen
            if not self.state()["Running"]:
                self.unseen = ""
                return None
        return None

    def footprint(self, memory_mb: int, moments: Sequence[Moment | None]) -> Footprint:
        """What it used, and how it ended."""
        state = self.state()
        seen = [m for m in moments if m]
        kills = any(m.oom_kills for m in seen)
        return Footprint(
            memory_mb=memory_mb,
            exit_code=None if state["Running"] else int(state["ExitCode"]),
            oom_killed=bool(state["OOMKilled"]) or kills,
            working_set_bytes=self._working_set,
            high_water_bytes=max((m.high_water_bytes for m in seen if m.high_water_bytes), default=None),
            logs=self.logs()[-LOG_CHARACTERS:].rstrip("\n") or self.refusal,
        )

    def _look(self) -> Measurement | None:
        mark = new_mark()
        answer, complaint = self.execute(["python3", "-I", "-S", "-c", MEASURE, mark])
        seen = measurement_in(answer, mark)
        self.unseen = "" if seen else complaint or "an empty answer"
        return seen

    def execute(self, command: Sequence[str]) -> tuple[str, str]:
        """Run a command in it: what it answered, and what was said against it; an engine's refusal is told so too."""
        answers: list[tuple[str, str]] = []
        # A thread, because reading the answer of `docker exec` has no time limit in the client.
        running = threading.Thread(target=lambda: answers.append(self._executed(command)), daemon=True)
        running.start()
        running.join(_LOOK_SECONDS)
        return answers[0] if answers else ("", f"no answer in {_LOOK_SECONDS} s")

    def _executed(self, command: Sequence[str]) -> tuple[str, str]:
        try:
            created = self._api.exec_create(self.identity, list(command), user=USER)
            answer, complaint = self._api.exec_start(created["Id"], demux=True)
        except (APIError, OSError) as refused:
            return "", str(refused)
        said = (complaint or answer or b"")[-300:].decode("utf-8", "replace").strip()
        return (answer or b"").decode("utf-8", "replace"), said

    def programs(self) -> tuple[Program, ...]:
        """What runs in it, as the engine sees it from outside: nothing of it is spent in the container.

        Raises:
            APIError: it has ended, or the engine cannot look.
        """
        rows = self._api.top(self.identity, ps_args="-eo pid,nlwp,args").get("Processes") or []
        return tuple(Program(int(threads), command) for _, threads, command in rows)

    def _sample(self) -> None:
        if time.monotonic() - self._sampled < _SAMPLE_SECONDS:
            return
        self._sampled = time.monotonic()
        with engine_errors(f"docker stats {self.identity[:12]}"):
            used = working_set(self._api.stats(self.identity, stream=False, one_shot=True).get("memory_stats") or {})
        if used is not None:
            self._working_set = max(used, self._working_set or 0)


@contextmanager
def contained(
    engine: Engine,
    reference: str,
    host: Mapping[str, Any],
    *,
    entrypoint: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    mark: str = "",
) -> Iterator[Container]:
    """A container of the image, created but not started, and removed at the end.

    Args:
        engine: where it runs.
        reference: the image.
        host: the constraints, as docker-py's `create_host_config` takes them.
        entrypoint: what to run; the image's own when empty.
        environment: variables beside the image's own.
        mark: what stands before the lines that its program answers.

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
            # The proxies of the user's Docker configuration are a way out: the sandbox has none.
            use_config_proxy=False,
            host_config=api.create_host_config(**host),
        )
    try:
        yield Container(engine, created["Id"], mark)
    finally:
        engine.remove(created["Id"])
