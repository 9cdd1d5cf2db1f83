"""The gate's own probe on the image's Chrome: a real one is accepted, anything else is refused and named."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gate.browser import page_checks as checks
from gate.browser.page_checks import ProbeRun
from gate.browser.run import run_probe
from gate.check import CheckResult
from gate.engine import Engine
from gate.runtime.report import PhaseTimeouts, Settings

pytestmark = pytest.mark.docker

ThinImage = Callable[[str], str]


def words(result: CheckResult) -> str:
    """What the check says."""
    return "\n".join(map(str, result.rejections))


@pytest.fixture
def probe(engine: Engine, thin_image: ThinImage) -> Callable[..., ProbeRun]:
    """Runs the probe on the released image with these Dockerfile lines on top."""

    def look(lines: str, seconds: float = 90) -> ProbeRun:
        return run_probe(engine, thin_image(lines), Settings(1769), timeouts=PhaseTimeouts(probe=seconds))

    return look


def script(text: str) -> str:
    """Dockerfile lines that put a shell script in Chrome's place, and a handler that gives a canned answer."""
    return (
        f"RUN printf '#!/bin/sh\\n{text}\\n' > /opt/fake && chmod 755 /opt/fake\n"
        'ENV CHROME_BIN=/opt/fake\nCMD ["faults.fine"]'
    )


def test_released_chrome_is_accepted(engine: Engine, released: str) -> None:
    """At 512 MB the released Chrome returns the secret in title and pixels, and draws Korean as glyphs."""
    ran = run_probe(engine, released, Settings(512))
    said = checks.opens_page(ran) + checks.secret_returns(ran) + checks.korean_is_drawn(ran)
    assert said.accepted, words(said)
    assert ran.png.startswith(b"\x89PNG")
    assert ran.versions["browser"].split(".")[0] == ran.versions["driver"].split(".")[0]
    assert "iVBOR" not in ran.footprint.logs


UNTIDY = (
    "import atexit, threading, time; print('hello', flush=True); atexit.register(print, 'bye'); "
    "threading.Thread(target=time.sleep, args=(600,)).start()"
)


def test_what_the_images_python_prints_or_leaves_disturbs_nothing(probe: Callable[..., ProbeRun]) -> None:
    """The output of a start-up hook is not the answer, and a thread that it leaves is not waited for."""
    ran = probe(f'RUN echo "{UNTIDY}" > /var/lang/lib/python3.11/site-packages/untidy.pth')
    assert checks.secret_returns(ran).accepted, words(checks.secret_returns(ran))
    assert "hello" in ran.footprint.logs


def test_two_runs_carry_different_secrets(probe: Callable[..., ProbeRun]) -> None:
    """The secret is drawn anew for each run, so that an answer cannot be kept."""
    first, second = probe("ENV CHROME_BIN="), probe("ENV CHROME_BIN=")
    assert first.page.title != second.page.title
    assert first.page.colours != second.page.colours


def test_script_in_place_of_chrome_is_refused(probe: Callable[..., ProbeRun]) -> None:
    """A script that prints a version, with a handler that gives a canned answer, is no Chrome."""
    ran = probe(script("echo Chromium 156.0.8078.79"))
    assert ran.outcome == "failed"
    assert "SessionNotCreatedException" in words(checks.secret_returns(ran))


def test_hung_chrome_is_late(probe: Callable[..., ProbeRun]) -> None:
    """A Chrome that does nothing is stopped at the limit."""
    ran = probe(script("exec sleep 600"), seconds=8)
    assert ran.outcome == "late"
    assert "did not answer in time" in words(checks.opens_page(ran))


def test_unnamed_chrome_is_reported(probe: Callable[..., ProbeRun]) -> None:
    """An environment without CHROME_BIN is named."""
    assert "names no CHROME_BIN" in words(checks.opens_page(probe("ENV CHROME_BIN=")))


def test_dangling_driver_is_reported(probe: Callable[..., ProbeRun]) -> None:
    """A driver that is not where the environment says is named (rows 1 and 2 of the failures)."""
    assert "CHROMEDRIVER_BIN names /opt/nowhere" in words(checks.opens_page(probe("ENV CHROMEDRIVER_BIN=/opt/nowhere")))


def test_missing_library_is_refused(probe: Callable[..., ProbeRun]) -> None:
    """A Chrome that lacks a shared library does not open a page (row 3 of the failures)."""
    ran = probe("RUN rm -f /usr/lib/x86_64-linux-gnu/libnss3.so")
    assert ran.outcome == "failed"
    assert not checks.opens_page(ran).accepted


def test_image_without_korean_font_is_refused(probe: Callable[..., ProbeRun]) -> None:
    """Without its Korean font the page opens and the secret returns, but the syllables are boxes."""
    ran = probe("RUN fc-list :lang=ko file | cut -d: -f1 | xargs rm -f && fc-cache -f")
    assert checks.secret_returns(ran).accepted
    assert "한 looks like" in words(checks.korean_is_drawn(ran))
