"""Redaction: no secret reaches the disk, whatever field or sentence it comes in. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

HIDDEN = "[redacted]"

# A field with one of these names holds a secret whatever its value looks like.
_SECRET_FIELD = re.compile(
    r"(?i)^(.*(password|passwd|secret|session_?token|authorization_?token|api_?key|private_?key|secret_?access_?key|credential)s?"
    r"|authorization|x-amz-security-token|identity_?token|.*_token|token)$"
)
# Names that end like a secret and are none: page tokens of the AWS APIs carry no authority.
_NOT_SECRET = re.compile(r"(?i)^(next_?token|continuation_?token)$")

_SHAPES = (
    # AWS access key identifiers: IAM's "unique ID prefixes".
    re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.S),
    # The query of a presigned URL (Signature Version 4 in the query string, and the older form).
    re.compile(r"(?<=\?)[^\s\"'<>]*(?:X-Amz-Signature|AWSAccessKeyId|Signature)=[^\s\"'<>]*", re.I),
    re.compile(r"\b(?:ghp|gho|ghs|ghu|github_pat)_[A-Za-z0-9_]{20,}\b"),
    re.compile(r"\bey[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\b"),
    re.compile(r"(?i)(?<=basic )[A-Za-z0-9+/=]{16,}|(?<=bearer )[A-Za-z0-9._~+/=-]{16,}"),
    re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"),
)


# A record repeats the names of its fields, and a run what it was told before.
@lru_cache(maxsize=10_000)
def _without_shapes(text: str) -> str:
    for shape in _SHAPES:
        text = shape.sub(HIDDEN, text)
    return text


class Redactor:
    """Hides secrets by field name, by shape, and by value for those that the run itself was given."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._known: set[str] = set()
        self.learn(known)

    def learn(self, secrets: Iterable[str]) -> None:
        """Hide these values from now on; values under eight characters would hide ordinary words."""
        self._known.update(secret for secret in secrets if len(secret) >= 8)  # noqa: PLR2004

    def text(self, text: str) -> str:
        """The text with every secret replaced."""
        for secret in sorted(self._known, key=len, reverse=True):
            text = text.replace(secret, HIDDEN)
        return _without_shapes(text)

    def value(self, value: Any) -> Any:
        """A JSON-like value with every secret replaced, in keys as well."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(str(key)): self._field(str(key), inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(inner) for inner in value]
        return value

    def _field(self, name: str, value: Any) -> Any:
        # Only a text can be a secret: "passwords": 3 is a count, and a nested object is looked into.
        if isinstance(value, str) and value and _SECRET_FIELD.match(name) and not _NOT_SECRET.match(name):
            return HIDDEN
        return self.value(value)
