"""Whether a browser was at work: by what ran, and not by what was answered."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from docker.errors import APIError

from gate.runtime.report import Footprint, HandlerRun, Init, Invocation, Program, Settings
from gate.runtime.work import Watch, browser_worked, is_browser


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
    assert is_browser(Program(threads, command)) is browser


def test_the_images_own_browser_is_one_whatever_it_is_called() -> None:
    """As CHROME_BIN names it, with the threads of one at work."""
    running = Program(30, "/opt/render --headless")
    assert is_browser(running, "/opt/render")
    assert not is_browser(running, "/opt/renderer")
    assert not is_browser(replace(running, threads=1), "/opt/render")
    assert not is_browser(running)
    assert not is_browser(Program(30, ""), "")


class Seen:
    """A container in which these programs run, look by look; an error is raised."""

    def __init__(self, *looks: Any) -> None:
        self.looks = list(looks)

    def programs(self) -> tuple[Program, ...]:
        """The next look."""
        look = self.looks.pop(0)
        if isinstance(look, Exception):
            raise look
        return tuple(look)


CHROME = Program(30, "/opt/chrome/chrome " + "x" * 900)
PYTHON = Program(2, "python3 bootstrap")


def watched(*looks: Any) -> tuple[str, str]:
    """What a watch has seen after these looks."""
    watch = Watch(Seen(*looks))  # type: ignore[arg-type]
    for _ in looks:
        watch.look()
    return watch.browser[:18], watch.unwatched


def test_a_browser_is_seen_whenever_it_runs() -> None:
    """Once is enough, and one that was seen is not looked for again."""
    assert watched([PYTHON], [PYTHON, CHROME], [PYTHON]) == ("/opt/chrome/chrome", "")
    assert watched([CHROME], APIError("busy")) == ("/opt/chrome/chrome", "")
    assert watched([PYTHON], [PYTHON]) == ("", "")


def test_a_look_that_failed_is_told_unless_a_later_one_succeeds() -> None:
    """An engine that cannot look has not seen that nothing ran."""
    assert watched([PYTHON], APIError("no ps here")) == ("", "no ps here")
    assert watched(APIError("busy"), [PYTHON]) == ("", "")


def run_with(*invocations: Invocation) -> HandlerRun:
    """A run with these invocations."""
    return HandlerRun(Settings(512), Init("answered", 0.5), None, invocations, Footprint(512, 0, False, 0, 0, ""))


ANSWERED = Invocation(1, "answered", 0.01, '{"ok": true}')


def test_an_answer_without_a_browser_is_refused() -> None:
    """However right it is; a browser in one of the invocations will do, since it may be kept."""
    assert "no browser was at work" in str(browser_worked(run_with(ANSWERED, ANSWERED)).rejections[0])
    assert not browser_worked(run_with()).accepted
    assert browser_worked(run_with(ANSWERED, replace(ANSWERED, browser="/opt/chrome/chrome"))).accepted


def test_an_engine_that_cannot_look_is_not_blamed_on_the_handler() -> None:
    """It is said what could not be seen, and why."""
    (only,) = browser_worked(run_with(replace(ANSWERED, unwatched="no ps here"))).rejections
    assert "could not be seen: no ps here" in only.cause
