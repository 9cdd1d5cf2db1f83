"""Passwords in addresses, and in the files in which programs keep their credentials. Pure."""

from __future__ import annotations

import base64
import binascii
import posixpath
import re
from collections.abc import Iterator

from gate.image.found import Secret, secret
from gate.image.values import is_placeholder, is_secret_value, promises_secret

PASSWORD, BASIC_AUTH = "Password or Key", "Basic Auth Credentials"
_URL = re.compile(
    rb"://(?P<user>[!$-.0-9;=A-Z\\^_`a-z{}~]{0,64}):(?P<password>[!$-&(-.0-;=A-Z\[-z{}~]{1,128})@(?P<host>[\w.\[$%{-]{1,100})"
)
_NETRC = re.compile(rb"machine\s+[!-~]+\s+(?:login\s+[!-~]+\s+)?(?:account\s+[!-~]+\s+)?password\s+([!-~]+)")
_NETRC_DEFAULT = re.compile(rb"default\s+login\s+[!-~]+\s+password\s+([!-~]+)")
_DOCKER_AUTH = re.compile(rb"\"(?:auth|_auth)\"\s*:\s*\"([A-Za-z0-9+/]{8,}={0,2})\"")
_NPM_AUTH = re.compile(rb"_auth\s*=\s*\"?([A-Za-z0-9+/]{6,}={0,2})")
_NPM_PASSWORD = re.compile(rb":_password\s*=\s*\"?([A-Za-z0-9+/]{6,}={0,2})")
_BEARER = re.compile(
    rb"uthorization[\"']?\s*[:=]\s*[\"']?(?:Bearer|Basic|Token|bearer|basic|token)\s+([\w.~+/=-]{12,})"
)
_CREDENTIALS = (_NPM_PASSWORD, _BEARER, _NETRC, _NETRC_DEFAULT)


# Names that are nobody's (RFC 2606), and words that documentation puts in the place of a host.
_NO_HOST = re.compile(r"(?i)(?:^|\.)(?:example\.(?:com|org|net)|example|test|invalid)(?:[.:]?$|:\d+$)|^[\[{$%]")
_STANDS_FOR_HOST = re.compile(
    r"(?i)^(?:my|your|some|the)?-?_?(?:host|hostname|server|domain|proxy|site|address|ip|url|foo|bar|a|b|x)\d*(?:[.:]|$)"
    r"|^(?:localhost|127\.[\d.]+|.*\.local)(?::|$)"
)


def urls_in(text: bytes) -> Iterator[Secret]:
    """The passwords in addresses, but for those of examples."""
    for found in _URL.finditer(text):
        user, password, host = (found[name].decode("latin-1") for name in ("user", "password", "host"))
        if is_secret_password(password) and not _is_example(user, password, host):
            yield secret(BASIC_AUTH, found["password"])


def is_secret_password(password: str) -> bool:
    """Whether the password of a URL is one: no variable of a template, no port, nothing that stands for one."""
    return not re.match(r"[$%{<\[(]|\d{1,5}$", password) and len(password) > 1 and not is_placeholder(password)


def _is_example(user: str, password: str, host: str) -> bool:
    """Documentation writes alice:wonder@host: at a host that is none, somebody's word for a password."""
    if _NO_HOST.search(host):
        return True
    word = re.fullmatch(r"[a-z_]+\d?|[A-Z_]+", password) is not None
    anybody = len(user) > 2 and is_placeholder(user)  # noqa: PLR2004 - u, me: a short name is anybody's
    stands = _STANDS_FOR_HOST.search(host) is not None
    return (stands and (anybody or word)) or (word and (anybody or user == password))


def credentials_in(text: bytes, path: str) -> Iterator[Secret]:
    """What .netrc, .npmrc, Docker and HTTP clients authenticate with, in a file of any name."""
    for pattern in _CREDENTIALS:
        for found in pattern.finditer(text):
            value = found[1].decode("latin-1")
            if is_secret_value(value) and (pattern is not _BEARER or re.search(r"\d", value)):
                yield secret(PASSWORD, found[1])
    for pattern in (_DOCKER_AUTH, _NPM_AUTH):
        for found in pattern.finditer(text) if b"auth" in text else ():
            if _user_and_password(found[1]):
                yield secret(PASSWORD, found[1])
    yield from _alone(text, path)


def _user_and_password(encoded: bytes) -> bool:
    """Whether a word is base64 of user:password (RFC 7617), and not merely made of the same letters."""
    try:
        decoded = base64.b64decode(encoded + b"=" * (-len(encoded) % 4))
    except binascii.Error:
        return False
    return re.fullmatch(rb"[\x21-\x7e]+:[\x20-\x7e]+", decoded) is not None


def _alone(text: bytes, path: str) -> Iterator[Secret]:
    """A value alone in a file whose name promises one, as mounted secrets are: db_password, api-token.txt."""
    stem, end = posixpath.splitext(posixpath.basename(path.rpartition("!")[2]))
    alone = text.strip()
    if len(alone) <= 256 and end in {"", ".txt", ".key", ".secret", ".token"} and promises_secret(stem):  # noqa: PLR2004 - no mounted secret is longer
        value = alone.decode("utf-8", "replace")
        if re.fullmatch(r"[\x21-\x7e]+", value) and is_secret_value(value):
            yield secret(PASSWORD, alone)
