"""Our probe in the Lambda sandbox: the image's Chrome opens our page under Lambda's constraints."""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gate.browser import page, picture
from gate.browser.page import Page
from gate.browser.report import ProbeRun
from gate.engine import Engine
from gate.runtime import constraints
from gate.runtime.container import Container, contained
from gate.runtime.report import Fault, Footprint, Limits, Outcome, Settings

PROBE = Path(__file__).with_name("probe.py").read_text()
_LINGER_SECONDS = 120
# Home is not writable there; proxies of the image's environment must not stand between Selenium and its driver.
_ENVIRONMENT = {"HOME": "/tmp", "NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}  # noqa: S108


def run_probe(engine: Engine, reference: str, settings: Settings, *, limits: Limits | None = None) -> ProbeRun:
    """Let the image's Chrome open a page that carries a number drawn for this run.

    Args:
        engine: where it runs.
        reference: the image.
        settings: the function's memory decides its CPU share.
        limits: how long it may take.

    Raises:
        ImageUnavailable: there is no such image.
        EngineUnavailable: the engine does not answer.
    """
    limits = limits or Limits()
    shown = page.make(secrets.randbelow(2**32 - 1) + 1)
    mark = secrets.token_hex(8) + " "
    plan = {
        "html": shown.html,
        "mark": mark,
        "window": (page.WIDTH + 160, page.HEIGHT + 300),
        "linger": _LINGER_SECONDS,
    }
    command = ["python3", "-c", PROBE, json.dumps(plan)]
    host = constraints.function(settings, "none")
    with contained(engine, reference, host, entrypoint=command, environment=_ENVIRONMENT) as probe:
        started = probe.start()
        answer = probe.wait_for(lambda: _answer(probe, mark), limits.probe) if started else None
        seen = probe.measure() if answer else None
        outcome = _outcome(probe, started, answer)
        footprint = probe.footprint(settings.memory_mb, [seen.moment if seen else None], without=mark)
        return _report(settings, shown, outcome, answer or {}, footprint)


def _answer(probe: Container, mark: str) -> Mapping[str, Any] | None:
    # What follows the last line break is a line that is still being written.
    for line in probe.logs(stderr=False).split("\n")[:-1]:
        if line.startswith(mark):
            return dict(json.loads(line.removeprefix(mark)))
    return None


def _outcome(probe: Container, started: bool, answer: Mapping[str, Any] | None) -> Outcome:
    if not started:
        return "not started"
    if answer is None:
        return "late" if probe.state()["Running"] else "ended"
    return "failed" if "error" in answer else "answered"


def _report(
    settings: Settings, shown: Page, outcome: Outcome, answer: Mapping[str, Any], footprint: Footprint
) -> ProbeRun:
    fault = Fault(**answer["error"]) if "error" in answer else None
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
