"""The image's own handler in the sandbox: initialised, and invoked only with an event that was named as safe."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from gate.engine import Engine, InspectedImage
from gate.engine.script import ANSWER_FUNCTION, new_mark, result_in, supervised_command
from gate.errors import SandboxFailure
from gate.runtime import constraints
from gate.runtime.api import Line, account, environment, first, nth, runtime_api
from gate.runtime.container import Container, contained
from gate.runtime.frames import IMPORTING, Frame, frames_in, frames_of, own_line
from gate.runtime.growth import MOST
from gate.runtime.measurement import Measurement
from gate.runtime.report import Fault, HandlerRun, Init, Invocation, Limits, Moment, Outcome, Settings
from gate.runtime.series import more_calls_tell
from gate.runtime.work import Watch

# After an answer: how often a child that is still being reaped is looked at again before it counts as left over.
_SETTLE_LOOKS = 4
_SETTLE_SECONDS = 0.5
_IMPORT_SECONDS = 15


def run_handler(
    engine: Engine,
    reference: str,
    settings: Settings,
    *,
    event: Mapping[str, Any] | None = None,
    invocations: int = 5,
    limits: Limits | None = None,
    initialised: Callable[[], None] = lambda: None,
) -> HandlerRun:
    """Run the image as Lambda would: its ENTRYPOINT and CMD against a Runtime API of ours.

    Args:
        engine: where it runs.
        reference: the image.
        settings: the function's memory, name and region.
        event: what the handler is sent; None initialises it and sends it nothing.
        invocations: how many times the event is sent, one after the other; up to ten times where five cannot tell
            whether something grows.
        limits: how long each phase may take.
        initialised: is called when the initialisation is over, however it ended: its time has been measured.

    Raises:
        SandboxFailure: the sandbox itself could not be run; nothing is known about the image.
        ImageUnavailable: there is no such image.
        EngineUnavailable: the engine does not answer.
    """
    limits = limits or Limits()
    # Each phase at its longest, with as much again for starting and looking.
    life = 120 + limits.init + max(invocations, MOST) * (limits.invocation + limits.idle + 360)
    with runtime_api(engine, reference, settings, event, life, limits) as api:
        host = constraints.function(settings, f"container:{api.identity}")
        with contained(engine, reference, host, environment=environment(settings)) as function:
            run = _Run(api, function, engine.image(reference), settings, limits)
            init, baseline = run.initialise()
            initialised()
            count = invocations if event is not None and init.outcome == "answered" else 0
            done = tuple(run.invocations(1, count))
            if more_calls_tell([i.after for i in done if i.after], settings):
                done += tuple(run.invocations(count + 1, MOST))
            moments = [baseline, *(i.after for i in done)]
            if not moments[-1]:
                moments.append(run.last_look())
            return HandlerRun(settings, init, baseline, done, function.footprint(settings.memory_mb, moments))


class _Run:
    """One function and its Runtime API, led from phase to phase."""

    def __init__(
        self, api: Container, function: Container, image: InspectedImage, settings: Settings, limits: Limits
    ) -> None:
        self._api = api
        self._function = function
        self._settings = settings
        self._handler = next(iter(image.cmd), "")
        self._browser = image.env.get("CHROME_BIN", "")
        self._limits = limits
        self._requests = 0

    def initialise(self) -> tuple[Init, Moment | None]:
        if not self._function.start():
            self._still_served()
            return Init("not started", None, Fault("CannotStart", self._function.refusal)), None
        said = self._function.wait_for(lambda: first(self._api, "init error") or self._asked_again(), self._limits.init)
        if said and said["what"] == "next":
            self._requests += 1
            seen = self._function.measure()
            return Init("answered", _seconds(said, seen)), seen.moment if seen else None
        if said is None:
            return Init(self._how_it_stopped(), None), None
        # A runtime that has reported its error ends by itself: its exit code is wanted.
        self._function.wait_for(lambda: None, self._limits.idle)
        return Init("failed", None, self._fault(said)), None

    def invocations(self, first: int, last: int) -> Iterator[Invocation]:
        for number in range(first, last + 1):
            yield (invocation := self._invoke(number))
            if invocation.after is None:
                return

    def last_look(self) -> Moment | None:
        seen = self._function.measure() if self._function.state()["Running"] else None
        return seen.moment if seen else None

    def _invoke(self, number: int) -> Invocation:
        watch = Watch(self._function, self._browser)
        self._api.signal("SIGUSR1")
        return replace(self._called(number, watch), browser=watch.browser, unwatched=watch.unwatched)

    def _called(self, number: int, watch: Watch) -> Invocation:
        def answered() -> tuple[Line, Line] | None:
            watch.look()
            return self._answered(number)

        pair = self._function.wait_for(answered, self._limits.invocation)
        if pair is None:
            return Invocation(number, self._how_it_stopped(), None)
        sent, answer = pair
        after, unseen = None, ""
        if self._function.wait_for(self._asked_again, self._limits.idle):
            self._requests += 1
            after, unseen = self._settled(), self._function.unseen
        seconds = round(answer["at"] - sent["at"], 3)
        if answer["what"] == "error":
            return Invocation(number, "failed", seconds, fault=self._fault(answer), after=after, unseen=unseen)
        return Invocation(number, "answered", seconds, answer["body"], after=after, unseen=unseen)

    def _answered(self, number: int) -> tuple[Line, Line] | None:
        """The event as it was handed out, and what came back for it."""
        lines = account(self._api)
        sent = nth(lines, number, lambda line: line["what"] == "sent")
        if sent is None:
            return None
        answer = nth(lines, 1, lambda line: line["what"] in ("response", "error") and line["id"] == sent["id"])
        return (sent, answer) if answer else None

    def _asked_again(self) -> Line | None:
        return nth(account(self._api), self._requests + 1, lambda line: line["what"] == "next")

    def _settled(self) -> Moment | None:
        """The container once children that were ending have ended."""
        seen = self._function.measure()
        for _ in range(_SETTLE_LOOKS):
            if seen is None or not seen.moment.zombies:
                break
            self._function.wait_for(lambda: None, _SETTLE_SECONDS)
            seen = self._function.measure()
        return seen.moment if seen else None

    def _how_it_stopped(self) -> Outcome:
        self._still_served()
        return "late" if self._function.state()["Running"] else "ended"

    def _still_served(self) -> None:
        if not self._api.state()["Running"]:
            raise SandboxFailure(f"the Runtime API ended in the middle: {self._api.logs()[-500:]}",
                                 where="the sandbox's sidecar container")  # fmt: skip

    def _fault(self, line: Line) -> Fault:
        """The error as the runtime posted it (Lambda, "Initialization error": errorType, errorMessage, stackTrace)."""
        try:
            body = json.loads(line["body"])
            fault = Fault(str(body["errorType"]), str(body["errorMessage"]))
        except (ValueError, KeyError, TypeError):
            return Fault(line.get("type") or "unknown", line["body"])
        return replace(fault, line=self._own_line(frames_in(body.get("stackTrace"))))

    def _own_line(self, frames: tuple[Frame, ...]) -> str:
        """The deepest line of the image's own code; a runtime that told none is not the last that can be asked.

        The container that serves the API has the same files and the same user: there the handler is imported once more
        where the runtime's own error names no line (awslambdaric tells an ImportError without its trace).
        """
        handler = "" if frames else self._handler
        mark, arguments = new_mark(), [handler, self._settings.task_root]
        command = supervised_command(ANSWER_FUNCTION + IMPORTING, arguments, mark, seconds=_IMPORT_SECONDS)
        told = result_in(self._api.execute(command)[0], mark)
        found = told.answer if told and told.answer else {}
        return own_line(frames or frames_of(found.get("frames")), self._settings.task_root, found.get("packages") or ())


def _seconds(asked: Line, seen: Measurement | None) -> float | None:
    return round(asked["at"] - seen.started, 3) if seen else None
