"""Wildcards and policy variables: whether a pattern of a policy matches a concrete text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from gate.access.decision import Ternary

_MANY, _ONE = "\0*", "\0?"
# ${*}, ${?} and ${$} stand for the characters themselves; ${key, 'default'} names a value of the request.
_VARIABLE = re.compile(r"\$\{(?P<literal>[*?$])\}|\$\{(?P<key>[^{},]+)(?:,\s*'(?P<default>[^']*)')?\}")
_ARN_FIELDS = 6
_ACCOUNT_FIELD = 4


@dataclass(frozen=True)
class OutsideAccount:
    """Some account but this one, or some ARN that does not lie in this account: which, the asker chooses."""

    account: str

    def matches(self, pattern: str) -> Ternary:
        """No where the pattern ties the value to this account; else the asker may well find a value."""
        if pattern == "*":
            return Ternary.YES
        fields = pattern.split(":", _ARN_FIELDS - 1)
        bound = pattern == self.account or (
            len(fields) == _ARN_FIELDS and fields[0] == "arn" and fields[_ACCOUNT_FIELD] == self.account
        )
        return Ternary.NO if bound else Ternary.UNDECIDED


@dataclass(frozen=True)
class Prefix:
    """A value of which only the beginning is known, such as an organization's path behind its identifier."""

    text: str

    def matches(self, pattern: str) -> Ternary:
        """Yes where a wildcard covers whatever follows, no where the known part differs already."""
        head = re.split(r"[*?]|\$\{", pattern, maxsplit=1)[0]
        if not (head.startswith(self.text) or self.text.startswith(head)):
            return Ternary.NO
        return Ternary.of(True) if pattern == f"{head}*" and self.text.startswith(head) else Ternary.UNDECIDED


@dataclass(frozen=True)
class SelfChosen:
    """A value that the asker can give itself, such as a tag that it may set: the one that a statement asks for."""

    def matches(self, _pattern: str) -> Ternary:
        """Whatever is asked for."""
        return Ternary.YES


@dataclass(frozen=True)
class OneOf:
    """One of several values, as the place from which a request comes: which of them, is not known."""

    values: tuple[str, ...]


@dataclass(frozen=True)
class NotBefore:
    """A moment at or after the one in which the account was read, in UTC."""

    moment: datetime


PartlyKnown = OutsideAccount | Prefix | SelfChosen
Value = str | PartlyKnown | OneOf | NotBefore


@dataclass(frozen=True)
class Context:
    """What is known of a request: a key is known with its values, known to be absent (), or unknown.

    Attributes:
        known: values by key, None for one of which nothing is known; keys in lower case.
        complete: beginnings of keys of which every one that is not in `known` is known to be absent.
    """

    known: Mapping[str, tuple[Value, ...] | None] = field(default_factory=dict)
    complete: tuple[str, ...] = ()

    def look(self, key: str) -> tuple[Value, ...] | None:
        """The values of a context key, () when it is absent, None when nothing is known."""
        lower = key.lower()
        if lower in self.known:
            return self.known[lower]
        return () if lower.startswith(self.complete) else None

    def with_more(self, more: Mapping[str, tuple[Value, ...] | None], complete: tuple[str, ...] = ()) -> Context:
        """This context and what else is known."""
        return Context({**self.known, **more}, self.complete + complete)


NOTHING = Context()


def matches(pattern: str, text: str, context: Context | None = None, *, wildcards: bool = True) -> Ternary:
    """Whether a pattern matches.

    Args:
        pattern: with `*` and `?`, unless `wildcards` is false.
        text: the concrete text.
        context: gives the variables' values; None where the policy's Version knows no variables.
        wildcards: whether `*` and `?` outside of `${…}` mean anything.
    """
    tokens, certain = _tokens(pattern, context, wildcards)
    if not _glob(tokens, text):
        return Ternary.NO
    return Ternary.YES if certain else Ternary.UNDECIDED


def arn_matches(pattern: str, arn: str, context: Context | None = None) -> Ternary:
    """Whether a pattern for ARNs matches: as a whole, and field by field.

    IAM compares the six fields each for itself; a wildcard that would have to span fields is left undecided.
    """
    whole = matches(pattern, arn, context)
    if pattern == "*" or whole is Ternary.NO:
        return whole
    # A colon inside ${aws:username} divides nothing.
    fields = re.sub(r"\$\{[^}]*\}", lambda found: found[0].replace(":", "\1"), pattern).split(":", _ARN_FIELDS - 1)
    parts = arn.split(":", _ARN_FIELDS - 1)
    if len(fields) != len(parts):
        return Ternary.UNDECIDED
    pairs = zip(fields, parts, strict=True)
    by_field = min(matches(wanted.replace("\1", ":"), part, context) for wanted, part in pairs)
    return min(whole, max(by_field, Ternary.UNDECIDED))


def expanded(pattern: str, context: Context) -> str:
    """The pattern with the values of its variables in their places; `*` where a value is not known."""
    return _VARIABLE.sub(
        lambda found: found["literal"] or _variable(found["key"], found["default"], context) or "*", pattern
    )


@lru_cache(maxsize=65_536)  # an account says the same few patterns thousands of times
def action_matches(pattern: str, action: str) -> bool:
    """Whether an Action's pattern covers an action; both the prefix and the name ignore case."""
    return _glob(_tokens(pattern.lower(), None, True)[0], action.lower())


def _tokens(pattern: str, context: Context | None, wildcards: bool) -> tuple[list[str], bool]:
    tokens: list[str] = []
    certain, position = True, 0
    for found in _VARIABLE.finditer(pattern) if context is not None else ():
        tokens += _plain(pattern[position : found.start()], wildcards)
        value = found["literal"] or _variable(found["key"], found["default"], context or NOTHING)
        tokens += [_MANY] if value is None else list(value)
        certain, position = certain and value is not None, found.end()
    return tokens + _plain(pattern[position:], wildcards), certain


def _plain(text: str, wildcards: bool) -> list[str]:
    special = {"*": _MANY, "?": _ONE} if wildcards else {}
    return [special.get(character, character) for character in text]


def _variable(key: str, default: str | None, context: Context) -> str | None:
    values = context.look(key.strip())
    if values == () and default is not None:
        return default
    single = values[0] if values and len(values) == 1 else None
    return single if isinstance(single, str) else None


def _glob(tokens: list[str], text: str) -> bool:
    # Greedy with one point of return: linear memory, and no pattern makes it explode as a regular expression would.
    at = position = mark = 0
    star = -1
    while position < len(text):
        if at < len(tokens) and tokens[at] == _MANY:
            star, mark = at, position
            at += 1
        elif at < len(tokens) and tokens[at] in (_ONE, text[position]):
            at, position = at + 1, position + 1
        elif star >= 0:
            mark += 1
            at, position = star + 1, mark
        else:
            return False
    return all(token == _MANY for token in tokens[at:])
