"""Whether a browser was at work: by what ran, and not by what was answered."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from docker.errors import APIError

from gate.runtime.browser_activity import BrowserDetector, browser_worked, is_browser
from gate.runtime.report import Footprint, HandlerRun, Init, Invocation, Settings, TopProcess


@pytest.mark.parametrize(
    ("command", "threads", "browser"),
    [
        ("/opt/chrome/chrome --headless=new --no-sandbox", 30, True),
        ("/usr/lib/chromium/chromium --type=renderer", 8, True),
        ("chrome-headless-shell --remote-debugging-pipe", 20, True),
        ("/ms-playwright/chromium-1105/chrome-linux/headless_shell --headless", 20, True),
        ("/opt/Google Chrome", 20, False),
        ("/usr/lib/firefox/firefox -headless", 40, True),
        ("/opt/chrome/chrome --version", 1, False),
        ("[chrome] <defunct>", 1, False),
        ("/opt/chromedriver --port=9515", 12, False),
        ("/usr/local/bin/geckodriver", 12, False),
        ("/var/lang/bin/python3.11 /var/runtime/bootstrap /opt/chrome/chrome", 40, False),
        ("sleep 600", 1, False),
        ("", 9, False),
    ],
)
def test_a_browser_is_told_by_its_name_and_threads(command: str, threads: int, browser: bool) -> None:
    """One that was only asked for its version, its driver, and a name among the arguments are none at work."""
    assert is_browser(TopProcess(threads, command)) is browser


def test_the_images_own_browser_is_one_whatever_it_is_called() -> None:
    """As CHROME_BIN names it, with the threads of one at work."""
    running = TopProcess(30, "/opt/render --headless")
    assert is_browser(running, "/opt/render")
    assert not is_browser(running, "/opt/renderer")
    assert not is_browser(replace(running, threads=1), "/opt/render")
    assert not is_browser(running)
    assert not is_browser(TopProcess(30, ""), "")


class FakeContainer:
    """A container whose processes are listed so, one after the other; an error is raised."""

    def __init__(self, *listings: Any) -> None:
        self.listings = list(listings)

    def top(self) -> tuple[TopProcess, ...]:
        """The next listing."""
        found = self.listings.pop(0)
        if isinstance(found, Exception):
            raise found
        return tuple(found)


CHROME = TopProcess(30, "/opt/chrome/chrome " + "x" * 900)
PYTHON = TopProcess(2, "python3 bootstrap")


def detected(*listings: Any) -> tuple[str, str]:
    """What has been detected after these listings."""
    detector = BrowserDetector(FakeContainer(*listings))  # type: ignore[arg-type]
    for _ in listings:
        detector.update()
    return detector.browser[:18], detector.top_error


def test_a_browser_is_seen_whenever_it_runs() -> None:
    """Once is enough, and one that was seen is not looked for again."""
    assert detected([PYTHON], [PYTHON, CHROME], [PYTHON]) == ("/opt/chrome/chrome", "")
    assert detected([CHROME], APIError("busy")) == ("/opt/chrome/chrome", "")
    assert detected([PYTHON], [PYTHON]) == ("", "")


def test_a_failed_listing_is_reported_unless_a_later_one_succeeds() -> None:
    """Without a listing it is not known that no browser ran."""
    assert detected([PYTHON], APIError("no ps here")) == ("", "no ps here")
    assert detected(APIError("busy"), [PYTHON]) == ("", "")


def run_with(*invocations: Invocation) -> HandlerRun:
    """A run with these invocations."""
    return HandlerRun(Settings(512), Init("answered", 0.5), None, invocations, Footprint(512, 0, False, 0, 0, ""))


ANSWERED = Invocation(1, "answered", 0.01, '{"ok": true}')


def test_an_answer_without_a_browser_is_refused() -> None:
    """However right it is; a browser in one of the invocations will do, since it may be kept."""
    assert "no browser was at work" in str(browser_worked(run_with(ANSWERED, ANSWERED)).rejections[0])
    assert not browser_worked(run_with()).accepted
    assert browser_worked(run_with(ANSWERED, replace(ANSWERED, browser="/opt/chrome/chrome"))).accepted


def test_an_engine_that_cannot_list_is_not_blamed_on_the_handler() -> None:
    """The message says what could not be seen, and why."""
    (only,) = browser_worked(run_with(replace(ANSWERED, top_error="no ps here"))).rejections
    assert "could not be seen: no ps here" in only.cause
