"""Foreign text is harmless wherever it is shown."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.text import for_html, for_markdown, for_terminal, plain, visible

HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '\'" onmouseover=alert(1) x="',
    "| a | b |\n|---|---|\n| owned | row |",
    "# heading\n- list\n1. item\n```\ncode",
    "[click](javascript:alert(1)) ![img](http://evil.example/p.png) <http://evil.example>",
    "\x1b[2J\x1b[31mred\x1b]0;title\x07 \x9b31m \x1b]8;;http://evil\x1b\\link",
    "safe\u202eelif.exe \u200bzero\u2066width",
    "a\r\nSet-Cookie: x\x00\x08\x08",
    "A" * 10_240,
)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_is_one_bounded_visible_line_in_a_terminal(text: str) -> None:
    """No escape, control or direction character reaches the terminal, and no second line."""
    shown = for_terminal(text)
    assert shown.isprintable()
    assert len(shown) <= 400


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_stays_text_in_html(text: str) -> None:
    """A parser sees no tag in it, neither as content nor in a quoted attribute."""
    tags: list[str] = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attrs: tags.append(f"{tag} {len(attrs)}")  # type: ignore[method-assign]
    parser.feed(f'<p title="{for_html(text)}">{for_html(text)}</p>')
    assert tags == ["p 1"]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_stays_one_cell_in_markdown(text: str) -> None:
    """It adds no cell, tag, link, image, code or heading to a Markdown table."""
    cell = for_markdown(text)
    assert "\n" not in cell
    assert "<" not in cell
    assert "://" not in cell
    bare = cell
    while "\\" in bare:  # drop every escaped character: what is left must hold no markup
        at = bare.index("\\")
        bare = bare[:at] + bare[at + 2 :]
    assert not set(bare) & set("|`*_[]!~"), bare


@given(st.text(max_size=3000), st.integers(min_value=5, max_value=500))
def test_any_text_is_bounded_and_printable(text: str, limit: int) -> None:
    """Whatever the text, the plain form is printable, within its limit and stable."""
    once = plain(text, limit)
    assert len(once) <= limit
    assert once.isprintable()
    assert plain(once, limit) == once


@given(st.text(max_size=300))
def test_a_message_keeps_its_lines_and_nothing_that_steers(text: str) -> None:
    """As many lines as before, each of them printable."""
    shown = visible(text)
    assert all(line.isprintable() for line in shown.split("\n"))
    assert shown.count("\n") == text.count("\n") or "\x1b" in text or "\x9b" in text
    assert visible(shown) == shown


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_line_of_a_message_is_visible(text: str) -> None:
    """No escape sequence and no character that turns the reading direction is left."""
    assert all(line.isprintable() for line in visible(text).split("\n"))


def test_ordinary_text_is_kept() -> None:
    """A harmless Korean and English sentence is shown as it was written."""
    assert plain("네이버 예약: heap overflow in libwebp") == "네이버 예약: heap overflow in libwebp"
    assert visible("네이버 예약:\n    where: libwebp") == "네이버 예약:\n    where: libwebp"


COMMANDS = ("::error::x", "  ::set-output name=a::b", "##[error]x", "a ##[group]b", "\x1b[1m::warning::x", "\x08::x",
            "\u200b::debug::x", "##\x1b[0m[command]", ":\x1b[0m:stop-commands::x", "#" * 9 + "[x]",
            "##[" * 300)  # fmt: skip


def steers_a_job(text):
    """Whether GitHub's runner would take a line of it for a command."""
    return any(line.lstrip().startswith("::") or "##[" in line for line in text.split("\n"))


@pytest.mark.parametrize("text", COMMANDS)
def test_no_line_is_a_command_of_a_ci_job(text):
    """Whether it was one from the beginning, or is one without its escapes."""
    for shown in (for_terminal(text), for_markdown(text), visible(text), visible(f"first\n{text}\nlast")):
        assert not steers_a_job(shown), shown
    assert len(for_terminal(text)) <= 400


@given(st.text(alphabet=":#[ \n\ta\x1b\x08\u200b", max_size=40))
def test_no_text_has_a_line_that_is_a_command(text):
    """Drawn from the letters that make one."""
    assert not steers_a_job(for_terminal(text))
    assert not steers_a_job(visible(text))


@pytest.mark.parametrize(
    "text", ["std::string", "a::b::c", "http://[::1]:8080", "# heading", "## [ ]", "12:30", "C#[1]"]
)
def test_colons_and_marks_that_are_no_command_are_kept(text):
    """C++ names, IPv6 addresses, times."""
    assert for_terminal(text) == text
    assert visible(text) == text
