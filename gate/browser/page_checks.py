"""Whether Chrome works in the image: the report of the probe, and pure checks over it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from gate.browser import page
from gate.browser.page import Glyph, ProbePage, Screenshot
from gate.browser.versions_and_libraries import libraries_complete, share_major
from gate.check import ACCEPTED, CheckResult, Rejection, check, reject
from gate.image.file_checks import is_program
from gate.runtime.report import Footprint, Outcome, ReportedError, Settings

_WHERE = "Lambda sandbox, the gate's own page in the image's Chrome"
# Less is a speck of dirt, more is a filled block.
LEAST_INK, MOST_INK = 0.02, 0.5
# Two boxes are the same picture (0); two letters differ in most of their ink.
LEAST_DISTANCE = 0.2


@dataclass(frozen=True)
class ProbeRun:
    """How Chrome opened the gate's page in the sandbox.

    Attributes:
        page: what it was given, with what a browser makes of it.
        title: the page's title as Chrome reports it.
        screenshot: what its screenshot shows; None when there is none.
        png: the screenshot itself.
        times: seconds from the probe's start of Selenium to each stage.
        versions: of browser, driver, selenium and python, as each reports its own.
        first_error: how Chrome died in a first attempt, None when it did not.
    """

    settings: Settings
    page: ProbePage
    outcome: Outcome
    title: str
    screenshot: Screenshot | None
    times: Mapping[str, float]
    versions: Mapping[str, str]
    error: ReportedError | None
    footprint: Footprint
    png: bytes = field(default=b"", repr=False)
    first_error: ReportedError | None = None


def _example() -> ProbeRun:
    shown = page.make(1)
    boxes = tuple(Glyph(c, 0.1, page.UNKNOWN[0], 0.0) for c in shown.sample)
    screenshot = Screenshot(page.WIDTH, page.HEIGHT, shown.colours, boxes)
    nothing = Footprint(512, None, False, None, None, "")
    return ProbeRun(Settings(512), shown, "answered", shown.title, screenshot, {}, {}, None, nothing)


@check(
    1,
    known_bad=lambda: (replace(_example(), outcome="failed", error=ReportedError("WebDriverException", "no Chrome")),),
    follows=(is_program, share_major, libraries_complete),
)
def opens_page(run: ProbeRun) -> CheckResult:
    """The image's Selenium, driver and Chrome together opened the page and took a screenshot."""
    memory = run.settings.memory_mb
    if run.footprint.oom_killed:
        return reject(f"Chrome {run.footprint.end('ended')} while it opened a page", _WHERE,
                      "give the function more memory")  # fmt: skip
    if run.outcome == "answered":
        return ACCEPTED
    if run.outcome == "not started":
        return reject(f"the image's python3 cannot be started: {run.footprint.logs}", _WHERE,
                      "a Python 3 must be on the image's PATH as python3")  # fmt: skip
    if run.error:
        return reject(f"Chrome does not open a page at {memory} MB: {run.error.type}: {run.error.text}", _WHERE,
                      "run Chrome by hand in the image: what is missing shows there")  # fmt: skip
    return reject(
        f"the attempt to open a page in Chrome at {memory} MB {run.footprint.end(run.outcome)}; "
        f"{run.footprint.last_line}",
        _WHERE,
        "run Chrome by hand in the image, as `docker run --read-only --user 993:990` does",
    )


@check(1, known_bad=lambda: (replace(_example(), title="a canned title"),), follows=(opens_page,))
def secret_returns(run: ProbeRun) -> CheckResult:
    """The title and the pixels are those that only a browser running this page's script can produce."""
    if not (opened := opens_page(run)).accepted:
        return opened
    found = []
    if run.title != run.page.title:
        found.append(Rejection(f"Chrome says the page's title is {run.title!r}, and it is {run.page.title!r}", _WHERE,
                               "CHROME_BIN must be a real Chrome, which runs a page's script"))  # fmt: skip
    if run.screenshot is None or run.screenshot.problem:
        return CheckResult.of([*found, _no_screenshot(run.screenshot)])
    wrong = sum(a != b for a, b in zip(run.screenshot.colours, run.page.colours, strict=False))
    wrong += abs(len(run.page.colours) - len(run.screenshot.colours))
    if wrong:
        found.append(Rejection(f"{wrong} of the {len(run.page.colours)} coloured cells of the screenshot are not those "
                               "that the page draws in this run", _WHERE,
                               "look at the screenshot in the evidence: it must show the page"))  # fmt: skip
    return CheckResult.of(found)


@check(1, known_bad=lambda: (_example(),), follows=(opens_page,))
def text_is_drawn(run: ProbeRun) -> CheckResult:
    """Each letter of the sample has ink, and differs from every other and from a character that no font has."""
    if not (opened := opens_page(run)).accepted:
        return opened
    if run.screenshot is None or run.screenshot.problem:
        return CheckResult((_no_screenshot(run.screenshot),))
    drawn, sample = run.screenshot.glyphs, run.page.sample
    if "".join(g.character for g in drawn) != sample:
        return reject(f"{len(drawn)} of {len(sample)} letters could be looked at", _WHERE,
                      "open the screenshot in the report: what Chrome drew there is not the gate's page")  # fmt: skip
    bad = [reason for glyph in drawn if (reason := _not_drawn(glyph, sample))]
    if not bad:
        return ACCEPTED
    return reject(f"text of the agreed language is drawn as boxes or not at all: {'; '.join(bad)}", _WHERE,
                  "install a font that holds these letters (for Korean: Noto Sans KR, Nanum Gothic) in the image; "
                  "drawn_text in pytest.ini names them")  # fmt: skip


def _no_screenshot(screenshot: Screenshot | None) -> Rejection:
    return Rejection(f"the screenshot shows nothing: {screenshot.problem if screenshot else 'there is none'}", _WHERE,
                     "take one with Chrome by hand in the image: it must be a PNG of a drawn page")  # fmt: skip


def _not_drawn(glyph: Glyph, sample: str) -> str:
    if not LEAST_INK <= glyph.ink <= MOST_INK:
        return f"{glyph.character} covers {glyph.ink:.0%} of its cell"
    if glyph.distance < LEAST_DISTANCE:
        other = glyph.nearest if glyph.nearest in sample else f"the missing U+{ord(glyph.nearest):04X}"
        return f"{glyph.character} looks like {other}"
    return ""
