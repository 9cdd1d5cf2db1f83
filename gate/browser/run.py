"""Our probe in the Lambda sandbox: the image's Chrome opens our page under Lambda's constraints."""

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

from gate.browser import page, picture
from gate.browser.page import Page
from gate.browser.report import ProbeRun
from gate.engine import Engine
from gate.engine.script import ANSWER_FUNCTION, ScriptResult, new_mark, result_in, supervised_command
from gate.runtime import constraints
from gate.runtime.container import Container, contained
from gate.runtime.report import Fault, Footprint, Limits, Outcome, Settings

PROBE = Path(__file__).with_name("probe.py").read_text()
_LINGER_SECONDS = 120
# Beyond its time, for telling that it is over.
_TELLING_SECONDS = 10
# Home is not writable there; proxies of the image's environment must not stand between Selenium and its driver.
_ENVIRONMENT = {"HOME": "/tmp", "NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}  # noqa: S108


# Chrome in one process, which Lambda needs, dies by itself at the start of about one session in 300 on a loaded machine
# (measured, Chromium 156). How Chromedriver says that the browser it talked to is gone:
_GONE = re.compile(r"not connected to DevTools|chrome not reachable|disconnected:|tab crashed", re.I)


def run_probe(engine: Engine, reference: str, settings: Settings, *, limits: Limits | None = None) -> ProbeRun:
    """Let the image's Chrome open a page that carries a number drawn for this run; once more if Chrome died in between.

    A Chrome that cannot run dies the second time too; that it died the first time is part of what is answered. See
    `_look` for arguments and errors.
    """
    first = _look(engine, reference, settings, limits or Limits())
    if first.fault is None or first.footprint.oom_killed or not _GONE.search(first.fault.text):
        return first
    return replace(_look(engine, reference, settings, limits or Limits()), died_before=first.fault)


def _look(engine: Engine, reference: str, settings: Settings, limits: Limits) -> ProbeRun:
    """One look, in a sandbox of its own.

    Args:
        engine: where it runs.
        reference: the image.
        settings: the function's memory decides its CPU share.
        limits: how long it may take.

    Raises:
        ImageUnavailable: there is no such image.
        EngineUnavailable: the engine does not answer.
    """
    shown = page.make(secrets.randbelow(2**32 - 1) + 1)
    plan = {"html": shown.html, "window": (page.WIDTH + 160, page.HEIGHT + 300), "linger": _LINGER_SECONDS}
    mark = new_mark()
    code, times = ANSWER_FUNCTION + PROBE, {"seconds": limits.probe, "linger": _LINGER_SECONDS}
    command = supervised_command(code, [json.dumps(plan)], mark, **times)
    host = constraints.function(settings, "none")
    with contained(engine, reference, host, entrypoint=command, environment=_ENVIRONMENT, mark=mark) as probe:
        started = probe.start()
        told = probe.wait_for(lambda: _told(probe), limits.probe + _TELLING_SECONDS) if started else None
        seen = probe.measure() if told and told.answer else None
        outcome = _outcome(probe, started, told)
        footprint = probe.footprint(settings.memory_mb, [seen.moment if seen else None])
        if told:
            footprint = replace(footprint, exit_code=told.exit_code, logs=told.printed)
        return _report(settings, shown, outcome, (told and told.answer) or {}, footprint)


def _told(probe: Container) -> ScriptResult | None:
    return result_in(probe.logs(stderr=False, tail="all"), probe.mark)


def _outcome(probe: Container, started: bool, told: ScriptResult | None) -> Outcome:
    if not started:
        return "not started"
    if told is None:
        return "late" if probe.state()["Running"] else "ended"
    if told.answer is None:
        return "late" if told.timed_out else "ended"
    return "failed" if "error" in told.answer else "answered"


def _report(
    settings: Settings, shown: Page, outcome: Outcome, answer: Mapping[str, Any], footprint: Footprint
) -> ProbeRun:
    error = answer.get("error")
    fault = Fault(str(error.get("type")), str(error.get("text"))) if isinstance(error, dict) else None
    png = _decoded(str(answer.get("png", "")))
    return ProbeRun(
        settings=settings,
        page=shown,
        outcome=outcome,
        title=str(answer.get("title", "")),
        picture=picture.read(png) if outcome == "answered" else None,
        times=answer.get("times", {}),
        versions=answer.get("versions", {}),
        fault=fault,
        footprint=footprint,
        png=png,
    )


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""
