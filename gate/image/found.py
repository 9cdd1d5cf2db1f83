"""What a search for secrets gives: kinds and fingerprints, and the lines that are worth a closer look. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

# Around the beginning of a token: no token that is known here is longer.
_AROUND = 2048


@dataclass(frozen=True)
class Secret:
    """A secret that was found: its kind, and the sha-256 of its text; never the text."""

    kind: str
    fingerprint: str


def secret(kind: str, value: bytes) -> Secret:
    """A secret of this text, which is not kept."""
    return Secret(kind, hashlib.sha256(value).hexdigest())


def lines_with(text: bytes, searched: bytes, patterns: Iterable[re.Pattern[bytes]]) -> Iterator[bytes]:
    """The lines of a text in which one of the patterns is, each once; of an endless line what is around it."""
    seen = -1
    for start, end in sorted(hit.span() for pattern in patterns for hit in pattern.finditer(searched)):
        if start >= seen:
            begin, seen = _line_around(text, start, end)
            yield text[begin:seen]


def _line_around(text: bytes, start: int, end: int) -> tuple[int, int]:
    begin = max(text.rfind(b"\n", max(0, start - _AROUND), start) + 1, start - _AROUND, 0)
    stop = text.find(b"\n", end, end + _AROUND)
    return begin, stop if stop >= 0 else min(len(text), end + _AROUND)
