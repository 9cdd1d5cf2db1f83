"""Passwords and keys under names that announce one: in URLs, credential files, settings, code and commands. Pure."""

from __future__ import annotations

import base64
import binascii
import posixpath
import re
from collections.abc import Iterator

from gate.image.secrets.values import Secret, is_placeholder, is_secret_value, lines_with, names_secret

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
# User and password in the parameters of a connection: JDBC's URL, ODBC's and ADO's strings.
_CONNECTION = re.compile(
    rb"(?i)[;?&\s\"'](?:user(?: ?id|name)?|uid)=[^;&\"'\s]{1,80}[;&](?:[\w ]{1,40}=[^;&\"'\n]{0,200}[;&]){0,4}"
    rb"(?:password|pwd)=([^;&\"'\s]{4,200})"
)
_CONNECTION_QUICK = (b"word=", b"WORD=", b"wd=", b"WD=")
# Programs that are given a password as a word of their own.
_COMMAND_LINES = tuple(
    map(
        re.compile,
        (
            rb"curl\s[^\n|;&]{0,400}?(?:-u|--user)[ =][\"']?[^\s:\"'$]{1,80}:([^\s\"';&|]{4,200})",
            rb"sshpass\s+-p\s*[\"']?([^\s\"';&|]{4,200})",
            rb"aws configure set \S{0,80}(?:secret|token)\S{0,80}\s+[\"']?([^\s\"';&|]{4,200})",
        ),
    )
)
_AUTHENTICATION = (_NPM_PASSWORD, _BEARER, _NETRC, _NETRC_DEFAULT, *_COMMAND_LINES)
# Hosts that are reserved (RFC 2606), and the placeholders for a host in documentation.
_RESERVED_HOST = re.compile(r"(?i)(?:^|\.)(?:example\.(?:com|org|net)|example|test|invalid)(?:[.:]?$|:\d+$)|^[\[{$%]")
_HOST_PLACEHOLDER = re.compile(
    r"(?i)^(?:my|your|some|the)?-?_?(?:host|hostname|server|domain|proxy|site|address|ip|url|foo|bar|a|b|x)\d*(?:[.:]|$)"
    r"|^(?:localhost|127\.[\d.]+|.*\.local)(?::|$)"
)
# A quick filter, in lower case: every name of a secret holds one of these (`names_secret`).
_QUICK = tuple(
    map(re.compile, (rb"pass", rb"pwd", rb"secret", rb"token", rb"credential", rb"contrase", rb"key[\"']?\]?[>=:, ]"))
)
_QUOTED = r"[bruBRU]{0,2}(?:\"(?:[^\"\\\n]|\\.){4,200}\"|'(?:[^'\\\n]|\\.){4,200}')"
_NAME = r"[A-Za-z_][\w.-]{1,80}"
# name = "value", "name": "value", environ["NAME"] = "value"; <name>value</name>; getenv("NAME", "value").
_ASSIGNED = re.compile(rf"(?P<q>[\"']?)(?P<name>{_NAME})(?P=q)\s*(?:\]\s*)?(?:=>|:=|==?|:)\s*(?P<value>{_QUOTED})")
_ELEMENT = re.compile(rf"<(?P<name>{_NAME})>(?P<value>[^<>\s]{{4,200}})</(?P=name)>")
_DEFAULTED = re.compile(rf"(?:env|get|setdefault)\(\s*[\"'](?P<name>{_NAME})[\"']\s*,\s*(?P<value>{_QUOTED})")
# {"name": "DB_PASSWORD", "value": "…"} of task definitions and pod manifests, which may span lines.
_NAMED = re.compile(
    rb"ame[\"']?\s*[:=]\s*[\"']?(?P<name>[A-Za-z_][\w.-]{1,80})[\"']?[\s,]+[\"']?"
    rb"[vV]alue(?:[\"']?\s*[:=]\s*[\"'](?P<value>[^\s\"']{4,200})|:[ \t]+(?P<plain>[^\s\"'{\[]{4,200}))"
)
# In settings and on command lines a value need not be quoted.
_LINE = re.compile(
    rf"^\s*-?\s*(?:(?:export|set|ENV|ARG)\s+)?(?P<name>{_NAME})\s*(?P<sign>[=:])\s*(?P<value>\S.{{2,199}}?)\s*$"
)
_OPTION = re.compile(
    rf"(?:--?(?P<name>{_NAME})[= ]|\b(?P<upper>[A-Z_][A-Z0-9_]{{2,80}})=)(?P<value>{_QUOTED}|[^\s\"';|&]{{4,200}})"
)
# An unquoted word after "password =" is the value in a settings file, and a variable in code.
_SETTINGS_ENDS = frozenset(
    re.findall(
        r"\S+",
        ".settings .json .yaml .yml .toml .ini .cfg .conf .config .properties "
        ".env .tfvars .xml .plist .cnf .credentials .sh .bash .envrc .netrc "
        ".txt ",
    )
)
_DOCUMENT_ENDS = frozenset(
    re.findall(
        r"\S+",
        ".md .rst .html .htm .adoc .tex .texi .rtf .1 .3 .5 .7 .8 .svg .css .map .po .mo .pot .xlf ",
    )
)
_LINE_ENDS = _SETTINGS_ENDS - {".settings", ".json", ".txt", ".xml", ".sh", ".bash", ".plist"}
_MODULES = re.compile(
    r"^(?:local_)?(?:settings?|config|conf|secrets?|credentials?)(?:_|$)|_(?:settings|secrets|config)$"
)
_COLON_LISTS = frozenset({".conf", ".config", ".cfg"})
_SHELL_NAMES = frozenset({".profile", ".bashrc", ".bash_profile", ".zshrc", ".zprofile", ".bash_aliases", ".envrc"})
_COMMANDS = frozenset({".sh", ".bash", ".history", ".bat", ".ps1"})


def urls_in(text: bytes) -> Iterator[Secret]:
    """The passwords in URLs, except for examples."""
    for found in _URL.finditer(text):
        user, password, host = (found[name].decode("latin-1") for name in ("user", "password", "host"))
        if _is_password(password) and not _is_example(user, password, host):
            yield Secret.of(BASIC_AUTH, found["password"])


def _is_password(password: str) -> bool:
    """Whether the password of a URL is a real one: no template variable, port number or placeholder."""
    return not re.match(r"[$%{<\[(]|\d{1,5}$", password) and len(password) > 1 and not is_placeholder(password)


def _is_example(user: str, password: str, host: str) -> bool:
    """Whether a URL is an example of documentation, such as alice:wonder@host."""
    if _RESERVED_HOST.search(host):
        return True
    plain_word = re.fullmatch(r"[a-z_]+\d?|[A-Z_]+", password) is not None
    generic_user = len(user) > 2 and is_placeholder(user)  # noqa: PLR2004 - a short name may be anyone's
    placeholder_host = _HOST_PLACEHOLDER.search(host) is not None
    return (placeholder_host and (generic_user or plain_word)) or (plain_word and (generic_user or user == password))


def credentials_in(text: bytes, path: str) -> Iterator[Secret]:
    """The credentials of .netrc, .npmrc, Docker and HTTP clients, in a file of any name."""
    connections = any(each in text for each in _CONNECTION_QUICK)
    for pattern in (*_AUTHENTICATION, *([_CONNECTION] if connections else [])):
        for found in pattern.finditer(text):
            value = found[1].decode("latin-1")
            if is_secret_value(value) and (pattern is not _BEARER or re.search(r"\d", value)):
                yield Secret.of(PASSWORD, found[1])
    for pattern in (_DOCKER_AUTH, _NPM_AUTH):
        for found in pattern.finditer(text) if b"auth" in text else ():
            if _user_and_password(found[1]):
                yield Secret.of(PASSWORD, found[1])
    yield from _mounted(text, path)


def _user_and_password(encoded: bytes) -> bool:
    """Whether a word is base64 of user:password (RFC 7617), and not any word of the same letters."""
    try:
        decoded = base64.b64decode(encoded + b"=" * (-len(encoded) % 4))
    except binascii.Error:
        return False
    return re.fullmatch(rb"[\x21-\x7e]+:[\x20-\x7e]+", decoded) is not None


def _mounted(text: bytes, path: str) -> Iterator[Secret]:
    """A file that holds one value and has the name of a secret, as mounted secrets do: db_password, api-token.txt."""
    stem, end = posixpath.splitext(posixpath.basename(path.rpartition("!")[2]))
    text = text.strip()
    if len(text) <= 256 and end in {"", ".txt", ".key", ".secret", ".token"} and names_secret(stem):  # noqa: PLR2004 - no mounted secret is longer
        value = text.decode("utf-8", "replace")
        if re.fullmatch(r"[\x21-\x7e]+", value) and is_secret_value(value):
            yield Secret.of(PASSWORD, text)


def assignments_in(text: bytes, path: str) -> Iterator[Secret]:
    """The values under names that announce a secret, line by line."""
    end = _extension(path)
    if end in _DOCUMENT_ENDS or b"/locale" in path.encode() or b"/i18n/" in path.encode():
        return
    for named in _NAMED.finditer(text):
        raw = named["value"] or named["plain"]
        name, value = named["name"].decode(), raw.decode("utf-8", "replace")
        if names_secret(name) and _looks_secret(value, settings=True):
            yield Secret.of(PASSWORD, raw)
    for found in lines_with(text, text.lower(), _QUICK):
        line = found.decode("utf-8", "replace")
        yield from (Secret.of(PASSWORD, value.encode()) for value in _assigned(line, end))


def _extension(path: str) -> str:
    """The extension of the kind of file that the path names; ".env", ".ini" and ".settings" also by other names."""
    outer, _, inner = path.rpartition("!")
    # A compressed file is called like its content, with one more ending.
    name = posixpath.basename(inner or posixpath.splitext(outer)[0]).lower()
    if name.startswith(".env") or name.endswith(".env"):
        return ".env"
    if name in _SHELL_NAMES or name.endswith("_history"):
        return ".sh"
    if name in {
        "credentials",
        "config",
        ".pypirc",
        ".npmrc",
        ".netrc",
        ".pgpass",
        ".my.cnf",
        ".boto",
        ".s3cfg",
        "kubeconfig",
    }:
        return ".ini"
    stem, end = posixpath.splitext(name)
    # A Python module of settings: a word there is a value, and neither a label nor a type.
    return ".settings" if end == ".py" and _MODULES.search(stem) else end


def _assigned(line: str, end: str) -> Iterator[str]:
    settings = end in _SETTINGS_ENDS or not end
    for found in _named_values(line, end, settings=settings):
        groups = found.groupdict()
        name, raw = groups["name"] or groups["upper"], found["value"]
        quoted = raw[-1] in "\"'" and raw.lstrip("bruBRU")[:1] == raw[-1]
        value = raw.lstrip("bruBRU")[1:-1] if quoted else re.split(r"\s+[#;]", raw)[0]
        if found.re is _LINE and end in _COLON_LISTS and found["sign"] == ":" and value.isalpha():
            continue  # passwd: files
        if names_secret(name.rpartition(".")[2]) and _looks_secret(value, settings=settings):
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
    """Whether a literal under the name of a secret is one, and no label, word or piece of a program.

    In settings any word may be a password; in code a literal of letters alone is a name, a type or a label.
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
