"""Private keys in bytes, by their structure: PEM, also in base64, DER, key stores. Pure."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

from gate.image.found import Secret, secret

PRIVATE_KEY = "Private Key"
# A PEM label (RFC 7468), and behind it what a key consists of, also as a literal of some language writes it. Nothing
# here is tried twice (possessive quantifiers): the text is a stranger's.
_PEM = re.compile(
    rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"
    rb"(?:\\+[nrt]|[\s\"'+,b(]|[A-Z][A-Za-z-]{2,20}: ?[^\n\\]{0,80}+(?:\\n|\n))*+"
    rb"(?P<key>[A-Za-z0-9+/=]{16,}+(?:(?:\\+[nr]|[\s\"'+,])++[A-Za-z0-9+/=]{8,}+)*+)"
)
_PEM_FILE = re.compile(rb"\s*-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----")
_PUTTY = re.compile(rb"PuTTY-User-Key-File-\d: [\w-]+\r?\n(?s:.{0,4000})Private-Lines: \d")
# "-----BEGIN" in base64, at each of the three positions that it may have there (RFC 4648, section 4).
_BASE64_BEGINS = (b"LS0tLS1CRUdJTi", b"0tLS0tQkVHSU4", b"tLS0tLUJFR0lO")
_BASE64_PEM = re.compile(
    rb"(?:LS0tLS1CRUdJTi|0tLS0tQkVHSU4|tLS0tLUJFR0lO)[A-Za-z0-9+/=_-]*(?:(?:\\n|\s)+[A-Za-z0-9+/=_-]{20,})*"
)
_BASE64_BEFORE = re.compile(rb"[A-Za-z0-9+/]{0,4}\Z")
_KEY_OIDS = (bytes.fromhex("2a864886f70d010c0a0101"), bytes.fromhex("2a864886f70d010c0a0102"))
_DER_BEGINS = (
    b"\x02\x01\x00\x02",  # PKCS#1: version 0, modulus (RFC 8017, A.1.2)
    b"\x02\x01\x00\x30",  # PKCS#8: version 0, algorithm (RFC 5208, 5)
    b"\x02\x01\x01\x04",  # SEC 1: version 1, private key (RFC 5915, 3)
)
_JKS = b"\xfe\xed\xfe\xed"


def keys_in(text: bytes) -> Iterator[Secret]:
    """The private keys in a content."""
    yield from _pem_keys(text)
    if _PEM_FILE.match(text) or _is_key_file(text) or (b"PuTTY-User-Key-File" in text and _PUTTY.search(text)):
        yield secret(PRIVATE_KEY, text[:4096])
    if any(begin in text for begin in _BASE64_BEGINS):
        for found in _BASE64_PEM.finditer(text):
            before = _BASE64_BEFORE.search(text[max(0, found.start() - 4) : found.start()])
            begin = found.start() - len(before[0] if before else b"")
            yield from _unwrapped(re.sub(rb"\\n|\s", b"", text[begin : found.end()]))


def _pem_keys(text: bytes) -> Iterator[Secret]:
    for found in _PEM.finditer(text) if b"PRIVATE KEY" in text else ():
        key = re.sub(rb"\\+[nrt]|[^A-Za-z0-9+/=]", b"", found["key"])
        if len(set(key)) > 8:  # noqa: PLR2004 - xxxx… or AAAA… stands for a key
            yield secret(PRIVATE_KEY, key[:64])


def _unwrapped(wrapped: bytes) -> Iterator[Secret]:
    """The keys in base64 text, whichever of its characters is the first of four."""
    for skipped in range(4):
        piece = wrapped[skipped:].rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
        piece = piece[: len(piece) - (len(piece) % 4 == 1)]
        try:
            inner = base64.b64decode(piece + b"=" * (-len(piece) % 4))
        except binascii.Error:
            continue
        if b"-----BEGIN" in inner:
            yield from keys_in(inner)
            return


def _is_key_file(data: bytes) -> bool:
    """A private key in DER, or a key store that holds one (PKCS#12, JKS)."""
    if data.startswith(_JKS):
        return data[12:16] == b"\0\0\0\1"  # the tag of the first entry: 1 is a key, 2 a trusted certificate
    if not data.startswith(b"\x30") or len(data) < 32:  # noqa: PLR2004 - no key is shorter
        return False
    head = 2 + (data[1] & 0x7F if data[1] & 0x80 else 0)
    length = int.from_bytes(data[2:head], "big") if data[1] & 0x80 else data[1]
    if head > 6 or not 0 <= len(data) - head - length <= 2:  # noqa: PLR2004 - four bytes of length; a line's end behind
        return False
    inner = data[head:]
    return inner.startswith(_DER_BEGINS) or (
        inner.startswith(b"\x02\x01\x03\x30") and any(oid in inner for oid in _KEY_OIDS)
    )
