"""Reading the screenshot: the colours of the grid's cells, and how the syllables were drawn. Pure."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageStat, UnidentifiedImageError

from gate.browser import page

_MOST_PIXELS = 16_000_000
# How far a channel may be from full or empty, for a browser's colour management.
_TOLERANCE = 64
_WHITE = 255


@dataclass(frozen=True)
class Glyph:
    """One syllable as it was drawn.

    Attributes:
        ink: the darkness of its cell, from 0 (white) to 1 (black).
        nearest: the character whose drawing is most similar: another syllable, or one that no font has.
        distance: to that drawing: 0 for the same picture, 1 where as much differs as either has ink.
    """

    character: str
    ink: float
    nearest: str
    distance: float


@dataclass(frozen=True)
class Screenshot:
    """What a screenshot shows.

    Attributes:
        colours: of the grid's cells, row by row, as in `ProbePage`; -1 where a cell is none of the eight.
        problem: why it shows nothing; "" when it could be read.
    """

    width: int
    height: int
    colours: tuple[int, ...]
    glyphs: tuple[Glyph, ...]
    problem: str = ""


def read(png: bytes) -> Screenshot:
    """Read a screenshot; one that cannot be read has a `problem`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(png), formats=["PNG"])
        width, height = image.size
        if width < page.WIDTH or height < page.HEIGHT or width * height > _MOST_PIXELS:
            return Screenshot(width, height, (), (), f"it is {width}×{height} pixels, and the page needs "
                           f"{page.WIDTH}×{page.HEIGHT}")  # fmt: skip
        return Screenshot(width, height, _colours(image.convert("RGB")), _glyphs(image.convert("L")))
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Warning, Image.DecompressionBombError) as damaged:
        return Screenshot(0, 0, (), (), f"it is not a readable PNG: {damaged}")


def _colours(image: Image.Image) -> tuple[int, ...]:
    found = []
    for row in range(page.ROWS):
        for column in range(page.COLUMNS):
            left, top = page.GRID_LEFT + column * page.CELL, page.GRID_TOP + row * page.CELL
            # The middle third, because borders may be blurred.
            third = page.CELL // 3
            found.append(_colour(image.crop((left + third, top + third, left + 2 * third, top + 2 * third))))
    return tuple(found)


def _colour(cell: Image.Image) -> int:
    bits = 0
    for low, high in ImageStat.Stat(cell).extrema:
        if low < _WHITE - _TOLERANCE and high > _TOLERANCE:
            return -1
        bits = bits << 1 | (low >= _WHITE - _TOLERANCE)
    return bits


def _glyphs(image: Image.Image) -> tuple[Glyph, ...]:
    known = _cells(image, page.SYLLABLES, page.GLYPH_TOP)
    unknown = _cells(image, page.UNKNOWN, page.UNKNOWN_TOP)
    return tuple(_glyph(character, cell, known, unknown) for character, cell in known)


def _cells(image: Image.Image, text: str, top: int) -> list[tuple[str, Image.Image]]:
    boxes = ((page.GRID_LEFT + k * page.GLYPH, c) for k, c in enumerate(text))
    return [(c, ImageChops.invert(image.crop((x, top, x + page.GLYPH, top + page.GLYPH)))) for x, c in boxes]


def _glyph(
    character: str,
    cell: Image.Image,
    known: Sequence[tuple[str, Image.Image]],
    unknown: Sequence[tuple[str, Image.Image]],
) -> Glyph:
    others = [(name, other) for name, other in (*known, *unknown) if name != character]
    distance, nearest = min((_distance(cell, other), name) for name, other in others)
    return Glyph(character, round(_ink(cell) / (_WHITE * page.GLYPH**2), 4), nearest, round(distance, 4))


def _distance(one: Image.Image, other: Image.Image) -> float:
    most = max(_ink(one), _ink(other))
    return _ink(ImageChops.difference(one, other)) / most if most else 0.0


def _ink(cell: Image.Image) -> float:
    return float(ImageStat.Stat(cell).sum[0])
