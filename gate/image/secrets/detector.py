"""Secrets in a file's content: tokens of known kinds, passwords, and private keys by their structure. Pure.

Private keys are PEM (also in base64), DER, and the key stores PKCS#12 and JKS.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

from gate.image.secrets.passwords import assignments_in, credentials_in, urls_in
from gate.image.secrets.tokens import tokens_in
from gate.image.secrets.values import Secret
from gate.image.tree import ELF_MAGIC

_PRIVATE_KEY = "Private Key"
# A PEM label (RFC 7468) and the text of a key after it, also in the form of a string literal. The quantifiers are
# possessive: untrusted text must not cause backtracking.
_PEM = re.compile(
    rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"
    rb"(?:\\+[nrt]|[\s\"'+,b(]|[A-Z][A-Za-z-]{2,20}: ?[^\n\\]{0,80}+(?:\\n|\n))*+"
    rb"(?P<key>[A-Za-z0-9+/=]{16,}+(?:(?:\\+[nr]|[\s\"'+,])++[A-Za-z0-9+/=]{8,}+)*+)"
)
_PEM_FILE = re.compile(rb"\s*-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----")
_PUTTY = re.compile(rb"PuTTY-User-Key-File-\d: [\w-]+\r?\n(?s:.{0,4000})Private-Lines: \d")
# "-----BEGIN" in base64, in each of its three alignments (RFC 4648, section 4).
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
# The private part of a JSON Web Key (RFC 7517, 6.3.2 of RFC 7518), and of an RSAKeyValue (W3C, XML Key Management).
_WEB_KEY = re.compile(rb"\"d\"\s*:\s*\"([\w-]{40,})\"|<D>\s*([A-Za-z0-9+/=\s]{40,})</D>")
# A DER structure in base64 without PEM's lines: as a variable, or as a value in settings.
_BASE64_DER_QUICK = (b"IBADAN", b"IBAAK", b"AgEAMB", b"MC4CAQAw")  # RSA twice, EC, Ed25519
_BASE64_DER = re.compile(
    rb"(?<![A-Za-z0-9+/])M(?:I[IGHJ]|C4C|HcC|EEC)[A-Za-z0-9+/]{40,}(?:(?:\\n|\s)+[A-Za-z0-9+/]{16,})*={0,2}"
)


def secrets_in(data: bytes, path: str = "") -> frozenset[Secret]:
    """The secrets in a file's content.

    Args:
        data: the content, of any kind; text may also be UTF-16 or UTF-32.
        path: its name tells settings, where an unquoted word is a value, from code, where it is a variable.
    """
    text = _as_utf8(data)
    binary = b"\0" in text[:8192]
    found = {*tokens_in(text, binary=binary), *_keys_in(text), *urls_in(text), *credentials_in(text, path)}
    if not binary:
        found |= set(assignments_in(text, path))
    return frozenset(found)


def _as_utf8(data: bytes) -> bytes:
    encoding = _encoding(data[:4096])
    return data.decode(encoding, "ignore").encode("utf-8", "ignore") if encoding else data


def _encoding(sample: bytes) -> str:
    """The encoding of UTF-16 or UTF-32, with or without a byte order mark; "" for other content."""
    if len(sample) < 16 or b"\0" not in sample:  # noqa: PLR2004 - too short to tell
        return ""
    if sample.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")):
        return "utf-32"
    if sample.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    for width, encoding, place in ((4, "utf-32-le", 0), (4, "utf-32-be", 3), (2, "utf-16-le", 0), (2, "utf-16-be", 1)):
        zeros = [sample[each::width].count(0) * width / len(sample) for each in range(width)]
        if zeros.pop(place) < 0.05 and min(zeros) > 0.4:  # noqa: PLR2004 - mostly ASCII, as keys and settings are
            return encoding
    return ""


def _keys_in(text: bytes) -> Iterator[Secret]:
    """The private keys in the content of a file."""
    yield from _pem_keys(text)
    if _PEM_FILE.match(text) or _is_key_file(text) or (b"PuTTY-User-Key-File" in text and _PUTTY.search(text)):
        yield Secret.of(_PRIVATE_KEY, text[:4096])
    if b'"kty"' in text or b"RSAKeyValue" in text:
        yield from (Secret.of(_PRIVATE_KEY, found[1] or found[2]) for found in _WEB_KEY.finditer(text))
    # Programs hold keys of their own tests, without PEM's lines.
    bare = not text.startswith(ELF_MAGIC) and any(each in text for each in _BASE64_DER_QUICK)
    for found in _BASE64_DER.finditer(text) if bare else ():
        encoded = re.sub(rb"\\n|\s|=", b"", found[0])
        if _is_key_file(base64.b64decode(encoded + b"=" * (-len(encoded) % 4))):
            yield Secret.of(_PRIVATE_KEY, encoded[:64])
    if any(begin in text for begin in _BASE64_BEGINS):
        for found in _BASE64_PEM.finditer(text):
            before = _BASE64_BEFORE.search(text[max(0, found.start() - 4) : found.start()])
            begin = found.start() - len(before[0] if before else b"")
            yield from _unwrapped(re.sub(rb"\\n|\s", b"", text[begin : found.end()]))


def _pem_keys(text: bytes) -> Iterator[Secret]:
    for found in _PEM.finditer(text) if b"PRIVATE KEY" in text else ():
        key = re.sub(rb"\\+[nrt]|[^A-Za-z0-9+/=]", b"", found["key"])
        if len(set(key)) > 8:  # noqa: PLR2004 - xxxx… or AAAA… is a placeholder
            yield Secret.of(_PRIVATE_KEY, key[:64])


def _unwrapped(wrapped: bytes) -> Iterator[Secret]:
    """The keys in base64 text, in any of the four alignments of its groups."""
    for skipped in range(4):
        piece = wrapped[skipped:].rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
        piece = piece[: len(piece) - (len(piece) % 4 == 1)]
        try:
            inner = base64.b64decode(piece + b"=" * (-len(piece) % 4))
        except binascii.Error:
            continue
        if b"-----BEGIN" in inner:
            yield from _keys_in(inner)
            return


def _is_key_file(data: bytes) -> bool:
    """A private key in DER, or a key store that holds one (PKCS#12, JKS)."""
    if data.startswith(_JKS):
        return data[12:16] == b"\0\0\0\1"  # the tag of the first entry: 1 is a key, 2 a trusted certificate
    if not data.startswith(b"\x30") or len(data) < 32:  # noqa: PLR2004 - no key is shorter
        return False
    head = 2 + (data[1] & 0x7F if data[1] & 0x80 else 0)
    length = int.from_bytes(data[2:head], "big") if data[1] & 0x80 else data[1]
    if head > 6 or not 0 <= len(data) - head - length <= 2:  # noqa: PLR2004 - at most four bytes of length, and a line break at the end
        return False
    inner = data[head:]
    return inner.startswith(_DER_BEGINS) or (
        inner.startswith(b"\x02\x01\x03\x30") and any(oid in inner for oid in _KEY_OIDS)
    )
