"""Generated sections of a document that people write in too: replaced one by one, the rest kept. Pure."""

from __future__ import annotations

import re

from gate.errors import EvidenceDamaged

_KEY = re.compile(r"[A-Za-z0-9._:-]+")
_OPENED = re.compile(r"<!-- release-gate:begin ([A-Za-z0-9._:-]+) -->")
_ATTEMPT = "> Later attempt:"


def begin(key: str) -> str:
    """The line that opens a section."""
    return f"<!-- release-gate:begin {key} -->"


def end(key: str) -> str:
    """The line that closes a section."""
    return f"<!-- release-gate:end {key} -->"


def section(document: str, key: str) -> str | None:
    """The body of a section, or None when the document has none of this key.

    Raises:
        EvidenceDamaged: the section is opened twice, or not closed.
    """
    parts = _parts(document, key)
    return None if parts is None else parts[1].strip("\n")


def replace(document: str, key: str, body: str) -> str:
    """The document with this section in place; a new one goes before the older ones, or to the end.

    Raises:
        EvidenceDamaged: the section is opened twice or not closed, or its body would break the markers.
    """
    if "release-gate:" in body or not _KEY.fullmatch(key):
        raise EvidenceDamaged(f"the section {key!r} holds text that reads as a section's marker")
    block = f"{begin(key)}\n{body.strip()}\n{end(key)}"
    if (parts := _parts(document, key)) is not None:
        return parts[0] + block + parts[2]
    first = document.find("<!-- release-gate:begin ")
    head, tail = (document, "") if first < 0 else (document[:first], document[first:])
    return "\n\n".join(part for part in (head.rstrip("\n"), block, tail.rstrip("\n")) if part) + "\n"


def with_attempt(body: str, attempt: str) -> str:
    """A section that stands, and below it the latest run that could not take its place (in one line)."""
    return f"{without_attempt(body)}\n\n{_ATTEMPT} {attempt}"


def without_attempt(body: str) -> str:
    """A section without the latest attempt below it."""
    return body.partition(_ATTEMPT)[0].rstrip()


def keys_in(document: str) -> tuple[str, ...]:
    """The keys of all sections that a document opens."""
    return tuple(dict.fromkeys(_OPENED.findall(document)))


def _parts(document: str, key: str) -> tuple[str, str, str] | None:
    """What stands before the section, in it and behind it."""
    opened, closed = document.count(begin(key)), document.count(end(key))
    if (opened, closed) == (0, 0):
        return None
    head, _, rest = document.partition(begin(key))
    body, is_closed, tail = rest.partition(end(key))
    if (opened, closed) != (1, 1) or not is_closed:
        raise EvidenceDamaged(
            f"the section {key!r} is opened {opened} times and closed {closed} times",
            where="VALIDATION.md",
            remedy="restore the marker lines, or delete the section: the next run writes it again",
        )
    return head, body, tail
