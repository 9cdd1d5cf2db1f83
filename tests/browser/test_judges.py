"""The judges of the probe, on reports made by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gate.browser import judges, page
from gate.browser.report import Glyph, Picture, ProbeRun
from gate.judgement import ROLL, Judgement
from gate.runtime.report import Fault, Footprint, Outcome, Settings

PAGE = page.make(99)
GLYPHS = tuple(Glyph(c, 0.12, "글", 0.9) for c in page.SYLLABLES)
PICTURE = Picture(800, 600, PAGE.colours, GLYPHS)
FOOTPRINT = Footprint(512, None, False, None, None, "")
GOOD = ProbeRun(Settings(512), PAGE, "answered", PAGE.title, PICTURE, {}, {}, None, FOOTPRINT)


def words(judgement: Judgement) -> str:
    """What the judge says."""
    return "\n".join(map(str, judgement.rejections))


def test_every_judge_says_no_to_its_known_bad_value() -> None:
    """Each judge of the probe refuses the value that the roll holds for it."""
    own = [entry for name, entry in ROLL.items() if name.startswith("gate.browser.judges.")]
    assert len(own) == 3
    assert [entry.name for entry in own if entry.function(*entry.known_bad()).accepted] == []


def test_good_probe_is_accepted() -> None:
    """A probe with the right title, colours and glyphs is accepted by all three."""
    assert (judges.opens_page(GOOD) + judges.secret_returns(GOOD) + judges.korean_is_drawn(GOOD)).accepted


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
def test_each_end_is_named_by_every_judge(outcome: Outcome, footprint: Footprint, said: str) -> None:
    """However the probe ended, each of the three judges refuses it and says why."""
    run = replace(GOOD, outcome=outcome, footprint=footprint)
    for judge in (judges.opens_page, judges.secret_returns, judges.korean_is_drawn):
        assert said in words(judge(run))


def test_fault_is_told_in_its_own_words() -> None:
    """What Selenium says is in the refusal."""
    run = replace(GOOD, outcome="failed", fault=Fault("SessionNotCreatedException", "Chrome failed to start"))
    assert "SessionNotCreatedException: Chrome failed to start" in words(judges.opens_page(run))


def test_canned_title_is_refused() -> None:
    """A title that is not this run's is refused with both."""
    said = words(judges.secret_returns(replace(GOOD, title="Naver")))
    assert "'Naver'" in said
    assert PAGE.title in said


@pytest.mark.parametrize("colours", [(), page.make(98).colours, PAGE.colours[:-1], (*PAGE.colours, 1)])
def test_other_pixels_are_refused(colours: tuple[int, ...]) -> None:
    """A right title does not help a wrong, short or long grid."""
    run = replace(GOOD, picture=replace(PICTURE, colours=colours))
    assert "coloured cells of the screenshot are not those" in words(judges.secret_returns(run))


@pytest.mark.parametrize("shown", [None, Picture(0, 0, (), (), "it is no readable PNG")])
def test_missing_picture_is_refused(shown: Picture | None) -> None:
    """Without a readable screenshot neither the secret nor the glyphs are proven."""
    run = replace(GOOD, picture=shown)
    assert not judges.secret_returns(run).accepted
    assert not judges.korean_is_drawn(run).accepted


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
    run = replace(GOOD, picture=replace(PICTURE, glyphs=glyphs))
    assert said in words(judges.korean_is_drawn(run))


def test_missing_syllables_are_refused() -> None:
    """Fewer syllables than the page shows prove nothing."""
    run = replace(GOOD, picture=replace(PICTURE, glyphs=GLYPHS[:-1]))
    assert "6 of 7 syllables" in words(judges.korean_is_drawn(run))
