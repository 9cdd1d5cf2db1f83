"""Text for people: foreign text made harmless, and the form of a time. Pure.

What a scanner, a registry or a package says about itself is not to be trusted. `plain` makes one bounded line, which
may be stored; the three `for_…` functions escape it for the three places where it is shown; `visible` is for a message
of several lines.
"""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime

LIMIT = 400
_ELLIPSIS = " […]"
# Of a long text only this many times the limit is looked at: more would not be shown.
_WINDOW = 4

# ECMA-48: CSI sequences, OSC and the other string sequences up to their terminator, then two-byte escapes.
_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]?"
)
# GitHub's runner takes a line that begins with "::" (after spaces), and "##[" anywhere in one, for a command.
_COMMAND = re.compile(r"(?m)^([ \t]*):(?=:)|##(?=\[)")
# CommonMark: any ASCII punctuation may be backslash-escaped; these start markup inside a line or end a table cell.
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#!|~$])")
_MARKDOWN_START = re.compile(r"^([-+=:]|\d+(?=[.)]))")
# GitHub's autolinks: a bare scheme or www. becomes a link unless it is broken.
_AUTOLINK = re.compile(r"(?i)(://|www\.|@)")
_BROKEN = str.maketrans({":": "&#58;", ".": "&#46;", "@": "&#64;"})


def plain(text: str, limit: int = LIMIT) -> str:
    """The text as one line of visible characters, at most `limit` of them.

    Terminal escapes are removed; control and formatting characters (among them those that turn the reading
    direction) and lone surrogates become spaces; runs of space shrink to one.
    """
    if len(text) <= limit and text.isprintable():
        return " ".join(text.split())  # nearly every text: 10,000 findings pass here
    cut = text[: limit * _WINDOW]
    # str.isprintable refuses controls, formats (direction overrides, zero width), surrogates and separators.
    visible = cut if cut.isprintable() else "".join(c if c.isprintable() else " " for c in _ESCAPES.sub("", cut))
    line = " ".join(visible.split())
    if len(line) <= limit and len(cut) == len(text):
        return line
    return line[: max(0, limit - len(_ELLIPSIS))].rstrip() + _ELLIPSIS


def visible(text: str) -> str:
    """The text in visible characters and line breaks alone, so that it controls no terminal and no CI job."""
    text = _COMMAND.sub(r"\g<0> ", text)
    if text.isprintable():
        return text
    lines = (line if line.isprintable() else _ESCAPES.sub("", line) for line in text.split("\n"))
    shown = ("".join(c if c.isprintable() else " " for c in line) for line in lines)
    # What was no command before may be one without its escapes.
    return _COMMAND.sub(r"\g<0> ", "\n".join(shown))


def for_terminal(text: str, limit: int = LIMIT) -> str:
    """The text for a terminal, or the log of a CI job: `plain`, and no command of the runner."""
    return plain(_COMMAND.sub(r"\g<0> ", plain(text, limit)), limit)


def for_markdown(text: str, limit: int = LIMIT) -> str:
    """The text for a Markdown line or table cell: it starts no markup, link, cell or tag."""
    safe = _MARKDOWN.sub(r"\\\1", plain(text, limit))
    safe = safe.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    safe = _AUTOLINK.sub(lambda found: found[0].translate(_BROKEN), safe)
    return _MARKDOWN_START.sub(lambda found: f"&#{ord(found[0][0])};" + found[0][1:], safe)


def format_time(moment: datetime | None) -> str:
    """A moment to the minute, in UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if moment else "an unknown time"


def for_html(text: str, limit: int = LIMIT) -> str:
    """The text for HTML, in an element's content or a quoted attribute."""
    return html.escape(plain(text, limit), quote=True)
