"""Runs the probe in the Lambda sandbox: the image's Chrome opens the gate's page under Lambda's constraints."""

from __future__ import annotations

import base64
import binascii
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from gate.browser import page
from gate.browser.page import ProbePage
from gate.browser.page_checks import ProbeRun
from gate.engine import Engine
from gate.engine.script import ScriptResult, new_mark, result_in, supervised_command
from gate.runtime import constraints
from gate.runtime.container import Container, sandbox_container
from gate.runtime.report import Footprint, Outcome, PhaseTimeouts, ReportedError, Settings

PROBE = Path(__file__).with_name("probe.py").read_text()
_LINGER_SECONDS = 120
# Beyond the probe's own time, for the supervisor's report.
_REPORT_SECONDS = 10
# Home is not writable there; proxies of the image's environment must not stand between Selenium and its driver.
_ENVIRONMENT = {"HOME": "/tmp", "NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}  # noqa: S108
# Chrome in a single process, which Lambda needs, dies at the start of about one session in 300 on a loaded machine
# (measured, Chromium 156). Chromedriver's messages for a browser that is gone:
_CHROME_GONE = re.compile(r"not connected to DevTools|chrome not reachable|disconnected:|tab crashed", re.I)


def run_probe(
    engine: Engine,
    reference: str,
    settings: Settings,
    *,
    timeouts: PhaseTimeouts | None = None,
    sample: str = page.SAMPLE,
    language: str = "ko",
) -> ProbeRun:
    """Let the image's Chrome open a page that carries a number drawn for this run; once more if Chrome died.

    A Chrome that cannot run dies the second time too. The first death is part of the result.

    Args:
        engine: where it runs.
        reference: the image.
        settings: the function's memory decides its CPU share.
        timeouts: how long it may take.
        sample: the letters that the page shows.
        language: theirs, as a BCP 47 tag.

    Raises:
        ImageUnavailable: there is no such image.
        EngineUnavailable: the engine does not answer.
    """

    def attempt() -> ProbeRun:
        shown = page.make(secrets.randbelow(2**32 - 1) + 1, sample, language)
        return _run_once(engine, reference, settings, timeouts or PhaseTimeouts(), shown)

    first = attempt()
    if first.error is None or first.footprint.oom_killed or not _CHROME_GONE.search(first.error.text):
        return first
    return replace(attempt(), first_error=first.error)


def _run_once(
    engine: Engine, reference: str, settings: Settings, timeouts: PhaseTimeouts, shown: ProbePage
) -> ProbeRun:
    plan = {"html": shown.html, "window": (page.WIDTH + 160, page.HEIGHT + 300), "linger": _LINGER_SECONDS}
    mark = new_mark()
    times = {"seconds": timeouts.probe, "linger": _LINGER_SECONDS}
    command = supervised_command(PROBE, [json.dumps(plan)], mark, **times)
    host = constraints.function(settings, "none")
    with sandbox_container(
        engine, reference, host, entrypoint=command, environment=_ENVIRONMENT, mark=mark
    ) as container:
        started = container.start()
        result = container.wait_for(lambda: _result(container), timeouts.probe + _REPORT_SECONDS) if started else None
        sample = container.measure() if result and result.answer else None
        outcome = _outcome(container, started, result)
        footprint = container.footprint(settings.memory_mb, [sample])
        if result:
            footprint = replace(footprint, exit_code=result.exit_code, logs=result.printed)
        return _report(settings, shown, outcome, (result and result.answer) or {}, footprint)


def _result(container: Container) -> ScriptResult | None:
    return result_in(container.logs(stderr=False, tail="all"), container.mark)


def _outcome(container: Container, started: bool, result: ScriptResult | None) -> Outcome:
    if not started:
        return "not started"
    if result is None:
        return "late" if container.state()["Running"] else "ended"
    if result.answer is None:
        return "late" if result.timed_out else "ended"
    return "failed" if "error" in result.answer else "answered"


def _report(
    settings: Settings, shown: ProbePage, outcome: Outcome, answer: Mapping[str, Any], footprint: Footprint
) -> ProbeRun:
    error = answer.get("error")
    png = _decoded(str(answer.get("png", "")))
    return ProbeRun(
        settings=settings,
        page=shown,
        outcome=outcome,
        title=str(answer.get("title", "")),
        screenshot=page.read(png, shown.sample) if outcome == "answered" else None,
        times=answer.get("times", {}),
        versions=answer.get("versions", {}),
        error=ReportedError(str(error.get("type")), str(error.get("text"))) if isinstance(error, dict) else None,
        footprint=footprint,
        png=png,
    )


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""
