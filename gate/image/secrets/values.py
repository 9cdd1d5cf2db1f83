"""A secret as it is reported, the names that announce one, and the values that are none. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

# How much of a line is kept before and after a match, in bytes: no known token is longer.
_CONTEXT = 2048
# Names that announce a secret. "key" alone does not ("SORT_KEY"); "access key" does.
_SECRET_NAME = re.compile(
    r"passw(?:or)?d|passwd|passphrase|passwort|(?:^|_)(?:pass|pwd|pw)(?:_|$)|secret|credential|contrase"
    r"|(?:api|auth|access|account|private|master|encryption|signing|service|license|admin|root|deploy|ssh|hmac|aes|fernet|jwt)_?key"
    r"|(?:^|_)token(?:_|$)|(?:access|auth|bot|refresh|session|bearer|api|id|push|deploy|npm|github|gitlab|slack)_?token"
)
# Last words of a name that describes a secret and does not hold it: its name, its location, a property of it.
_DESCRIPTIVE = frozenset(
    re.findall(
        r"\w+",
        """
    name names arn arns path paths param params parameter parameters id ids identifier file filename files folder dir
    directory location url uri endpoint host region stage prefix suffix alias label title text hint help placeholder
    message error errors header headers field fields column type types kind class algorithm algo alg method scheme mode
    format encoding version versions length len size min max limit limits count counts number index ttl expiry expires
    expiration expire timeout lifetime age interval days hours minutes seconds date time at on rotation required enabled
    disabled allowed supported optional policy policies rules rule regex pattern validator validators validation
    strength hash hashed hashes salt digest sha md checksum fingerprint thumbprint hasher hashers manager
    provider backend engine store storage source service client
    loader reader resolver factory handler helper form view page template env variable var key_name usage usages bucket
    table queue topic group role re regexp reset change changed confirm confirmation prompt audience issuer
    scope scopes ref refs
    lookup kms bucket rate backend
    """,
    )
)
# Words that placeholder values consist of. Schemas and forms have the names of types there.
_PLACEHOLDER_WORDS = frozenset(
    re.findall(
        r"\w+",
        """
    password passwd passwort pass pwd pw secret secrets token tokens key keys apikey api auth credential credentials
    username user login name me you your yours my mine our the a an some any this that here there value values string
    str text int bool integer boolean number object array null none nil undefined void true false yes no on off default
    example examples sample samples dummy fake mock foo bar baz qux spam eggs test tests testing tester demo changeme
    change changeit replace replaceme insert enter put fill set todo tbd fixme placeholder redacted masked hidden
    removed omitted private public access
    account basic bearer required optional unset empty is not with for of in to and or
    please client server service app application x xx xxx xxxx xxxxx abc abcd foobar
    """,
    )
)
# Tokens that give no access: pagination, idempotency and CSRF tokens, and the tokens of a text.
_HARMLESS_TOKEN = re.compile(
    r"(?:^|_)(?:next|input|output|continuation|page|pagination|idempotency|request|start|starting|sync|change|lock|csrf|xsrf"
    r"|pad|eos|bos|unk|sep|cls|mask|special|stop|cancellation|cancel)_token"
)
_REFERENCES = re.compile(
    r"arn:aws[\w-]*:|ENC[\[(]|[$%]\{|\$\(|\$[A-Za-z_]|%\(|%[A-Za-z_]+%|\{|<|\[|!(?:Ref|Sub|GetAtt)\b|@@|#\{"
    r"|(?:env|file|vault|ssm|secret|secrets|secretsmanager|aws-sm|awssm|gcpsm|op|sm|resolve|ref|kms)(?::|//)|https?://[^@\s]*$"
    r"|(?:os\.|process\.|self\.|this\.|config\.|settings\.|environ)",
    re.I,
)
_PATH = re.compile(r"(?:~|\.{1,2})?/[\w.@:-]+(?:/[\w.@:-]+)*/?|[A-Za-z]:\\[\w\\ .-]+")
# The name of a secret in a secret store: prod/shop/api-key, my-db-secret, projects/p/secrets/s.
_STORED = re.compile(r"[a-z][a-z_.]*\d{0,2}(?:[/:-][a-z][a-z_.]*\d{0,3})+")
# AWS secret keys are base64 of 30 bytes, and may begin with a slash.
_AWS_SECRET = re.compile(r"(?=.*[A-Z])(?=.*[a-z])(?=.*\d)[A-Za-z0-9/+]{40}")
_WORDS = re.compile(r"[a-z]+|[A-Z]+(?![a-z])|[A-Z][a-z]+|\d+")
_FEW_CHARACTERS = 3
_SHORTEST = 4


@dataclass(frozen=True)
class Secret:
    """A secret that was found: its kind, and the sha-256 of its text. The text itself is never kept."""

    kind: str
    fingerprint: str

    @classmethod
    def of(cls, kind: str, text: bytes) -> Secret:
        """The secret with this text."""
        return cls(kind, hashlib.sha256(text).hexdigest())


def lines_with(text: bytes, searched: bytes, patterns: Iterable[re.Pattern[bytes]]) -> Iterator[bytes]:
    """The lines that match one of the patterns, each once; of a very long line only what surrounds the match.

    Args:
        text: the lines.
        searched: the same text as the patterns expect it, such as in lower case.
        patterns: what to look for.
    """
    seen = -1
    for start, end in sorted(match.span() for pattern in patterns for match in pattern.finditer(searched)):
        if start >= seen:
            begin = max(text.rfind(b"\n", max(0, start - _CONTEXT), start) + 1, start - _CONTEXT, 0)
            stop = text.find(b"\n", end, end + _CONTEXT)
            seen = stop if stop >= 0 else min(len(text), end + _CONTEXT)
            yield text[begin:seen]


def words_of(name: str) -> list[str]:
    """The words of a name, lower case: DB_SECRET_ARN, dbSecretArn and db-secret-arn are db, secret, arn."""
    return [word.lower() for word in _WORDS.findall(name)]


def names_secret(name: str) -> bool:
    """Whether a variable or field of this name should hold a secret, and not its name, location or a property of it."""
    words = words_of(name)
    while len(words) > 1 and words[-1].isdigit():
        words.pop()
    if not words or words[-1] in _DESCRIPTIVE or words[0] in {"is", "has", "no", "use", "needs", "allow", "enable"}:
        return False
    joined = "_".join(words)
    return _SECRET_NAME.search(joined) is not None and _HARMLESS_TOKEN.search(joined) is None


def is_reference(value: str) -> bool:
    """Whether a value says where a secret is (an ARN, a path, a variable, its name in a store), or is encrypted."""
    if _AWS_SECRET.fullmatch(value):
        return False
    stored = "/" in value and _STORED.fullmatch(value)
    return bool(_REFERENCES.match(value) or _PATH.fullmatch(value) or stored)


def is_placeholder(value: str) -> bool:
    """Whether a value is a placeholder, as documentation has them: your-password, <token>, xxxx, ***."""
    bare = value.strip().strip("\"'`")
    if len(set(bare.lower())) <= _FEW_CHARACTERS or "..." in bare or "…" in bare or "***" in bare:
        return True
    if re.search(
        r"example|placeholder|change[_-]?(?:me|it)|replace[_-]?me|redacted|your[_-]|dummy|xxxx|insert[_-]", bare, re.I
    ):
        return True
    words = words_of(bare)
    return not words or all(word in _PLACEHOLDER_WORDS or word in {"1", "12", "123", "1234", "12345"} for word in words)


def is_secret_value(value: str) -> bool:
    """Whether a value under the name of a secret is one: neither a reference nor a placeholder."""
    bare = value.strip()
    return len(bare) >= _SHORTEST and not is_reference(bare) and not is_placeholder(bare)


def is_used_value(value: str) -> bool:
    """The same for a value that a program is started with: there "changeme" may be the password in use.

    Empty and masked values, numbers of up to four digits, and yes or no are no secrets.
    """
    bare = value.strip()
    nothing = re.fullmatch(r"\d{1,4}|true|false|yes|no|on|off|none|null||([x*•._-])\1*", bare, re.I)
    return nothing is None and not is_reference(bare)
