"""The page that Chrome has to open: it shows what only a browser can compute, and Korean text. Pure.

Its script turns a number of this run into a title and into a grid of coloured cells. Neither is in the page's source,
so neither a canned answer nor a program that only reads the source can return them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

WIDTH, HEIGHT = 640, 400
COLUMNS, ROWS = 8, 4
CELL = 36
GRID_LEFT, GRID_TOP = 20, 60
GLYPH = 64
GLYPH_TOP, UNKNOWN_TOP = 230, 310
# Hangul syllables that share few strokes (Unicode block AC00–D7AF; no Latin font has them).
SYLLABLES = "한글네이버예약"
# Never assigned (Greek block), and private use: drawn like any character without a glyph.
UNKNOWN = "\u0378\ue000"
_MASK = 0xFFFFFFFF

_TEMPLATE = """<!doctype html><html lang="ko"><head><meta charset="utf-8"><title>-</title><style>
body {{ margin: 0; background: #fff; color: #000; font-family: sans-serif }}
h1 {{ position: absolute; left: {left}px; top: 14px; margin: 0; font-size: 24px; white-space: nowrap }}
i, b {{ position: absolute; overflow: hidden }}
i {{ width: {cell}px; height: {cell}px }}
b {{ width: {glyph}px; height: {glyph}px; font: 48px/{glyph}px sans-serif; text-align: center }}
</style></head><body><h1>네이버 예약 문자 · 출시 검증</h1><script>
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
write({syllables}, {glyph_top}); write({unknown}, {unknown_top});
document.title = 'gate-' + next().toString(16).padStart(8, '0') + next().toString(16).padStart(8, '0');
</script></body></html>"""


@dataclass(frozen=True)
class ProbePage:
    """The page of one run, and what a browser shows of it.

    Attributes:
        title: what its script gives it.
        colours: of the grid's cells, row by row, as three bits: red 4, green 2, blue 1.
    """

    html: str
    title: str
    colours: tuple[int, ...]


def make(nonce: int) -> ProbePage:
    """The page for a number of this run.

    Args:
        nonce: 1 to 2³²-1, drawn at random for each run.
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
        syllables=json.dumps(SYLLABLES),
        unknown=json.dumps(UNKNOWN),
    )
    return ProbePage(html, title, colours)


def _xorshift(seed: int) -> Iterator[int]:
    """The numbers of the page's own generator (Marsaglia, "Xorshift RNGs", 2003: 13, 17, 5), on 32 bits."""
    x = seed
    while True:
        x ^= x << 13 & _MASK
        x ^= x >> 17
        x ^= x << 5 & _MASK
        yield x
