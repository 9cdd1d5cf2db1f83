"""Feeds what a run in Lambda's sandbox came to, and what programs in the image answered, to their checks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from gate.browser.versions_and_libraries import (
    CommandOutput,
    ExpectedVersion,
    has_expected_version,
    libraries_complete,
    share_major,
)
from gate.check import CheckResult
from gate.runtime import invocation_checks
from gate.runtime.answer_checks import answers_hold
from gate.runtime.browser_activity import browser_worked
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

_MB = 1024 * 1024
_USUAL = {"processes": ["python3"], "tmp_mb": 1.0, "memory_mb": 80.0, "answer": {"ok": True}, "browser": "chrome"}


def handler(scenario: str, given: dict[str, Any], _folder: Path) -> CheckResult:
    """A function that is initialised and invoked.

    Of `given`: `memory` of the function, `init` (`outcome`, `seconds`, `fault`), `calls`: each with what differs from
    an ordinary call, or from `each` (`outcome`, `answer`, `fault`, `processes`, `tmp_mb`, `memory_mb`, `browser`);
    `wanted` in each answer; `oom`; `logs`.
    """
    init = {"outcome": "answered", "seconds": 1.5, **given.get("init", {})}
    settings = Settings(given.get("memory", 512))
    calls = [_call(number, {**_USUAL, **given.get("each", {}), **(raw or {})})
             for number, raw in enumerate(given.get("calls", []), 1)]  # fmt: skip
    footprint = Footprint(settings.memory_mb, None, given.get("oom", False), None, None, given.get("logs", ""))
    started = Init(init["outcome"], init["seconds"], _fault(init))
    run = HandlerRun(
        settings, started, ResourceSample(_processes(["python3"]), _MB, None, 0, 80 * _MB), tuple(calls), footprint
    )
    if scenario == "The function initialises within 10 seconds at its configured memory":
        return invocation_checks.initialises(run) + invocation_checks.starts_within(run, 10)
    return (
        invocation_checks.memory_suffices(run)
        + invocation_checks.invocations_succeed(run, 5)
        + answers_hold(run, given.get("wanted", {"ok": True}))
        + invocation_checks.leaves_no_process(run)
        + invocation_checks.tmp_grows_below(run, 50)
        + invocation_checks.nothing_grows(run)
        + browser_worked(run)
    )


def _call(number: int, raw: dict[str, Any]) -> Invocation:
    after = ResourceSample(_processes(raw["processes"]), int(raw["tmp_mb"] * _MB), None, 0, int(raw["memory_mb"] * _MB))
    outcome = raw.get("outcome", "answered")
    ended = outcome in ("ended", "late")
    return Invocation(number, outcome, None if ended else 2.0, json.dumps(raw["answer"]), _fault(raw),
                      None if ended else after, browser=raw["browser"])  # fmt: skip


def _fault(raw: dict[str, Any]) -> ReportedError | None:
    return ReportedError(**raw["fault"]) if "fault" in raw else None


def _processes(names: list[str]) -> tuple[ContainerProcess, ...]:
    """Processes by name; "<defunct>" behind it marks one that ended and was not reaped, as ps(1) shows it."""
    return tuple(
        ContainerProcess(pid, 1, "Z" if "<defunct>" in name else "S", name.partition(" ")[0])
        for pid, name in enumerate(names, 1)
    )


def programs(scenario: str, given: dict[str, Any], _folder: Path) -> CheckResult:
    """What `chrome` and `chromedriver` answered when asked for their versions, or the loader for the `libraries`."""
    if "libraries" in given:
        command = "ld.so --list /opt/chrome/chrome"
        return libraries_complete(CommandOutput(command, given.get("exit", 0), given["libraries"]))
    chrome, driver = (CommandOutput(f"{name} --version", 0, given[name]) for name in ("chrome", "chromedriver"))
    found = share_major(chrome, driver)
    if "pin" in given:
        found += has_expected_version(chrome, ExpectedVersion(given["pin"], "chrome.lock"))
    return found
