"""What the probe brought back: facts only, none of them checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gate.browser.page import Page
from gate.runtime.report import Fault, Footprint, Outcome, Settings


@dataclass(frozen=True)
class Glyph:
    """One syllable as it was drawn.

    Attributes:
        ink: the darkness of its cell, from 0 (white) to 1 (black).
        nearest: the character whose drawing is most like it: another syllable, or one that no font has.
        distance: to that drawing: 0 is the same picture; 1, as much differs as either has ink.
    """

    character: str
    ink: float
    nearest: str
    distance: float


@dataclass(frozen=True)
class Picture:
    """What a screenshot shows.

    Attributes:
        colours: of the grid's cells, row by row, as in `Page`; -1 where a cell is none of the eight.
        problem: why it shows nothing; "" when it could be read.
    """

    width: int
    height: int
    colours: tuple[int, ...]
    glyphs: tuple[Glyph, ...]
    problem: str = ""


@dataclass(frozen=True)
class ProbeRun:
    """Chrome's look at our page.

    Attributes:
        page: what it was given, and what it should make of it.
        title: what Chrome says the title is.
        picture: what its screenshot shows; None when there is none.
        png: the screenshot itself.
        times: seconds from the probe's start of Selenium to each stage.
        versions: of browser, driver, selenium and python, as they say themselves.
        died_before: how Chrome died in a first attempt, None if there was none.
    """

    settings: Settings
    page: Page
    outcome: Outcome
    title: str
    picture: Picture | None
    times: Mapping[str, float]
    versions: Mapping[str, str]
    fault: Fault | None
    footprint: Footprint
    png: bytes = field(default=b"", repr=False)
    died_before: Fault | None = None
