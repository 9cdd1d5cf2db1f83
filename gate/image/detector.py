"""Secrets in bytes: tokens by detect-secrets' patterns, private keys and passwords by their structure. Pure.

Only where a cheap look at the bytes finds the beginning of something is the detector asked: it works line by line, and
an image holds a gigabyte.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from gate.image.values import is_placeholder, is_secret_value, promises_secret

PRIVATE_KEY, PASSWORD, BASIC_AUTH = "Private Key", "Password or Key", "Basic Auth Credentials"
# Around the beginning of a token: no token that is known here is longer.
_AROUND = 2048
# What every token of a known kind begins with, or holds. Each is an expression of its own that begins with fixed
# characters: so Python passes over a gigabyte in half a second, and over one with alternatives in half a minute.
_TOKENS = tuple(
    re.compile(pattern)
    for pattern in (
        rb"AKIA[A-Z0-9]{16}", rb"ASIA[A-Z0-9]{16}", rb"ABIA[A-Z0-9]{16}", rb"ACCA[A-Z0-9]{16}", rb"A3T[A-Z0-9]{17}",
        rb"gh[pousr]_[A-Za-z0-9]{30}", rb"github_pat_\w{22}", rb"xox[a-z][.-]", rb"hooks\.slack\.com/services/T",
        rb"k_live_", rb"SG\.[\w-]{22}\.", rb"gl[a-z]{2,6}-[\w-]{20}", rb"GR1348941", rb"AIza[\w-]{35}",
        rb"GOCSPX-", rb"npm_[A-Za-z0-9]{36}", rb"_authToken", rb"\.eyJ", rb"AccountKey=", rb"T3BlbkFJ", rb"sk-(?:ant|proj|svcacct)-",
        rb"pypi-AgE", rb"sq0csp-", rb"dop_v1_", rb"hf_[A-Za-z]{34}", rb":[A-Za-z0-9_-]{35}",
        rb"\.[\w-]{6}\.[\w-]{27}", rb"-us\d{1,2}(?!\w)", rb"AC[0-9a-f]{32}", rb"SK[0-9a-f]{32}", rb"\"[0-9a-zA-Z/+]{40}\"", rb"'[0-9a-zA-Z/+]{40}'",
    )
)  # fmt: skip
# Kinds that detect-secrets does not know yet; prefixes as their makers document them (secret scanning partners).
_NEWER = {
    "GitHub Token": rb"github_pat_\w{22,255}",
    "Google API Key": rb"AIza[\w-]{35}(?![\w-])",
    "Google OAuth Secret": rb"GOCSPX-[\w-]{28}",
    "Anthropic or OpenAI Token": rb"sk-(?:ant|proj|svcacct)-[\w-]{20,}",
    "DigitalOcean Token": rb"dop_v1_[0-9a-f]{64}",
    "Hugging Face Token": rb"hf_[A-Za-z]{34}(?!\w)",
    "npm Token": rb"npm_[A-Za-z0-9]{36}(?!\w)",
    "Slack Token": rb"xox[abeoprs](?:\.xox[a-z])?-[\w-]{20,}",
    "Stripe Access Key": rb"[sr]k_live_[0-9A-Za-z]{16,}",
}
_NEWER_KINDS = tuple((kind, re.compile(pattern)) for kind, pattern in _NEWER.items())
# A PEM label (RFC 7468), and behind it what a key consists of, also as a literal of some language writes it. Nothing here
# is tried twice (possessive quantifiers): the text is a stranger's.
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
_URL = re.compile(
    rb"://(?P<user>[!$-.0-9;=A-Z\\^_`a-z{}~]{0,64}):(?P<password>[!$-&(-.0-;=A-Z\[-z{}~]{1,128})@(?P<host>[\w.\[$%{-]{1,100})"
)
# Without one of these no name promises a secret (see `gate.image.values`); in lower case.
_PROMISES = tuple(
    map(re.compile, (rb"pass", rb"pwd", rb"secret", rb"token", rb"credential", rb"contrase", rb"key[\"']?\]?[>=:, ]"))
)
_QUOTED = r"[bruBRU]{0,2}(?:\"(?:[^\"\\\n]|\\.){4,200}\"|'(?:[^'\\\n]|\\.){4,200}')"
_NAME = r"[A-Za-z_][\w.-]{1,80}"
# name = "value", "name": "value", environ["NAME"] = "value"; <name>value</name>; getenv("NAME", "value").
_ASSIGNED = re.compile(rf"(?P<q>[\"']?)(?P<name>{_NAME})(?P=q)\s*(?:\]\s*)?(?:=>|:=|==?|:)\s*(?P<value>{_QUOTED})")
_ELEMENT = re.compile(rf"<(?P<name>{_NAME})>(?P<value>[^<>\s]{{4,200}})</(?P=name)>")
_DEFAULTED = re.compile(rf"(?:env|get|setdefault)\(\s*[\"'](?P<name>{_NAME})[\"']\s*,\s*(?P<value>{_QUOTED})")
# {"name": "DB_PASSWORD", "value": "…"}, as task definitions and manifests of pods write it, over several lines too.
_NAMED = re.compile(
    rb"ame[\"']?\s*[:=]\s*[\"']?(?P<name>[A-Za-z_][\w.-]{1,80})[\"']?[\s,]+[\"']?[vV]alue[\"']?\s*[:=]\s*[\"']?(?P<value>[^\s\"']{4,200})"
)
# In settings and on command lines a value need not be quoted.
_LINE = re.compile(
    rf"^\s*-?\s*(?:(?:export|set|ENV|ARG)\s+)?(?P<name>{_NAME})\s*(?P<sign>[=:])\s*(?P<value>\S.{{2,199}}?)\s*$"
)
_OPTION = re.compile(
    rf"(?:--?(?P<name>{_NAME})[= ]|\b(?P<upper>[A-Z_][A-Z0-9_]{{2,80}})=)(?P<value>{_QUOTED}|[^\s\"';|&]{{4,200}})"
)
_NETRC = re.compile(
    rb"machine\s+[!-~]+\s+(?:login\s+[!-~]+\s+)?(?:account\s+[!-~]+\s+)?password\s+([!-~]+)|default\s+login\s+[!-~]+\s+password\s+([!-~]+)"
)
_DOCKER_AUTH = re.compile(rb"\"(?:auth|_auth)\"\s*:\s*\"([A-Za-z0-9+/]{8,}={0,2})\"")
_NPM_AUTH = re.compile(rb"_auth\s*=\s*\"?([A-Za-z0-9+/]{6,}={0,2})")
_NPM_PASSWORD = re.compile(rb":_password\s*=\s*\"?([A-Za-z0-9+/]{6,}={0,2})")
_BEARER = re.compile(
    rb"uthorization[\"']?\s*[:=]\s*[\"']?(?:Bearer|Basic|Token|bearer|basic|token)\s+([\w.~+/=-]{12,})"
)
_CREDENTIALS = (_NPM_AUTH, _NPM_PASSWORD, _BEARER, _NETRC)
# In code an unquoted word behind "password =" is a variable; in the files of settings it is the value.
_SETTINGS_ENDS = frozenset(
    ".json .yaml .yml .toml .ini .cfg .conf .config .properties .env .tfvars .xml .plist .cnf .credentials .sh .bash .envrc .netrc .txt".split()
)
_DOCUMENT_ENDS = frozenset(
    ".md .rst .html .htm .adoc .tex .texi .rtf .1 .3 .5 .7 .8 .svg .css .map .po .mo .pot .xlf".split()
)
_LINE_ENDS = _SETTINGS_ENDS - {".json", ".txt", ".xml", ".sh", ".bash", ".plist"}
_COLON_LISTS = frozenset({".conf", ".config", ".cfg"})
_COMMANDS = frozenset({".sh", ".bash", ".history", ".bat", ".ps1"})
_KEY_OIDS = (bytes.fromhex("2a864886f70d010c0a0101"), bytes.fromhex("2a864886f70d010c0a0102"))
_DER_BEGINS = (
    b"\x02\x01\x00\x02",  # PKCS#1: version 0, modulus (RFC 8017, A.1.2)
    b"\x02\x01\x00\x30",  # PKCS#8: version 0, algorithm (RFC 5208, 5)
    b"\x02\x01\x01\x04",  # SEC 1: version 1, private key (RFC 5915, 3)
)
_JKS = b"\xfe\xed\xfe\xed"


@dataclass(frozen=True)
class Secret:
    """A secret that was found: its kind, and the sha-256 of its text; never the text."""

    kind: str
    fingerprint: str


def _secret(kind: str, value: bytes) -> Secret:
    return Secret(kind, hashlib.sha256(value).hexdigest())


@cache
def _detectors() -> tuple[Any, ...]:
    # Imported at first use: only an image inspection needs it, and collection must stay fast.
    from detect_secrets.plugins import (
        aws,
        azure_storage_key,
        discord,
        github_token,
        gitlab_token,
        jwt,
        mailchimp,
        npm,
        openai,
        pypi_token,
        sendgrid,
        slack,
        square_oauth,
        stripe,
        telegram_token,
        twilio,
    )

    return (
        aws.AWSKeyDetector(), azure_storage_key.AzureStorageKeyDetector(), discord.DiscordBotTokenDetector(),
        github_token.GitHubTokenDetector(), gitlab_token.GitLabTokenDetector(), jwt.JwtTokenDetector(),
        mailchimp.MailchimpDetector(), npm.NpmDetector(), openai.OpenAIDetector(), pypi_token.PypiTokenDetector(),
        sendgrid.SendGridDetector(), slack.SlackDetector(), square_oauth.SquareOAuthDetector(), stripe.StripeDetector(),
        telegram_token.TelegramBotTokenDetector(), twilio.TwilioKeyDetector(),
    )  # fmt: skip


def secrets_in(data: bytes, path: str = "") -> frozenset[Secret]:
    """The secrets in a file's content.

    Args:
        data: the content, of any kind; text may also be UTF-16 or UTF-32.
        path: its name decides whether an unquoted word is a value (settings) or a variable (code).
    """
    text = as_utf8(data)
    binary = b"\0" in text[:8192]
    found = {*_tokens(text, binary=binary), *_keys(text, path), *_urls(text), *_credentials(text, path)}
    if not binary:
        found |= set(_assignments(text, path))
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


def _tokens(text: bytes, *, binary: bool) -> Iterator[Secret]:
    for line in _lines_with(text, text, _TOKENS):
        yield from _tokens_of_line(line, binary=binary)


def _lines_with(text: bytes, searched: bytes, patterns: Iterable[re.Pattern[bytes]]) -> Iterator[bytes]:
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


def _tokens_of_line(line: bytes, *, binary: bool) -> Iterator[Secret]:
    for kind, pattern in _NEWER_KINDS:
        for found in pattern.finditer(line):
            if not _stands_for(found.group()):
                yield _secret(kind, found.group())
    readable = line.decode("latin-1")
    for detector in _detectors():
        for value in _matches(detector, readable):
            # In a program, two characters beside a text need not be of it. The pattern of a JWT ends before its last part.
            whole = detector.secret_type == "JSON Web Token" or _is_whole(readable, value, 3 if binary else 1)
            if whole and not _stands_for(value.encode("latin-1")):
                yield _secret(detector.secret_type, value.encode("latin-1"))


def _matches(detector: Any, line: str) -> Iterator[str]:
    """The whole of what a detector's patterns match: `analyze_string` gives only their groups, where they have any."""
    for pattern in detector.denylist:
        for found in pattern.finditer(line):
            if not hasattr(detector, "is_formally_valid") or detector.is_formally_valid(found.group()):
                yield found.group()


def _is_whole(line: str, value: str, run: int) -> bool:
    """Whether a token stands alone somewhere in its line, and is no piece of a longer word, such as a hash.

    Args:
        run: so many letters or digits right before or behind it make it a piece.
    """
    begin = line.find(value)
    while begin >= 0:
        before, behind = line[max(0, begin - run) : begin], line[begin + len(value) : begin + len(value) + run]
        longer = value[0].isdigit() and before[-1:].isdigit()
        if not longer and not any(
            len(each) == run and re.fullmatch(r"[A-Za-z0-9]+", each) for each in (before, behind)
        ):
            return True
        begin = line.find(value, begin + 1)
    return False


def _stands_for(value: bytes) -> bool:
    """Documented examples say so themselves (AKIA…EXAMPLE), repeat one character, or count up."""
    text = value.decode("latin-1")
    tail = re.split(r"[_-]", text)[-1]
    counted = "0123456789abcdef" in text.lower() and len(set(tail.lower())) <= 16 and len(text) > 30  # noqa: PLR2004
    return is_placeholder(text) or counted or "eyJzdWIiOiIxMjM0NTY3ODkwI" in text


def _keys(text: bytes, path: str) -> Iterator[Secret]:
    if b"PRIVATE KEY" in text:
        for found in _PEM.finditer(text):
            key = re.sub(rb"\\+[nrt]|[^A-Za-z0-9+/=]", b"", found["key"])
            if len(set(key)) > 8:  # noqa: PLR2004 - xxxx… or AAAA… stands for a key
                yield _secret(PRIVATE_KEY, key[:64])
        if _PEM_FILE.match(text):
            yield _secret(PRIVATE_KEY, text[:4096])
    if b"PuTTY-User-Key-File" in text and _PUTTY.search(text):
        yield _secret(PRIVATE_KEY, text[:4096])
    if _is_key_file(text):
        yield _secret(PRIVATE_KEY, text[:4096])
    if not any(begin in text for begin in _BASE64_BEGINS):
        return
    for found in _BASE64_PEM.finditer(text):
        begin = found.start() - len(_BASE64_BEFORE.search(text[max(0, found.start() - 4) : found.start()])[0])
        yield from _unwrapped(re.sub(rb"\\n|\s", b"", text[begin : found.end()]), path)


def _unwrapped(wrapped: bytes, path: str) -> Iterator[Secret]:
    """The keys in base64 text, whichever of its characters is the first of four."""
    for skipped in range(4):
        piece = wrapped[skipped:].rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
        piece = piece[: len(piece) - (len(piece) % 4 == 1)]
        try:
            inner = base64.b64decode(piece + b"=" * (-len(piece) % 4))
        except binascii.Error:
            continue
        if b"-----BEGIN" in inner:
            yield from _keys(inner, path)
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


def _urls(text: bytes) -> Iterator[Secret]:
    for found in _URL.finditer(text):
        user, password, host = (found[name].decode("latin-1") for name in ("user", "password", "host"))
        if is_secret_password(password) and not _is_example(user, password, host):
            yield _secret(BASIC_AUTH, found["password"])


def is_secret_password(password: str) -> bool:
    """Whether the password of a URL is one: no variable of a template, no port, nothing that stands for one."""
    return not re.match(r"[$%{<\[(]|\d{1,5}$", password) and len(password) > 1 and not is_placeholder(password)


def _is_example(user: str, password: str, host: str) -> bool:
    """Documentation writes alice:wonder@host: a word for a password, at a host that is none, or for somebody."""
    word = re.fullmatch(r"[a-z_]+\d{0,1}|[A-Z_]+", password) is not None
    reserved = re.search(
        r"(?i)(?:^|\.)(?:example|test|invalid|localhost|local)(?:\.|$)|^(?:my|your|some|the)?-?_?(?:host|hostname|server|domain|proxy|site|address|example|ip|url|foo|bar|a|b|x)\d*(?:[.:]|$)|^127\.|^[\[{$%]",
        host,
    )  # noqa: E501
    return word and (reserved is not None or (user != "" and is_placeholder(user)) or user == password)


def _credentials(text: bytes, path: str) -> Iterator[Secret]:
    for pattern in _CREDENTIALS:
        for found in pattern.finditer(text):
            value = found[found.lastindex or 0].decode("latin-1")
            if is_secret_value(value) and (pattern is not _BEARER or re.search(r"\d", value)):
                yield _secret(PASSWORD, value.encode("latin-1"))
    yield from _alone(text, path)
    for found in _DOCKER_AUTH.finditer(text) if b'auth"' in text else ():
        with_password = base64.b64decode(found[1] + b"=" * (-len(found[1]) % 4))
        if re.fullmatch(rb"[\x21-\x7e]+:[\x20-\x7e]+", with_password):
            yield _secret(PASSWORD, found[1])


def _alone(text: bytes, path: str) -> Iterator[Secret]:
    """A value alone in a file whose name promises one, as mounted secrets are: db_password, api-token.txt."""
    stem, end = posixpath.splitext(posixpath.basename(path.rpartition("!")[2]))
    alone = text.strip()
    if len(alone) <= 256 and end in {"", ".txt", ".key", ".secret", ".token"} and promises_secret(stem):  # noqa: PLR2004
        value = alone.decode("utf-8", "replace")
        if re.fullmatch(r"[\x21-\x7e]+", value) and is_secret_value(value):
            yield _secret(PASSWORD, alone)


def _assignments(text: bytes, path: str) -> Iterator[Secret]:
    """Values under names that promise a secret, line by line."""
    end = _ending(path)
    if end in _DOCUMENT_ENDS or b"/locale" in path.encode() or b"/i18n/" in path.encode():
        return
    for named in _NAMED.finditer(text):
        name, value = named["name"].decode(), named["value"].decode("utf-8", "replace")
        if promises_secret(name) and _looks_secret(value, settings=True):
            yield _secret(PASSWORD, named["value"])
    for found in _lines_with(text, text.lower(), _PROMISES):
        line = found.decode("utf-8", "replace")
        yield from (_secret(PASSWORD, value.encode()) for value in _assigned(line, end))


def _ending(path: str) -> str:
    name = posixpath.basename(path.rpartition("!")[2]).lower()
    if name.startswith(".env") or name.endswith(".env"):
        return ".env"
    if name in {"credentials", "config", ".pypirc", ".npmrc", ".netrc", ".pgpass", ".my.cnf", ".boto", ".s3cfg"}:
        return ".ini"
    return posixpath.splitext(name)[1]


def _assigned(line: str, end: str) -> Iterator[str]:
    settings = end in _SETTINGS_ENDS or not end
    for found in _named_values(line, end, settings=settings):
        groups = found.groupdict()
        name, raw = groups["name"] or groups["upper"], found["value"]
        quoted = raw[-1] in "\"'" and raw.lstrip("bruBRU")[:1] == raw[-1]
        value = raw.lstrip("bruBRU")[1:-1] if quoted else re.split(r"\s+[#;]", raw)[0]
        if found.re is _LINE and end in _COLON_LISTS and found["sign"] == ":" and value.isalpha():
            continue  # passwd: files
        if promises_secret(name.rpartition(".")[2]) and _looks_secret(value, settings=settings):
            yield value


def _named_values(line: str, end: str, *, settings: bool) -> Iterator[re.Match[str]]:
    for pattern in (_ASSIGNED, _DEFAULTED):
        yield from pattern.finditer(line)
    if settings:
        yield from _ELEMENT.finditer(line)
    if end in _LINE_ENDS:
        yield from _LINE.finditer(line)
    if end in _COMMANDS:
        yield from _OPTION.finditer(line)


def _looks_secret(value: str, *, settings: bool) -> bool:
    """Whether a literal under a promising name is a secret, and no label, word or piece of a program.

    In settings any word may be a password; in code a literal of letters alone is a name, a type or a caption.
    """
    if not is_secret_value(value) or re.search(r"\s", value):
        return False
    if re.fullmatch(r"[^\W\d]+(?:[_.:-][^\W\d]+)*", value):
        return settings and value.isascii() and value.islower() and not re.search(r"[_.:]", value)
    if settings:
        return len(value) >= 6 or bool(re.search(r"\d", value))  # noqa: PLR2004 - what is shorter is a word
    if re.search(r"[^\x20-\x7e]|[(){}<>\\|^*?]|::|->|^[./@#:+-]", value) or re.fullmatch(
        r"[\w-]+(?:\.[A-Za-z_][\w-]*)+", value
    ):
        return False  # a pattern, a path or a name of another thing
    return bool(re.search(r"\d", value)) and not re.fullmatch(r"[\d.,:/-]+", value)
