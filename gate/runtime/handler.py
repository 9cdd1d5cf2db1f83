"""The image's own handler in the sandbox: initialised, and invoked only with an event that was named as safe."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from gate.engine import Engine, InspectedImage
from gate.engine.script import new_mark, result_in, supervised_command
from gate.errors import SandboxFailure
from gate.runtime import constraints
from gate.runtime.browser_activity import BrowserDetector
from gate.runtime.container import Container, sandbox_container
from gate.runtime.growth import MOST, more_calls_needed
from gate.runtime.report import (
    HandlerRun,
    Init,
    Invocation,
    Outcome,
    PhaseTimeouts,
    ReportedError,
    ResourceSample,
    Settings,
)
from gate.runtime.runtime_api import ApiEvent, api_events, environment, first_event, nth_event, runtime_api
from gate.runtime.tracebacks import IMPORT_HANDLER, frames_in, frames_of, own_line

# How often a child process that is still ending after an answer is measured again before it counts as left over.
_SETTLE_ATTEMPTS = 4
_SETTLE_SECONDS = 0.5
_IMPORT_SECONDS = 15


def run_handler(
    engine: Engine,
    reference: str,
    settings: Settings,
    *,
    event: Mapping[str, Any] | None = None,
    invocations: int = 5,
    timeouts: PhaseTimeouts | None = None,
    initialised: Callable[[], None] = lambda: None,
) -> HandlerRun:
    """Run the image as Lambda would: its ENTRYPOINT and CMD against the gate's own Runtime API.

    Args:
        engine: where it runs.
        reference: the image.
        settings: the function's memory, name and region.
        event: what the handler is sent; None initialises it and sends it nothing.
        invocations: how many times the event is sent, one after the other; up to ten times where five cannot tell
            whether something grows.
        timeouts: how long each phase may take.
        initialised: is called when the initialisation is over, however it ended: its time has been measured.

    Raises:
        SandboxFailure: the sandbox itself could not be run; nothing is known about the image.
        ImageUnavailable: there is no such image.
        EngineUnavailable: the engine does not answer.
    """
    timeouts = timeouts or PhaseTimeouts()
    # Each phase at its longest, with as much again for starting and measuring.
    life = 120 + timeouts.init + max(invocations, MOST) * (timeouts.invocation + timeouts.idle + 360)
    with runtime_api(engine, settings.helper or reference, settings, event, life, timeouts) as api:
        host = constraints.function(settings, f"container:{api.identity}")
        variables = environment(settings)
        with sandbox_container(engine, reference, host, environment=variables, observer=settings.helper) as function:
            run = _Run(api, function, engine.image(reference), settings, timeouts)
            init, baseline = run.initialise()
            initialised()
            count = invocations if event is not None and init.outcome == "answered" else 0
            done = tuple(run.invocations(1, count))
            if more_calls_needed([i.after for i in done if i.after], settings):
                done += tuple(run.invocations(count + 1, MOST))
            samples = [baseline, *(i.after for i in done)]
            if not samples[-1] and function.state()["Running"]:
                samples.append(function.measure())
            return HandlerRun(settings, init, baseline, done, function.footprint(settings.memory_mb, samples))


class _Run:
    """One function and its Runtime API, taken through the phases of a Lambda environment."""

    def __init__(
        self, api: Container, function: Container, image: InspectedImage, settings: Settings, timeouts: PhaseTimeouts
    ) -> None:
        self._api = api
        self._function = function
        self._settings = settings
        self._handler = next(iter(image.cmd), "")
        self._browser = image.env.get("CHROME_BIN", "")
        self._timeouts = timeouts
        self._requests = 0

    def initialise(self) -> tuple[Init, ResourceSample | None]:
        if not self._function.start():
            self._require_api()
            return Init("not started", None, ReportedError("CannotStart", self._function.start_error)), None
        event = self._function.wait_for(self._init_event, self._timeouts.init)
        if event and event["what"] == "next":
            self._requests += 1
            sample = self._function.measure()
            seconds = round(event["at"] - sample.started, 3) if sample else None
            return Init("answered", seconds), sample
        if event is None:
            return Init(self._unanswered(), None), None
        # A runtime that has reported its error ends by itself: its exit code is wanted.
        self._function.wait_for(lambda: None, self._timeouts.idle)
        return Init("failed", None, self._error(event)), None

    def invocations(self, start: int, last: int) -> Iterator[Invocation]:
        for number in range(start, last + 1):
            yield (invocation := self._invoke(number))
            if invocation.after is None:
                return

    def _invoke(self, number: int) -> Invocation:
        detector = BrowserDetector(self._function, self._browser)
        self._api.signal("SIGUSR1")
        invocation = self._called(number, detector)
        return replace(invocation, browser=detector.browser, top_error=detector.top_error)

    def _called(self, number: int, detector: BrowserDetector) -> Invocation:
        def answered() -> tuple[ApiEvent, ApiEvent] | None:
            detector.update()
            return self._answer(number)

        pair = self._function.wait_for(answered, self._timeouts.invocation)
        if pair is None:
            return Invocation(number, self._unanswered(), None)
        sent, answer = pair
        after, measure_error = None, ""
        if self._function.wait_for(self._next_request, self._timeouts.idle):
            self._requests += 1
            after, measure_error = self._settled(), self._function.measure_error
        seconds = round(answer["at"] - sent["at"], 3)
        done = Invocation(number, "answered", seconds, after=after, measure_error=measure_error)
        if answer["what"] == "error":
            return replace(done, outcome="failed", error=self._error(answer))
        return replace(done, answer=answer["body"])

    def _answer(self, number: int) -> tuple[ApiEvent, ApiEvent] | None:
        """The event as it was handed out, and what came back for it."""
        events = api_events(self._api)
        sent = nth_event(events, number, lambda event: event["what"] == "sent")
        if sent is None:
            return None
        answer = nth_event(events, 1, lambda e: e["what"] in ("response", "error") and e["id"] == sent["id"])
        return (sent, answer) if answer else None

    def _init_event(self) -> ApiEvent | None:
        return first_event(self._api, "init error") or self._next_request()

    def _next_request(self) -> ApiEvent | None:
        return nth_event(api_events(self._api), self._requests + 1, lambda event: event["what"] == "next")

    def _settled(self) -> ResourceSample | None:
        """The container once child processes that were ending have ended."""
        sample = self._function.measure()
        for _ in range(_SETTLE_ATTEMPTS):
            if sample is None or not sample.zombies:
                break
            self._function.wait_for(lambda: None, _SETTLE_SECONDS)
            sample = self._function.measure()
        return sample

    def _unanswered(self) -> Outcome:
        self._require_api()
        return "late" if self._function.state()["Running"] else "ended"

    def _require_api(self) -> None:
        if not self._api.state()["Running"]:
            raise SandboxFailure(f"the Runtime API ended in the middle: {self._api.logs()[-500:]}",
                                 where="the sandbox's sidecar container")  # fmt: skip

    def _error(self, event: ApiEvent) -> ReportedError:
        """The error as the runtime posted it (Lambda, "Initialization error": errorType, errorMessage, stackTrace)."""
        try:
            body = json.loads(event["body"])
            error = ReportedError(str(body["errorType"]), str(body["errorMessage"]))
        except (ValueError, KeyError, TypeError):
            return ReportedError(event.get("type") or "unknown", event["body"])
        return replace(error, line=self._own_line(body.get("stackTrace")))

    def _own_line(self, trace: Any) -> str:
        """The deepest line of the image's own code in the runtime's trace.

        awslambdaric reports an ImportError without its trace. Then the handler is imported once more, in the container
        that serves the Runtime API: it has the same files and the same user.
        """
        frames = frames_in(trace)
        if self._settings.helper:  # which has none of the image's files
            return own_line(frames, self._settings.task_root, ())
        mark, arguments = new_mark(), ["" if frames else self._handler, self._settings.task_root]
        command = supervised_command(IMPORT_HANDLER, arguments, mark, seconds=_IMPORT_SECONDS)
        result = result_in(self._api.execute(command)[0], mark)
        found = (result.answer if result else None) or {}
        return own_line(frames or frames_of(found.get("frames")), self._settings.task_root, found.get("packages") or ())
