"""Tokens of known kinds, by the patterns of detect-secrets and of a few newer kinds. Pure.

detect-secrets works line by line, and an image holds a gigabyte: it is given only the lines in which a quick search
finds the beginning of a token.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from gate.image.secrets.values import Secret, is_placeholder, lines_with
from gate.image.tree import ELF_MAGIC

_JWT = "JSON Web Token"
# What every token of a known kind begins with or contains. Each is a pattern of its own that begins with fixed
# characters: Python searches a gigabyte for it in half a second, and for one with alternatives in half a minute.
_TOKENS = tuple(
    re.compile(pattern)
    for pattern in (
        rb"AKIA[A-Z0-9]{16}",
        rb"ASIA[A-Z0-9]{16}",
        rb"ABIA[A-Z0-9]{16}",
        rb"ACCA[A-Z0-9]{16}",
        rb"A3T[A-Z0-9]{17}",
        rb"gh[pousr]_[A-Za-z0-9]{30}",
        rb"github_pat_\w{22}",
        rb"xox[a-z][.-]",
        rb"hooks\.slack\.com/services/T",
        rb"k_live_",
        rb"SG\.[\w-]{22}\.",
        rb"gl[a-z]{2,6}-[\w-]{20}",
        rb"GR1348941",
        rb"AIza[\w-]{35}",
        rb"GOCSPX-",
        rb"npm_[A-Za-z0-9]{36}",
        rb"_authToken",
        rb"\.eyJ",
        rb"AccountKey=",
        rb"T3BlbkFJ",
        rb"sk-(?:ant|proj|svcacct)-",
        rb"pypi-AgE",
        rb"sq0csp-",
        rb"dop_v1_",
        rb"hf_[A-Za-z]{34}",
        rb":[A-Za-z0-9_-]{35}",
        rb"\.[\w-]{6}\.[\w-]{27}",
        rb"-us\d{1,2}(?!\w)",
        rb"AC[0-9a-f]{32}",
        rb"SK[0-9a-f]{32}",
        rb"\"[0-9a-zA-Z/+]{40}\"",
        rb"'[0-9a-zA-Z/+]{40}'",
    )
)
# Kinds that detect-secrets does not know; prefixes as the issuers document them (secret scanning partners).
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
# Further issuers; these are not looked for in ELF programs, of which an image holds hundreds of megabytes.
_ISSUERS = {
    "Slack Token": rb"xapp-\d-[A-Z0-9]+-\d+-[0-9a-f]{32,}",
    "Slack Webhook": rb"hooks\.slack\.com/(?:workflows|triggers)/[\w/]{20,}",
    "Azure Shared Access Signature": rb"sig=[A-Za-z0-9%]{43,}%3[Dd]",
    "Azure Shared Access Key": rb"SharedAccessKey=[A-Za-z0-9+/]{43}=",
    "HashiCorp Vault Token": rb"hv[sb]\.(?=[\w-]*[A-Z])[\w-]{24,}",
    "Databricks Token": rb"dapi[0-9a-f]{32}(?![0-9a-f])",
    "age Secret Key": rb"AGE-SECRET-KEY-1[A-Z0-9]{58}",
    "Shopify Token": rb"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}",
    "Atlassian Token": rb"ATATT3xFf[\w=-]{50,}",
    "New Relic Key": rb"NRAK-[A-Z0-9]{27}",
    "Grafana Token": rb"gl(?:sa|c)_[\w+/]{30,}",
    "Docker Token": rb"dckr_[op]at_[\w-]{27,}",
    "Sentry Token": rb"sntry[su]_[\w+/=-]{40,}",
    "Google Refresh Token": rb"1//0[\w-]{40,}",
}
_NEWER_KINDS, _ISSUER_KINDS = (
    tuple((kind, re.compile(pattern)) for kind, pattern in kinds.items()) for kinds in (_NEWER, _ISSUERS)
)


# The plugins of detect-secrets for tokens; those for keywords, entropy and URLs are not used.
_PLUGINS = (
    "aws",
    "azure_storage_key",
    "discord",
    "github_token",
    "gitlab_token",
    "jwt",
    "mailchimp",
    "npm",
    "openai",
    "pypi_token",
    "sendgrid",
    "slack",
    "square_oauth",
    "stripe",
    "telegram_token",
    "twilio",
)


@cache
def _detectors() -> tuple[Any, ...]:
    # Imported at first use: only an inspection of an image needs it, and collection must stay fast.
    from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class

    classes: list[Any] = list(get_mapping_from_secret_type_to_class().values())
    plugins = {each.__module__.rpartition(".")[2]: each for each in classes}
    return tuple(plugins[name]() for name in _PLUGINS)


def tokens_in(text: bytes, *, binary: bool) -> Iterator[Secret]:
    """The tokens in the content of a file; `binary` where it is no text."""
    for line in lines_with(text, text, _TOKENS):
        yield from _tokens_of_line(line, binary=binary)
    for kind, pattern in () if text.startswith(ELF_MAGIC) else _ISSUER_KINDS:
        for found in pattern.finditer(text):
            piece = text[found.start() - 1 : found.start()].isalnum()  # of a longer word, such as base64
            # A name in a program may begin alike.
            if not piece and re.search(rb"\d.*\d", found.group()) and not _is_example(found.group()):
                yield Secret.of(kind, found.group())


def _tokens_of_line(line: bytes, *, binary: bool) -> Iterator[Secret]:
    for kind, pattern in _NEWER_KINDS:
        for found in pattern.finditer(line):
            if not _is_example(found.group()):
                yield Secret.of(kind, found.group())
    readable = line.decode("latin-1")
    for detector in _detectors():
        for value in _matches(detector, readable):
            # In a binary, up to two characters beside a token need not belong to it. The JWT pattern ends before the
            # last part of the token.
            whole = detector.secret_type == _JWT or _is_whole(readable, value, 3 if binary else 1)
            if whole and not _is_example(value.encode("latin-1")):
                yield Secret.of(detector.secret_type, value.encode("latin-1"))


def _matches(detector: Any, line: str) -> Iterator[str]:
    """The whole matches of a detector's patterns; `analyze_string` gives only the groups of those that have any."""
    for pattern in detector.denylist:
        for found in pattern.finditer(line):
            if not hasattr(detector, "is_formally_valid") or detector.is_formally_valid(found.group()):
                yield found.group()


def _is_whole(line: str, value: str, run: int) -> bool:
    """Whether a token occurs in its line without being a piece of a longer word, such as a hash.

    Args:
        line: the line.
        value: the token.
        run: how many letters or digits directly before or after the token make it a piece.
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


def _is_example(value: bytes) -> bool:
    """Whether a token is an example of documentation: it says so (AKIA…EXAMPLE), repeats a character, or counts up."""
    text = value.decode("latin-1")
    tail = re.split(r"[_-]", text)[-1]
    counted = "0123456789abcdef" in text.lower() and len(set(tail.lower())) <= 16 and len(text) > 30  # noqa: PLR2004 - the digits of a hash
    return is_placeholder(text) or counted or "eyJzdWIiOiIxMjM0NTY3ODkwI" in text
