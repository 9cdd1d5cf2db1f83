"""Whether Chrome really works in the image. Pure checks over what the probe brought back."""

from __future__ import annotations

from dataclasses import replace

from gate.browser import page
from gate.browser.programs import libraries_complete, share_major
from gate.browser.report import Glyph, Picture, ProbeRun
from gate.check import ACCEPTED, CheckResult, Rejection, check, reject
from gate.image.file_checks import is_program
from gate.runtime.ending import cause_of_end, last_words
from gate.runtime.report import Fault, Footprint, Settings

_WHERE = "Lambda sandbox, the gate's own page in the image's Chrome"
# Under a fiftieth of its cell is a speck, over half is a block.
LEAST_INK, MOST_INK = 0.02, 0.5
# Boxes are the same picture (0); two syllables differ in most of their ink.
LEAST_DISTANCE = 0.2


def _example() -> ProbeRun:
    shown = page.make(1)
    boxes = tuple(Glyph(c, 0.1, page.UNKNOWN[0], 0.0) for c in page.SYLLABLES)
    picture = Picture(page.WIDTH, page.HEIGHT, shown.colours, boxes)
    nothing = Footprint(512, None, False, None, None, "")
    return ProbeRun(Settings(512), shown, "answered", shown.title, picture, {}, {}, None, nothing)


@check(
    1,
    known_bad=lambda: (replace(_example(), outcome="failed", fault=Fault("WebDriverException", "no Chrome")),),
    follows=(
        is_program,
        share_major,
        libraries_complete,
    ),
)
def opens_page(run: ProbeRun) -> CheckResult:
    """The image's Selenium, driver and Chrome together got as far as a picture of the page."""
    memory = run.settings.memory_mb
    if run.footprint.oom_killed:
        return reject(f"Chrome {cause_of_end('ended', run.footprint)} while it opened a page", _WHERE,
                      "give the function more memory")  # fmt: skip
    if run.outcome == "answered":
        return ACCEPTED
    if run.outcome == "not started":
        return reject(f"the image's python3 cannot be started: {run.footprint.logs}", _WHERE,
                      "a Python 3 must be on the image's PATH as python3")  # fmt: skip
    if run.fault:
        return reject(f"Chrome does not open a page at {memory} MB: {run.fault.type}: {run.fault.text}", _WHERE,
                      "run Chrome by hand in the image: what is missing shows there")  # fmt: skip
    return reject(
        f"the attempt to open a page in Chrome at {memory} MB {cause_of_end(run.outcome, run.footprint)}; "
        f"{last_words(run.footprint)}",
        _WHERE,
        "run Chrome by hand in the image, as `docker run --read-only --user 993:990` does",
    )


@check(1, known_bad=lambda: (replace(_example(), title="a canned title"),), follows=(opens_page,))
def secret_returns(run: ProbeRun) -> CheckResult:
    """What only a browser that runs the page can know is in the title and in the pixels."""
    if not (opened := opens_page(run)).accepted:
        return opened
    found = []
    if run.title != run.page.title:
        found.append(Rejection(f"Chrome says the page's title is {run.title!r}, and it is {run.page.title!r}", _WHERE,
                               "CHROME_BIN must be a real Chrome, which runs a page's script"))  # fmt: skip
    if run.picture is None or run.picture.problem:
        return CheckResult.of([*found, _no_picture(run.picture)])
    wrong = sum(a != b for a, b in zip(run.picture.colours, run.page.colours, strict=False))
    wrong += abs(len(run.page.colours) - len(run.picture.colours))
    if wrong:
        found.append(Rejection(f"{wrong} of the {len(run.page.colours)} coloured cells of the screenshot are not those "
                               "that the page draws in this run", _WHERE,
                               "look at the screenshot in the evidence: it must show the page"))  # fmt: skip
    return CheckResult.of(found)


@check(1, known_bad=lambda: (_example(),), follows=(opens_page,))
def korean_is_drawn(run: ProbeRun) -> CheckResult:
    """Each syllable has ink, and is drawn unlike every other and unlike a character that no font has."""
    if not (opened := opens_page(run)).accepted:
        return opened
    if run.picture is None or run.picture.problem:
        return CheckResult((_no_picture(run.picture),))
    drawn = run.picture.glyphs
    if "".join(g.character for g in drawn) != page.SYLLABLES:
        return reject(f"{len(drawn)} of {len(page.SYLLABLES)} syllables could be looked at", _WHERE,
                      "open the screenshot in the report: what Chrome drew there is not the gate's page")  # fmt: skip
    bad = [reason for glyph in drawn if (reason := _not_drawn(glyph))]
    if not bad:
        return ACCEPTED
    return reject(f"Korean text is drawn as boxes or not at all: {'; '.join(bad)}", _WHERE,
                  "install a font that holds Hangul (Noto Sans KR, Nanum Gothic) in the image")  # fmt: skip


def _no_picture(picture: Picture | None) -> Rejection:
    return Rejection(f"the screenshot shows nothing: {picture.problem if picture else 'there is none'}", _WHERE,
                     "take one with Chrome by hand in the image: it must be a PNG of a drawn page")  # fmt: skip


def _not_drawn(glyph: Glyph) -> str:
    if not LEAST_INK <= glyph.ink <= MOST_INK:
        return f"{glyph.character} covers {glyph.ink:.0%} of its cell"
    if glyph.distance < LEAST_DISTANCE:
        other = glyph.nearest if glyph.nearest in page.SYLLABLES else f"the missing U+{ord(glyph.nearest):04X}"
        return f"{glyph.character} looks like {other}"
    return ""
