"""Whether a pattern of a policy, with wildcards and policy variables, matches a value of the request context."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from fnmatch import translate
from functools import lru_cache

from gate.access.decision import Ternary
from gate.access.document import Statement

# ${*}, ${?} and ${$} are the characters themselves; ${key, 'default'} is the value of a context key.
_VARIABLE = re.compile(r"\$\{(?P<literal>[*?$])\}|\$\{(?P<key>[^{},]+)(?:,\s*'(?P<default>[^']*)')?\}")
_ARN_FIELDS = 6
_ACCOUNT_FIELD = 4


@dataclass(frozen=True)
class OutsideAccount:
    """An account other than this one, or an ARN of such an account; the principal chooses which."""

    account: str

    def matches(self, pattern: str) -> Ternary:
        """No if the pattern requires this account; else there may be a value that matches."""
        if pattern == "*":
            return Ternary.YES
        fields = pattern.split(":", _ARN_FIELDS - 1)
        bound = pattern == self.account or (
            len(fields) == _ARN_FIELDS and fields[0] == "arn" and fields[_ACCOUNT_FIELD] == self.account
        )
        return Ternary.NO if bound else Ternary.UNDECIDED


@dataclass(frozen=True)
class Prefix:
    """A value of which only the beginning is known, such as the path of an organizational unit."""

    text: str

    def matches(self, pattern: str) -> Ternary:
        """Yes if a wildcard covers whatever follows, no if the known part already differs."""
        head = re.split(r"[*?]|\$\{", pattern, maxsplit=1)[0]
        if not (head.startswith(self.text) or self.text.startswith(head)):
            return Ternary.NO
        return Ternary.YES if pattern == f"{head}*" and self.text.startswith(head) else Ternary.UNDECIDED


@dataclass(frozen=True)
class SelfChosen:
    """A value that the principal can set itself, such as a tag, to what the statement asks for."""

    def matches(self, _pattern: str) -> Ternary:
        """Always yes."""
        return Ternary.YES


@dataclass(frozen=True)
class OneOf:
    """One of several values; which one is not known."""

    values: tuple[str, ...]


@dataclass(frozen=True)
class NotBefore:
    """A time, in UTC, that is not before the given one."""

    moment: datetime


PartlyKnown = OutsideAccount | Prefix | SelfChosen
Value = str | PartlyKnown | OneOf | NotBefore


@dataclass(frozen=True)
class Context:
    """The known part of a request context.

    Attributes:
        known: the values by key in lower case; () for a key that is absent, None for one that is not known.
        complete: prefixes of keys that are absent unless they are in `known`.
        absent: prefixes of keys that are absent in any case.
    """

    known: Mapping[str, tuple[Value, ...] | None] = field(default_factory=dict)
    complete: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()

    def look(self, key: str) -> tuple[Value, ...] | None:
        """The values of a context key, () if it is absent, None if it is not known."""
        lower = key.lower()
        if lower.startswith(self.absent):
            return ()
        if lower in self.known:
            return self.known[lower]
        return () if lower.startswith(self.complete) else None

    def with_more(self, more: Mapping[str, tuple[Value, ...] | None], complete: tuple[str, ...] = ()) -> Context:
        """This context with further known values."""
        return replace(self, known={**self.known, **more}, complete=self.complete + complete)


NOTHING = Context()


def matches(pattern: str, text: str, context: Context | None = None, *, wildcards: bool = True) -> Ternary:
    """Whether a pattern matches a text.

    Args:
        pattern: with `*` and `?`, unless `wildcards` is false.
        text: the text.
        context: the values of policy variables; None if the Version of the policy has no variables.
        wildcards: whether `*` and `?` outside of `${…}` are wildcards.
    """
    if unresolvable((pattern,), context):
        return Ternary.NO
    parts, certain, position = [], True, 0
    plain = _brackets_escaped if wildcards else glob.escape
    for found in _VARIABLE.finditer(pattern) if context is not None else ():
        value = found["literal"] or _variable(found["key"], found["default"], context or NOTHING)
        parts += [plain(pattern[position : found.start()]), "*" if value is None else glob.escape(value)]
        certain, position = certain and value is not None, found.end()
    if not _expression("".join((*parts, plain(pattern[position:])))).match(text):
        return Ternary.NO
    return Ternary.YES if certain else Ternary.UNDECIDED


def arn_matches(pattern: str, arn: str, context: Context | None = None) -> Ternary:
    """Whether a pattern matches an ARN, as a whole and field by field.

    IAM compares each of the six fields separately; a match for which a wildcard must span fields is undecided.
    """
    whole = matches(pattern, arn, context)
    if pattern == "*" or whole is Ternary.NO:
        return whole
    # The colon in ${aws:username} does not separate fields.
    fields = re.sub(r"\$\{[^}]*\}", lambda found: found[0].replace(":", "\1"), pattern).split(":", _ARN_FIELDS - 1)
    parts = arn.split(":", _ARN_FIELDS - 1)
    if len(fields) != len(parts):
        return Ternary.UNDECIDED
    pairs = zip(fields, parts, strict=True)
    by_field = min(matches(wanted.replace("\1", ":"), part, context) for wanted, part in pairs)
    return min(whole, max(by_field, Ternary.UNDECIDED))


def unresolvable(patterns: Iterable[str], context: Context | None) -> bool:
    """Whether a pattern has a variable whose key is absent and has no default: it matches nothing.

    AWS may take the whole statement as invalid then (IAM User Guide, "Policy elements: variables and tags"), so what
    follows from not matching is not certain.
    """
    return context is not None and any(
        found["key"] and found["default"] is None and context.look(found["key"].strip()) == ()
        for each in patterns
        if "${" in each
        for found in _VARIABLE.finditer(each)
    )


def resolved(pattern: str, context: Context) -> str:
    """The pattern with the values of its variables; those that are not known stay as they are."""
    return _VARIABLE.sub(
        lambda found: (found["key"] and _variable(found["key"], found["default"], context)) or found[0], pattern
    )


def expanded(pattern: str, context: Context) -> str:
    """The pattern with the values of its variables, `*` for a value that is not known."""
    return _VARIABLE.sub(
        lambda found: found["literal"] or _variable(found["key"], found["default"], context) or "*", pattern
    )


@lru_cache(maxsize=65_536)  # the policies of an account repeat the same few patterns
def action_matches(pattern: str, action: str) -> bool:
    """Whether a pattern of an Action element covers an action; letter case is ignored."""
    return bool(matches(pattern.lower(), action.lower()))


def covers(statement: Statement, action: str) -> bool:
    """Whether the statement's Action or NotAction element covers an action."""
    return any(action_matches(each, action) for each in statement.actions) is not statement.excepting_actions


def _variable(key: str, default: str | None, context: Context) -> str | None:
    values = context.look(key.strip())
    if values == () and default is not None:
        return default
    single = values[0] if values and len(values) == 1 else None
    return single if isinstance(single, str) else None


def _brackets_escaped(text: str) -> str:
    return text.replace("[", "[[]")  # a set of characters for `fnmatch`, and a plain character for IAM


@lru_cache(maxsize=16_384)
def _expression(pattern: str) -> re.Pattern[str]:
    # The expressions of `fnmatch` have atomic groups, so that no pattern needs exponential time.
    return re.compile(translate(pattern))
