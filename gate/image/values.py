"""Whether a name promises a secret, and whether a text is the secret itself or only speaks of one. Pure."""

from __future__ import annotations

import re

# What a name promises, in words. A key alone promises nothing ("SORT_KEY"); an access key does.
_PROMISING = re.compile(
    r"passw(?:or)?d|passwd|passphrase|passwort|(?:^|_)(?:pass|pwd|pw)(?:_|$)|secret|credential|contrase"
    r"|(?:api|auth|access|account|private|master|encryption|signing|service|license|admin|root|deploy|ssh)_?key"
    r"|(?:^|_)token(?:_|$)|(?:access|auth|bot|refresh|session|bearer|api|id|push|deploy|npm|github|gitlab|slack)_?token"
)
# The last words of a name that speaks of a secret and holds none: its name, its place, a property of it.
_SPEAKING = frozenset(
    re.findall(
        r"\w+",
        """
    name names arn arns path paths param params parameter parameters id ids identifier file filename files folder dir
    directory location url uri endpoint host region stage prefix suffix alias label title text hint help placeholder
    message error errors header headers field fields column type types kind class algorithm algo alg method scheme mode
    format encoding version versions length len size min max limit limits count counts number index ttl expiry expires
    expiration expire timeout lifetime age interval days hours minutes seconds date time at on rotation required enabled
    disabled allowed supported optional policy policies rules rule regex pattern validator validators validation
    strength hash hashed hashes salt digest hasher hashers manager
    provider backend engine store storage source service client
    loader reader resolver factory handler helper form view page template env variable var key_name usage usages bucket
    table queue topic group role re regexp reset change changed confirm confirmation prompt audience issuer
    scope scopes ref refs
    lookup kms bucket rate backend
    """,
    )
)
# Words that a value is made of when it only speaks of one. Type names are what schemas and forms put there.
_EMPTY_WORDS = frozenset(
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
# Tokens that open nothing: they say where a listing goes on, that a request is the same one, or are words of a text.
_OPEN_TOKEN = re.compile(
    r"(?:^|_)(?:next|input|output|continuation|page|pagination|idempotency|request|start|starting|sync|change|lock|csrf|xsrf"
    r"|pad|eos|bos|unk|sep|cls|mask|special|stop|cancellation|cancel)_token"
)
_REFERENCES = re.compile(
    r"arn:aws[\w-]*:|[$%]\{|\$\(|\$[A-Za-z_]|%\(|%[A-Za-z_]+%|\{|<|\[|!(?:Ref|Sub|GetAtt)\b|@@|#\{"
    r"|(?:env|file|vault|ssm|secret|secrets|secretsmanager|aws-sm|awssm|gcpsm|op|sm|resolve|ref|kms)(?::|//)|https?://[^@\s]*$"
    r"|(?:os\.|process\.|self\.|this\.|config\.|settings\.|environ)",
    re.I,
)
_PATH = re.compile(r"(?:~|\.{1,2})?/[\w.@:-]+(?:/[\w.@:-]+)*/?|[A-Za-z]:\\[\w\\ .-]+")
# The words of a store's own name for a secret: prod/naver/api-key, my-db-secret, projects/p/secrets/s.
_STORED = re.compile(r"[a-z][a-z_.]*\d{0,2}(?:[/:-][a-z][a-z_.]*\d{0,3})+")
# AWS secret keys are base64 of 30 bytes, and may begin with a slash.
_AWS_SECRET = re.compile(r"(?=.*[A-Z])(?=.*[a-z])(?=.*\d)[A-Za-z0-9/+]{40}")
_WORDS = re.compile(r"[a-z]+|[A-Z]+(?![a-z])|[A-Z][a-z]+|\d+")
_FEW_CHARACTERS = 3
_SHORTEST = 4


def words_of(name: str) -> list[str]:
    """The words of a name, lower case: DB_SECRET_ARN, dbSecretArn and db-secret-arn are db, secret, arn."""
    return [word.lower() for word in _WORDS.findall(name)]


def promises_secret(name: str) -> bool:
    """Whether a variable or field of this name holds a secret, rather than a secret's name, place or property."""
    words = words_of(name)
    while len(words) > 1 and words[-1].isdigit():
        words.pop()
    if not words or words[-1] in _SPEAKING or words[0] in {"is", "has", "no", "use", "needs", "allow", "enable"}:
        return False
    joined = "_".join(words)
    return _PROMISING.search(joined) is not None and _OPEN_TOKEN.search(joined) is None


def is_reference(value: str) -> bool:
    """Whether a value says where a secret is: an ARN, a path, a variable, a store's name for it."""
    if _AWS_SECRET.fullmatch(value):
        return False
    return bool(_REFERENCES.match(value) or _PATH.fullmatch(value) or _names_stored(value))


def _names_stored(value: str) -> bool:
    return "/" in value and _STORED.fullmatch(value) is not None


def is_placeholder(value: str) -> bool:
    """Whether a value only stands in the place of a secret, as in documentation: your-password, <token>, xxxx, ***."""
    bare = value.strip().strip("\"'`")
    if len(set(bare.lower())) <= _FEW_CHARACTERS or "..." in bare or "…" in bare or "***" in bare:
        return True
    if re.search(
        r"example|placeholder|change[_-]?(?:me|it)|replace[_-]?me|redacted|your[_-]|dummy|xxxx|insert[_-]", bare, re.I
    ):
        return True
    words = words_of(bare)
    return not words or all(word in _EMPTY_WORDS or word in {"1", "12", "123", "1234", "12345"} for word in words)


def is_secret_value(value: str) -> bool:
    """Whether a value under a promising name is a secret: it neither refers elsewhere nor stands for one."""
    bare = value.strip()
    return len(bare) >= _SHORTEST and not is_reference(bare) and not is_placeholder(bare)


def is_used_value(value: str) -> bool:
    """The same for a value that a program is really started with: there even "changeme" opens a door.

    What is empty, crossed out, a number of no more than four digits, or a yes or no opens none.
    """
    bare = value.strip()
    nothing = re.fullmatch(r"\d{1,4}|true|false|yes|no|on|off|none|null||([x*•._-])\1*", bare, re.I)
    return nothing is None and not is_reference(bare)
