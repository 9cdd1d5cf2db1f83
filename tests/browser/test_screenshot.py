"""Reading a screenshot: a good page, boxes, blanks, and files that are not a PNG."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

import pytest
from PIL import Image, ImageDraw

from gate.browser import page
from gate.browser.page import read

Stroke = Callable[[ImageDraw.ImageDraw, int, int, int], None]


def glyph(draw: ImageDraw.ImageDraw, x: int, y: int, number: int) -> None:
    """Strokes that are another picture for each number."""
    for stroke in range(3):
        offset = 10 + (number * 7 + stroke * 13) % 44
        draw.line((x + offset, y + 8, x + 54 - offset // 2, y + 56), fill=0, width=4)


def box(draw: ImageDraw.ImageDraw, x: int, y: int, number: int) -> None:
    """The same box for each."""
    draw.rectangle((x + 20, y + 14, x + 44, y + 54), outline=0, width=3)


def numbered_box(draw: ImageDraw.ImageDraw, x: int, y: int, number: int) -> None:
    """A box that hardly differs from the next."""
    box(draw, x, y, number)
    draw.point((x + 30, y + 20 + number), fill=0)


def nothing(draw: ImageDraw.ImageDraw, x: int, y: int, number: int) -> None:
    """No ink at all."""


def screenshot(colours: Sequence[int], known: Stroke, unknown: Stroke = box) -> bytes:
    """A page as a browser would show it."""
    image = Image.new("RGB", (page.WIDTH, page.HEIGHT), "white")
    draw = ImageDraw.Draw(image)
    for k, colour in enumerate(colours):
        x = page.GRID_LEFT + k % page.COLUMNS * page.CELL
        y = page.GRID_TOP + k // page.COLUMNS * page.CELL
        rgb = tuple(255 * bool(colour & bit) for bit in (4, 2, 1))
        draw.rectangle((x, y, x + page.CELL - 1, y + page.CELL - 1), fill=rgb)
    for text, top, stroke in ((page.SAMPLE, page.GLYPH_TOP, known), (page.UNKNOWN, page.UNKNOWN_TOP, unknown)):
        for k, _ in enumerate(text):
            stroke(draw, page.GRID_LEFT + k * page.GLYPH, top, k)
    return png(image)


def png(image: Image.Image) -> bytes:
    """The image as a file."""
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def test_colours_are_read_back() -> None:
    """The grid's colours are those that the page of this number draws."""
    shown = page.make(12345)
    assert read(screenshot(shown.colours, glyph)).colours == shown.colours


def test_another_runs_screenshot_has_other_colours() -> None:
    """A screenshot kept from another run does not carry this run's number."""
    assert read(screenshot(page.make(1).colours, glyph)).colours != page.make(2).colours


def test_grey_cell_is_no_colour() -> None:
    """A cell that is none of the eight colours is not rounded to one."""
    image = Image.new("RGB", (page.WIDTH, page.HEIGHT), (128, 128, 128))
    assert set(read(png(image)).colours) == {-1}


def test_different_glyphs_are_far_apart() -> None:
    """Different strokes are told apart from each other and from the missing character."""
    shown = read(screenshot(page.make(7).colours, glyph))
    assert [g.character for g in shown.glyphs] == list(page.SAMPLE)
    assert min(g.distance for g in shown.glyphs) > 0.2


def test_boxes_are_all_alike() -> None:
    """Boxes have ink, and no distance."""
    shown = read(screenshot(page.make(7).colours, box))
    assert {g.distance for g in shown.glyphs} == {0.0}
    assert min(g.ink for g in shown.glyphs) > 0


def test_boxes_with_a_speck_are_near() -> None:
    """Boxes that hardly differ are near each other."""
    assert max(g.distance for g in read(screenshot(page.make(7).colours, numbered_box)).glyphs) < 0.1


def test_blank_cells_have_no_ink() -> None:
    """A character that is not drawn at all has no ink."""
    assert {g.ink for g in read(screenshot(page.make(7).colours, nothing, nothing)).glyphs} == {0.0}


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"iVBOR",
        b"\x89PNG\r\n\x1a\n" + bytes(40),
        screenshot(page.make(1).colours, glyph)[:900],
        png(Image.new("RGB", (page.WIDTH - 1, page.HEIGHT))),
        png(Image.new("1", (20_000, 20_000))),
    ],
    ids=["nothing", "text", "header", "torn", "small", "giant"],
)
def test_what_is_no_screenshot_has_a_problem(damaged: bytes) -> None:
    """A file that cannot be read shows nothing, and the reason is given."""
    shown = read(damaged)
    assert shown.problem
    assert (shown.colours, shown.glyphs) == ((), ())


def test_page_does_not_hold_its_secret() -> None:
    """Title and colours are not in the page's source."""
    shown = page.make(0xC0FFEE)
    assert shown.title.removeprefix("gate-") not in shown.html
    assert "rgb(255" not in shown.html


def test_each_number_makes_another_page() -> None:
    """Different numbers give different titles and colours."""
    made = [page.make(n) for n in range(1, 200)]
    assert len({p.title for p in made}) == len({p.colours for p in made}) == 199
