"""The page that Chrome has to open, and how a screenshot of it is read. Pure.

Its script turns a number of this run into a title and into a grid of coloured cells. Neither is in the page's source,
so neither a canned answer nor a program that only reads the source can return them.
"""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageStat, UnidentifiedImageError

WIDTH, HEIGHT = 640, 400
COLUMNS, ROWS = 8, 4
CELL = 36
GRID_LEFT, GRID_TOP = 20, 60
GLYPH = 64
GLYPH_TOP, UNKNOWN_TOP = 230, 310
# The letters where a release names none: Hangul syllables that share few strokes (no Latin font has them).
SAMPLE = "한글네이버예약"
# Never assigned (Greek block), and private use: drawn like any character without a glyph.
UNKNOWN = "\u0378\ue000"
_MASK = 0xFFFFFFFF
_MOST_PIXELS = 16_000_000
# How far a channel may be from full or empty, for a browser's colour management.
_TOLERANCE = 64
_WHITE = 255

_TEMPLATE = """<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>-</title><style>
body {{ margin: 0; background: #fff; color: #000; font-family: sans-serif }}
h1 {{ position: absolute; left: {left}px; top: 14px; margin: 0; font-size: 24px; white-space: nowrap }}
i, b {{ position: absolute; overflow: hidden }}
i {{ width: {cell}px; height: {cell}px }}
b {{ width: {glyph}px; height: {glyph}px; font: 48px/{glyph}px sans-serif; text-align: center }}
</style></head><body><h1>{heading}</h1><script>
let x = {seed};
const next = () => {{ x ^= x << 13; x ^= x >>> 17; x ^= x << 5; return x >>> 0; }};
const put = (tag, left, top) => {{
  const e = document.createElement(tag);
  e.style.left = left + 'px'; e.style.top = top + 'px';
  return document.body.appendChild(e);
}};
for (let k = 0; k < {count}; k++) {{
  const c = next() >>> 29, on = bit => (c & bit ? 255 : 0);
  const e = put('i', {left} + (k % {columns}) * {cell}, {top} + Math.floor(k / {columns}) * {cell});
  e.style.background = `rgb(${{on(4)}},${{on(2)}},${{on(1)}})`;
}}
const write = (text, top) => Array.from(text).forEach((c, k) => {{
  put('b', {left} + k * {glyph}, top).textContent = c;
}});
write({sample}, {glyph_top}); write({unknown}, {unknown_top});
document.title = 'gate-' + next().toString(16).padStart(8, '0') + next().toString(16).padStart(8, '0');
</script></body></html>"""


@dataclass(frozen=True)
class ProbePage:
    """The page of one run, and what a browser shows of it.

    Attributes:
        title: what its script gives it.
        colours: of the grid's cells, row by row, as three bits: red 4, green 2, blue 1.
        sample: the letters that it shows in a row, each in a cell of its own.
    """

    html: str
    title: str
    colours: tuple[int, ...]
    sample: str = SAMPLE


def make(nonce: int, sample: str = SAMPLE, language: str = "ko") -> ProbePage:
    """The page for a number of this run.

    Args:
        nonce: 1 to 2³²-1, drawn at random for each run.
        sample: letters that look different from each other.
        language: theirs, as a BCP 47 tag; it decides the font where languages share characters.
    """
    numbers = _xorshift(nonce)
    colours = tuple(next(numbers) >> 29 for _ in range(COLUMNS * ROWS))
    title = f"gate-{next(numbers):08x}{next(numbers):08x}"
    html = _TEMPLATE.format(
        seed=nonce,
        count=COLUMNS * ROWS,
        columns=COLUMNS,
        cell=CELL,
        glyph=GLYPH,
        left=GRID_LEFT,
        top=GRID_TOP,
        glyph_top=GLYPH_TOP,
        unknown_top=UNKNOWN_TOP,
        sample=json.dumps(sample),
        heading=sample,
        language=language,
        unknown=json.dumps(UNKNOWN),
    )
    return ProbePage(html, title, colours, sample)


def _xorshift(seed: int) -> Iterator[int]:
    """The numbers of the page's own generator (Marsaglia, "Xorshift RNGs", 2003: 13, 17, 5), on 32 bits."""
    x = seed
    while True:
        x ^= x << 13 & _MASK
        x ^= x >> 17
        x ^= x << 5 & _MASK
        yield x


@dataclass(frozen=True)
class Glyph:
    """One letter as it was drawn.

    Attributes:
        ink: the darkness of its cell, from 0 (white) to 1 (black).
        nearest: the character whose drawing is most similar: another letter, or one that no font has.
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


def read(png: bytes, sample: str = SAMPLE) -> Screenshot:
    """Read a screenshot of a page with these letters; one that cannot be read has a `problem`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(png), formats=["PNG"])
        width, height = image.size
        if width < WIDTH or height < HEIGHT or width * height > _MOST_PIXELS:
            return Screenshot(width, height, (), (), f"it is {width}×{height} pixels, and the page needs "
                           f"{WIDTH}×{HEIGHT}")  # fmt: skip
        return Screenshot(width, height, _colours(image.convert("RGB")), _glyphs(image.convert("L"), sample))
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Warning, Image.DecompressionBombError) as damaged:
        return Screenshot(0, 0, (), (), f"it is not a readable PNG: {damaged}")


def _colours(image: Image.Image) -> tuple[int, ...]:
    found = []
    for row in range(ROWS):
        for column in range(COLUMNS):
            left, top = GRID_LEFT + column * CELL, GRID_TOP + row * CELL
            # The middle third, because borders may be blurred.
            third = CELL // 3
            found.append(_colour(image.crop((left + third, top + third, left + 2 * third, top + 2 * third))))
    return tuple(found)


def _colour(cell: Image.Image) -> int:
    bits = 0
    for low, high in ImageStat.Stat(cell).extrema:
        if low < _WHITE - _TOLERANCE and high > _TOLERANCE:
            return -1
        bits = bits << 1 | (low >= _WHITE - _TOLERANCE)
    return bits


def _glyphs(image: Image.Image, sample: str) -> tuple[Glyph, ...]:
    known = _cells(image, sample, GLYPH_TOP)
    unknown = _cells(image, UNKNOWN, UNKNOWN_TOP)
    return tuple(_glyph(character, cell, known, unknown) for character, cell in known)


def _cells(image: Image.Image, text: str, top: int) -> list[tuple[str, Image.Image]]:
    boxes = ((GRID_LEFT + k * GLYPH, c) for k, c in enumerate(text))
    return [(c, ImageChops.invert(image.crop((x, top, x + GLYPH, top + GLYPH)))) for x, c in boxes]


def _glyph(
    character: str,
    cell: Image.Image,
    known: Sequence[tuple[str, Image.Image]],
    unknown: Sequence[tuple[str, Image.Image]],
) -> Glyph:
    others = [(name, other) for name, other in (*known, *unknown) if name != character]
    distance, nearest = min((_distance(cell, other), name) for name, other in others)
    return Glyph(character, round(_ink(cell) / (_WHITE * GLYPH**2), 4), nearest, round(distance, 4))


def _distance(one: Image.Image, other: Image.Image) -> float:
    most = max(_ink(one), _ink(other))
    return _ink(ImageChops.difference(one, other)) / most if most else 0.0


def _ink(cell: Image.Image) -> float:
    return float(ImageStat.Stat(cell).sum[0])
