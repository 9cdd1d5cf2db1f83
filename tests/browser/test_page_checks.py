"""The checks of the probe and of the browser's programs, on reports made by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gate.browser import page
from gate.browser import page_checks as checks
from gate.browser.page import Glyph, Screenshot
from gate.browser.page_checks import ProbeRun
from gate.browser.versions_and_libraries import (
    CommandOutput,
    ExpectedVersion,
    has_expected_version,
    libraries_complete,
    share_major,
    version_in,
)
from gate.check import CHECKS, CheckResult
from gate.runtime.report import Footprint, Outcome, ReportedError, Settings

PAGE = page.make(99)
GLYPHS = tuple(Glyph(c, 0.12, "글", 0.9) for c in page.SAMPLE)
SCREENSHOT = Screenshot(800, 600, PAGE.colours, GLYPHS)
FOOTPRINT = Footprint(512, None, False, None, None, "")
GOOD = ProbeRun(Settings(512), PAGE, "answered", PAGE.title, SCREENSHOT, {}, {}, None, FOOTPRINT)


def words(result: CheckResult) -> str:
    """What the check says."""
    return "\n".join(map(str, result.rejections))


def test_every_check_says_no_to_its_known_bad_value() -> None:
    """Each check of the probe refuses the value that the list of checks holds for it."""
    own = [entry for name, entry in CHECKS.items() if name.startswith("gate.browser.page_checks.")]
    assert len(own) == 3
    assert [entry.name for entry in own if entry.function(*entry.known_bad()).accepted] == []


def test_good_probe_is_accepted() -> None:
    """A probe with the right title, colours and glyphs is accepted by all three."""
    assert (checks.opens_page(GOOD) + checks.secret_returns(GOOD) + checks.text_is_drawn(GOOD)).accepted


@pytest.mark.parametrize(
    ("outcome", "footprint", "said"),
    [
        ("late", FOOTPRINT, "did not answer in time"),
        ("ended", replace(FOOTPRINT, exit_code=139), "exit code 139 (SIGSEGV)"),
        ("ended", replace(FOOTPRINT, exit_code=137, oom_killed=True), "killed for want of memory"),
        ("answered", replace(FOOTPRINT, oom_killed=True), "killed for want of memory"),
        ("not started", replace(FOOTPRINT, logs="exec: python3: not found"), "exec: python3: not found"),
    ],
)
def test_each_end_is_named_by_every_check(outcome: Outcome, footprint: Footprint, said: str) -> None:
    """However the probe ended, each of the three checks refuses it and says why."""
    run = replace(GOOD, outcome=outcome, footprint=footprint)
    for check in (checks.opens_page, checks.secret_returns, checks.text_is_drawn):
        assert said in words(check(run))


def test_fault_is_told_in_its_own_words() -> None:
    """Selenium's message is in the rejection."""
    run = replace(GOOD, outcome="failed", error=ReportedError("SessionNotCreatedException", "Chrome failed to start"))
    assert "SessionNotCreatedException: Chrome failed to start" in words(checks.opens_page(run))


def test_canned_title_is_refused() -> None:
    """A title that is not this run's is refused with both."""
    said = words(checks.secret_returns(replace(GOOD, title="Naver")))
    assert "'Naver'" in said
    assert PAGE.title in said


@pytest.mark.parametrize("colours", [(), page.make(98).colours, PAGE.colours[:-1], (*PAGE.colours, 1)])
def test_other_pixels_are_refused(colours: tuple[int, ...]) -> None:
    """A right title does not help a wrong, short or long grid."""
    run = replace(GOOD, screenshot=replace(SCREENSHOT, colours=colours))
    assert "coloured cells of the screenshot are not those" in words(checks.secret_returns(run))


@pytest.mark.parametrize(
    "shown", [None, Screenshot(0, 0, (), (), "it is no readable PNG"), replace(SCREENSHOT, problem="it is cut short")]
)
def test_missing_picture_is_refused(shown: Screenshot | None) -> None:
    """Without a readable screenshot neither the secret nor the glyphs are proven."""
    run = replace(GOOD, screenshot=shown)
    assert not checks.secret_returns(run).accepted
    assert not checks.text_is_drawn(run).accepted


@pytest.mark.parametrize(
    ("glyph", "said"),
    [
        (Glyph("예", 0.0, "네", 0.9), "예 covers 0% of its cell"),
        (Glyph("예", 0.8, "네", 0.9), "예 covers 80% of its cell"),
        (Glyph("예", 0.1, "네", 0.1), "예 looks like 네"),
        (Glyph("예", 0.1, page.UNKNOWN[0], 0.0), "예 looks like the missing U+0378"),
    ],
)
def test_one_bad_syllable_is_enough(glyph: Glyph, said: str) -> None:
    """One syllable that is blank, a block or a box is refused and named."""
    glyphs = tuple(glyph if g.character == glyph.character else g for g in GLYPHS)
    run = replace(GOOD, screenshot=replace(SCREENSHOT, glyphs=glyphs))
    assert said in words(checks.text_is_drawn(run))


def test_missing_syllables_are_refused() -> None:
    """Fewer syllables than the page shows are not accepted."""
    run = replace(GOOD, screenshot=replace(SCREENSHOT, glyphs=GLYPHS[:-1]))
    assert "6 of 7 letters" in words(checks.text_is_drawn(run))


@pytest.mark.parametrize(
    ("ink", "distance", "accepted"),
    [
        (checks.LEAST_INK, 0.9, True),
        (checks.MOST_INK, 0.9, True),
        (checks.LEAST_INK - 0.001, 0.9, False),
        (checks.MOST_INK + 0.001, 0.9, False),
        (0.12, checks.LEAST_DISTANCE, True),
        (0.12, checks.LEAST_DISTANCE - 0.001, False),
    ],
)
def test_the_limits_of_ink_and_distance_are_inclusive(ink: float, distance: float, accepted: bool) -> None:
    """A fiftieth and a half of the cell are still ink, and a fifth of it is still another picture."""
    glyphs = (Glyph(GLYPHS[0].character, ink, "글", distance), *GLYPHS[1:])
    assert checks.text_is_drawn(replace(GOOD, screenshot=replace(SCREENSHOT, glyphs=glyphs))).accepted is accepted


def test_the_limits_of_ink_and_distance_are_those_decided_on() -> None:
    """The thresholds are pinned."""
    assert (checks.LEAST_INK, checks.MOST_INK, checks.LEAST_DISTANCE) == (0.02, 0.5, 0.2)


def test_a_failure_without_a_fault_is_refused_too() -> None:
    """An outcome other than "answered" is not accepted."""
    assert "ended with no exit code" in words(checks.opens_page(replace(GOOD, outcome="failed")))


def test_a_canned_title_and_a_missing_screenshot_are_both_reported() -> None:
    """Both rejections are given."""
    said = checks.secret_returns(replace(GOOD, title="Naver", screenshot=None))
    assert [each.cause.partition(":")[0] for each in said.rejections] == [
        f"Chrome says the page's title is 'Naver', and it is {PAGE.title!r}",
        "the screenshot shows nothing",
    ]


def test_the_cells_that_differ_are_counted() -> None:
    """Those of another colour, and those that are missing or too many."""
    other = ((PAGE.colours[0] + 1), *PAGE.colours[1:-1])
    said = words(checks.secret_returns(replace(GOOD, screenshot=replace(SCREENSHOT, colours=other))))
    assert f"2 of the {len(PAGE.colours)} coloured cells" in said


# Programs

CHROME = CommandOutput("chrome --version", 0, "Google Chrome 130.0.6723.91 \n")


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("Google Chrome 130.0.6723.91 unknown", "130.0.6723.91"),
        ("ChromeDriver 130.0.1.2 (abc-refs/branch@{#1})", "130.0.1.2"),
        ("Chrome 130.0.1", ""),
        ("", ""),
    ],
)
def test_a_version_has_four_parts(text: str, version: str) -> None:
    """Fewer parts are not a version of Chrome."""
    assert version_in(text) == version


@pytest.mark.parametrize(
    ("driver", "accepted"),
    [("130.0.6723.91", True), ("130.1.2.3", True), ("131.0.6723.91", False), ("13.0.1.2", False)],
)
def test_chromedriver_is_of_chromes_major_version(driver: str, accepted: bool) -> None:
    """The first part decides; the rejection names both versions."""
    result = share_major(CHROME, CommandOutput("driver", 0, f"ChromeDriver {driver}"))
    assert result.accepted is accepted
    assert accepted or f"Chrome is 130.0.6723.91 and Chromedriver is {driver}" in words(result)


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize(
    "bad", [CommandOutput("x", 127, "Chrome 130.0.6723.91"), CommandOutput("x", 0, "Segmentation fault")]
)
def test_a_program_without_a_version_is_refused(place: int, bad: CommandOutput) -> None:
    """An exit code or an answer without a version, of either program, even where the other's would fit."""
    answers = [CHROME, CHROME]
    answers[place] = bad
    assert "`x` gave no version" in words(share_major(*answers))


def test_the_program_has_the_pinned_version_and_a_pin_has_to_state_one() -> None:
    """Another version is refused with both; no pin at all is refused, also for a program without a version."""
    assert has_expected_version(CHROME, ExpectedVersion("130.0.6723.91", "chrome.lock")).accepted
    said = words(has_expected_version(CHROME, ExpectedVersion("130.0.6723.92", "chrome.lock")))
    assert "answers '130.0.6723.91', and chrome.lock says 130.0.6723.92" in said
    for answer in (CHROME, CommandOutput("chrome", 1, "")):
        assert "nothing states which version" in words(has_expected_version(answer, ExpectedVersion("", "chrome.lock")))
    assert "answers 'no Chrome'" in words(
        has_expected_version(CommandOutput("chrome", 1, "no Chrome"), ExpectedVersion("1.2.3.4", "chrome.lock"))
    )


FOUND = "\tlibc.so.6 => /lib/libc.so.6 (0x1)\n"


def test_missing_libraries_are_named_once() -> None:
    """Each that the loader does not find, in order, whatever its exit code."""
    text = f"{FOUND}\tlibnss3.so => not found\n\tliba.so => not found\n\tlibnss3.so => not found\n"
    assert "are missing: liba.so, libnss3.so" in words(libraries_complete(CommandOutput("ld.so --list", 1, text)))


def test_libraries_that_are_too_old_are_named_with_what_they_lack() -> None:
    """The loader lists such a library, and the program does not start with it."""
    old = "/opt/chrome/chrome: /lib64/libm.so.6: version `GLIBC_2.29' not found (required by /opt/chrome/chrome)\n"
    older = "/opt/chrome/chrome: /lib64/libc.so.6: version `GLIBC_2.28' not found (required by /opt/chrome/lib/x.so)\n"
    said = words(libraries_complete(CommandOutput("ld.so --list", 0, f"{old}{older}{old}{FOUND}")))
    assert "no GLIBC_2.28 in /lib64/libc.so.6, for /opt/chrome/lib/x.so; no GLIBC_2.29 in /lib64/libm.so.6, for" in said
    assert said.count("GLIBC_2.29") == 1


@pytest.mark.parametrize(("code", "text", "accepted"), [(0, FOUND, True), (1, FOUND, False), (0, "statically", False)])
def test_a_loader_that_could_not_list_has_found_nothing(code: int, text: str, accepted: bool) -> None:
    """An exit code other than 0, or a listing without a library, is not accepted."""
    result = libraries_complete(CommandOutput("ld.so --list", code, text))
    assert result.accepted is accepted
    assert accepted or "could not list" in words(result)
