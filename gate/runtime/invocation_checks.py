"""Whether the function starts and behaves as Lambda needs it. Pure checks over what the sandbox reported."""

from __future__ import annotations

from dataclasses import replace

from gate.browser.page_checks import opens_page
from gate.check import ACCEPTED, CheckResult, Rejection, check, reject
from gate.runtime.growth import FEWEST, MIB, Series, all_series, memory, processes
from gate.runtime.report import (
    ContainerProcess,
    Footprint,
    HandlerRun,
    Init,
    Invocation,
    ReportedError,
    ResourceSample,
    Settings,
)

_SANDBOX = "Lambda sandbox"
_TMP = "/tmp"  # noqa: S108 - Lambda's own path
_BY_HAND = "run the handler by hand in the image, with the event that pytest.ini names; the evidence holds its logs"
_KEPT = "remove in a `finally` what each call makes: files in /tmp, browsers, threads, connections, lists and caches"
_ZOMBIE = ContainerProcess(7, 1, "Z", "chrome")


def _example(init: Init, *invocations: Invocation, tmp: int = 0, oom: bool = False) -> HandlerRun:
    return HandlerRun(Settings(512), init, ResourceSample((), tmp, None, None), invocations,
                      Footprint(512, None, oom, None, None, ""))  # fmt: skip


_READY = Init("answered", 0.4)


@check(1, known_bad=lambda: (_example(Init("ended", None)),))
def initialises(run: HandlerRun) -> CheckResult:
    """The runtime asks for its first event."""
    init, where = run.init, f"{_SANDBOX}, initialisation at {run.settings.memory_mb} MB"
    if init.outcome == "answered":
        return ACCEPTED
    if init.error and init.outcome == "not started":
        return reject(f"the image's ENTRYPOINT cannot be started: {init.error.text}", where,
                      "name an absolute path to a program of this platform in ENTRYPOINT")  # fmt: skip
    if init.error:
        return reject(f"the function fails to initialise: {init.error}", where,
                      "correct the handler's path in CMD, or what its module does when it is imported")  # fmt: skip
    return reject(
        f"the function {run.footprint.end(init.outcome)} before it asked for its first event; "
        f"{run.footprint.last_line}",
        where,
        "run the image's ENTRYPOINT by hand; a missing library or a wait at import shows there",
    )


@check(1, known_bad=lambda: (_example(Init("answered", 11.0)), 10))
def starts_within(run: HandlerRun, limit_seconds: float) -> CheckResult:
    """The function is initialised in the time that Lambda gives it (Lambda, "Init phase": 10 s)."""
    if run.init.outcome != "answered":
        return initialises(run)
    memory = run.settings.memory_mb
    where = f"{_SANDBOX}, initialisation at {memory} MB and {run.settings.cpus:.2f} CPU"
    if run.init.seconds is None:
        return reject("how long the function took to initialise could not be measured", where,
                      "the image's python3 must be able to start inside the running container")  # fmt: skip
    if run.init.seconds <= limit_seconds:
        return ACCEPTED
    return reject(
        f"the function took {run.init.seconds:.1f} s to initialise at {memory} MB, and {limit_seconds:g} s are allowed",
        where,
        "import and start less before the first event (Chrome only when an event needs it), or give it more memory",
    )


@check(1, known_bad=lambda: (_example(_READY, Invocation(1, "ended", None)), 1), follows=(opens_page,))
def invocations_succeed(run: HandlerRun, count: int) -> CheckResult:
    """Each event was answered, and the runtime came back for the next; what was answered is for `answers_hold`."""
    if run.init.outcome != "answered":
        return initialises(run)
    failed: dict[tuple[str, str], list[str]] = {}
    for each in run.invocations:
        if reason := _unsuccessful(each, run.footprint):
            failed.setdefault(reason, []).append(str(each.number))
    if len(run.invocations) < count and not failed:
        return reject(f"{len(run.invocations)} of {count} invocations were made", _SANDBOX,
                      "name a safe event in pytest.ini")  # fmt: skip
    return CheckResult.of(
        Rejection(cause, f"{_SANDBOX}, invocation{'s'[: len(numbers) - 1]} {', '.join(numbers)}", remedy)
        for (cause, remedy), numbers in failed.items()
    )


def _unsuccessful(invocation: Invocation, footprint: Footprint) -> tuple[str, str] | None:
    """Cause and remedy of an invocation that failed; None when it succeeded."""
    if invocation.outcome == "failed":
        error = invocation.error
        return f"the handler failed: {_shortened(error)}" if error else "the handler failed", _BY_HAND
    if invocation.outcome != "answered":
        return (
            f"the function {footprint.end(invocation.outcome)}; {footprint.last_line}",
            "look for what the handler waits for, or what its process died of",
        )
    if invocation.measure_error:
        return (
            f"the handler answered, and its container could not be measured: {invocation.measure_error}",
            "see whether python3 can start beside the handler (memory, processes); a busy engine is asked three times",
        )
    if invocation.after is None:
        return (
            "the handler answered, and its runtime did not come back for the next event",
            "the handler must return, and must not end the process",
        )
    return None


def _shortened(error: ReportedError) -> ReportedError:
    """Without Selenium's trace of addresses, which differs each time; the evidence has it."""
    return replace(error, text=error.text.partition("Stacktrace:")[0].strip())


@check(
    1, known_bad=lambda: (_example(_READY, Invocation(1, "answered", 1, after=ResourceSample((_ZOMBIE,), 0, 0, 0))),)
)
def leaves_no_process(run: HandlerRun) -> CheckResult:
    """No invocation leaves a zombie, and what lives on does not grow in number from call to call."""
    seen = [(i.number, i.after) for i in run.invocations if i.after]
    if not seen or len(seen) != len(run.invocations):
        return reject("what the invocations left running could not be seen", _SANDBOX,
                      "see why the invocations did not end well")  # fmt: skip
    zombies = [
        Rejection(
            f"{len(after.zombies)} zombie processes are left: {_names(after.zombies)}",
            f"{_SANDBOX}, after invocation {number}",
            "quit the browser in a `finally`, and reap what its children leave",
        )
        for number, after in seen
        if after.zombies
    ]
    samples = [after for _, after in seen]
    first, last = samples[0].processes, samples[-1].processes
    if not zombies and processes(samples).reaches_limit:
        return reject(f"the processes grew from {len(first)} after the first invocation to {len(last)} after the last: "
                      f"{_names(last)}", _SANDBOX, "quit the browser in a `finally`")  # fmt: skip
    return CheckResult.of(zombies)


def _names(processes: tuple[ContainerProcess, ...]) -> str:
    return ", ".join(f"{p.name} (pid {p.pid})" for p in processes[:10]) + (" …" if len(processes) > 10 else "")  # noqa: PLR2004


@check(
    1, known_bad=lambda: (_example(_READY, Invocation(1, "answered", 1, after=ResourceSample((), 60 * MIB, 0, 0))), 50)
)
def tmp_grows_below(run: HandlerRun, limit_mb: int) -> CheckResult:
    """The first five invocations together leave less than this in /tmp, which a warm function keeps."""
    first = run.invocations[:FEWEST]
    seen = [(i.number, i.after.tmp_bytes) for i in first if i.after]
    if run.baseline is None or not seen or len(seen) != len(first):
        return reject("how much the invocations left in /tmp could not be measured", _SANDBOX,
                      "see why the invocations did not end well")  # fmt: skip
    number, most = max(seen, key=lambda each: each[1])
    grown = (most - run.baseline.tmp_bytes) / MIB
    if grown < limit_mb:
        return ACCEPTED
    return reject(f"{_TMP} grew by {grown:.1f} MB, and less than {limit_mb} MB are allowed",
                  f"{_SANDBOX}, after invocation {number}",
                  "remove the browser's profile and downloads after each invocation")  # fmt: skip


@check(1, known_bad=lambda: (_example(_READY, oom=True),))
def memory_suffices(run: HandlerRun) -> CheckResult:
    """No process was killed for want of memory, not even a child process that the handler can do without."""
    if not run.footprint.oom_killed:
        return ACCEPTED
    held = memory([i.after for i in run.invocations if i.after], run.settings)
    grown = f"; with the calls it grew: {held}" if held and held.reaches_limit else ""
    return reject(
        f"the kernel killed a process for want of memory: the function has {run.settings.memory_mb} MB{grown}",
        f"{_SANDBOX}; {run.footprint.last_line}",
        _KEPT if grown else "give the function more memory, or let Chrome use less",
    )


@check(1, known_bad=lambda: (_example(_READY, *(Invocation(n, "answered", 1, after=ResourceSample((), n * MIB, 0, 0, 0))
                                                for n in range(1, 6))),))  # fmt: skip
def nothing_grows(run: HandlerRun) -> CheckResult:
    """Neither /tmp, nor memory, threads or open files grow so that they reach their limit in an environment's life."""
    samples = [i.after for i in run.invocations if i.after]
    if not samples or len(samples) != len(run.invocations) or any(m.memory_bytes is None for m in samples):
        return reject("what grows with the invocations could not be measured", _SANDBOX,
                      "see why the invocations did not end well")  # fmt: skip
    return CheckResult.of(
        Rejection(_growing(each), f"{_SANDBOX}, after invocations 1 to {len(samples)}", _KEPT)
        for each in all_series(samples, run.settings)
        if each.reaches_limit
    )


def _growing(series: Series) -> str:
    step = f"{series.growth.per_call:,.1f}".removesuffix("" if series.unit else ".0") + series.unit
    end = f"after {series.calls:,} calls it is at Lambda's limit of {series.limit:,.0f}{series.unit}"
    if series.growth.trend == "unclear":
        return f"{series.what} may grow with each call, by {step}, and too few calls were made to tell: {series}; {end}"
    return f"{series.what} grows by {step} with each call: {series}; {end}"
