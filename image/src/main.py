"""The Lambda handler: a health check that opens a page in Chrome; it sends nothing to anybody."""

from __future__ import annotations

import json
import platform
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote

from selenium.common.exceptions import InvalidSessionIdException, SessionNotCreatedException

from src.browser import chrome

SETTINGS = json.loads((Path(__file__).parents[1] / "config" / "settings.json").read_text(encoding="utf-8"))
# Left of the invocation's time for answering, once Chrome has been stopped.
MARGIN_SECONDS = 2.0
RESTARTS = 2


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """Answer `{"action": "healthcheck"}`; anything else gets an error result that says so.

    Raises:
        TimeoutError: Chrome did not finish within the time that is left to the invocation.
        WebDriverException: Chrome or its driver failed.
    """
    action = event.get("action") if isinstance(event, dict) else None
    if action != "healthcheck":
        return {
            "ok": False,
            "errorType": "UnknownAction",
            "errorMessage": f'The only action is "healthcheck", not {action!r}. Nothing was done.',
        }
    return healthcheck(seconds_left(context))


def seconds_left(context: Any) -> float:
    """How long Chrome may take: the settings' limit, or what the invocation leaves if that is less."""
    return min(SETTINGS["session_limit_seconds"], context.get_remaining_time_in_millis() / 1000 - MARGIN_SECONDS)


def healthcheck(limit: float) -> dict[str, Any]:
    """What `look` reports; a Chrome that died is started again, at most twice, and the answer says how often it died.

    In a single process, as Lambda needs it, Chrome dies at the start of about one session in 300 (measured), and more
    often on a busy machine. Looking again does no harm, as sending again would.
    """
    until, died = time.monotonic() + limit, 0
    while True:
        try:
            return {**look(until - time.monotonic()), "chrome_died": died}
        except (SessionNotCreatedException, InvalidSessionIdException):
            died += 1
            # Too little time for another start: the death is the answer.
            if died > RESTARTS or time.monotonic() > until - MARGIN_SECONDS:
                raise


def look(limit: float) -> dict[str, Any]:
    """Open a page with Korean text and report what Chrome made of it, the versions and the times in ms."""
    begun = time.monotonic()
    with chrome(SETTINGS, limit) as driver:
        started = time.monotonic()
        driver.get(page(SETTINGS["healthcheck_title"], SETTINGS["healthcheck_text"]))
        result = {
            "ok": True,
            "action": "healthcheck",
            "title": driver.title,
            "text": driver.find_element("tag name", "h1").text,
            "versions": {
                "chrome": driver.capabilities["browserVersion"],
                "chromedriver": driver.capabilities["chrome"]["chromedriverVersion"].split()[0],
                "selenium": version("selenium"),
                "python": platform.python_version(),
            },
        }
        loaded = time.monotonic()
    stopped = time.monotonic()
    marks = {"chrome_start": started - begun, "page": loaded - started, "chrome_stop": stopped - loaded}
    result["timings_ms"] = {name: round(seconds * 1000) for name, seconds in marks.items()}
    return result


def page(title: str, text: str) -> str:
    """A page as a data: URL, so that no network is needed."""
    html = f'<!doctype html><html lang="ko"><meta charset="utf-8"><title>{title}</title><h1>{text}</h1></html>'
    return f"data:text/html;charset=utf-8,{quote(html)}"
