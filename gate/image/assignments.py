"""Values under names that promise a secret: in settings, in code, on command lines. Pure."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from gate.image.credentials import PASSWORD
from gate.image.found import Secret, lines_with, secret
from gate.image.values import is_secret_value, promises_secret

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
# In code an unquoted word behind "password =" is a variable; in the files of settings it is the value.
_SETTINGS_ENDS = frozenset(
    [
        ".settings",
        ".json",
        ".yaml",
        ".yml",
        ".toml",
        ".ini",
        ".cfg",
        ".conf",
        ".config",
        ".properties",
        ".env",
        ".tfvars",
        ".xml",
        ".plist",
        ".cnf",
        ".credentials",
        ".sh",
        ".bash",
        ".envrc",
        ".netrc",
        ".txt",
    ]
)
_DOCUMENT_ENDS = frozenset(
    [
        ".md",
        ".rst",
        ".html",
        ".htm",
        ".adoc",
        ".tex",
        ".texi",
        ".rtf",
        ".1",
        ".3",
        ".5",
        ".7",
        ".8",
        ".svg",
        ".css",
        ".map",
        ".po",
        ".mo",
        ".pot",
        ".xlf",
    ]
)
_LINE_ENDS = _SETTINGS_ENDS - {".settings", ".json", ".txt", ".xml", ".sh", ".bash", ".plist"}
_MODULES = re.compile(
    r"^(?:local_)?(?:settings?|config|conf|secrets?|credentials?)(?:_|$)|_(?:settings|secrets|config)$"
)
_COLON_LISTS = frozenset({".conf", ".config", ".cfg"})
_COMMANDS = frozenset({".sh", ".bash", ".history", ".bat", ".ps1"})


def assignments_in(text: bytes, path: str) -> Iterator[Secret]:
    """Values under names that promise a secret, line by line."""
    end = _ending(path)
    if end in _DOCUMENT_ENDS or b"/locale" in path.encode() or b"/i18n/" in path.encode():
        return
    for named in _NAMED.finditer(text):
        raw = named["value"] or named["plain"]
        name, value = named["name"].decode(), raw.decode("utf-8", "replace")
        if promises_secret(name) and _looks_secret(value, settings=True):
            yield secret(PASSWORD, raw)
    for found in lines_with(text, text.lower(), _PROMISES):
        line = found.decode("utf-8", "replace")
        yield from (secret(PASSWORD, value.encode()) for value in _assigned(line, end))


def _ending(path: str) -> str:
    name = posixpath.basename(path.rpartition("!")[2]).lower()
    if name.startswith(".env") or name.endswith(".env"):
        return ".env"
    if name in {"credentials", "config", ".pypirc", ".npmrc", ".netrc", ".pgpass", ".my.cnf", ".boto", ".s3cfg"}:
        return ".ini"
    stem, end = posixpath.splitext(name)
    # Settings may be a module: what stands there is no caption and no type.
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
