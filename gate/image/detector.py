"""Secrets in a file's content: tokens of known kinds, private keys, passwords in addresses and settings. Pure."""

from __future__ import annotations

from gate.image.assignments import assignments_in
from gate.image.credentials import credentials_in, urls_in
from gate.image.found import Secret
from gate.image.keys import keys_in
from gate.image.tokens import tokens_in


def secrets_in(data: bytes, path: str = "") -> frozenset[Secret]:
    """The secrets in a file's content.

    Args:
        data: the content, of any kind; text may also be UTF-16 or UTF-32.
        path: its name decides whether an unquoted word is a value (settings) or a variable (code).
    """
    text = as_utf8(data)
    binary = b"\0" in text[:8192]
    found = {*tokens_in(text, binary=binary), *keys_in(text), *urls_in(text), *credentials_in(text, path)}
    if not binary:
        found |= set(assignments_in(text, path))
    return frozenset(found)


def as_utf8(data: bytes) -> bytes:
    """The same text in UTF-8, where it is UTF-16 or UTF-32 (with or without a byte order mark); else the bytes."""
    sample = data[:4096]
    if len(sample) < 16 or b"\0" not in sample:  # noqa: PLR2004 - too short to tell
        return data
    if sample.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")):
        return _decoded(data, "utf-32")
    if sample.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _decoded(data, "utf-16")
    for width, encoding, place in ((4, "utf-32-le", 0), (4, "utf-32-be", 3), (2, "utf-16-le", 0), (2, "utf-16-be", 1)):
        zeros = [sample[each::width].count(0) * width / len(sample) for each in range(width)]
        if zeros.pop(place) < 0.05 and min(zeros) > 0.4:  # noqa: PLR2004 - mostly ASCII, as keys and settings are
            return _decoded(data, encoding)
    return data


def _decoded(data: bytes, encoding: str) -> bytes:
    return data.decode(encoding, "ignore").encode("utf-8", "ignore")
