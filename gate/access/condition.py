"""Whether a condition of a statement holds for a request (IAM User Guide, "Condition operators").

Operators on numbers and binaries are decided only if their key is known to be absent, as their values are not known
before the request. Dates are compared with the time of reading, addresses with those stated in pytest.ini.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from ipaddress import ip_network

from gate.access.decision import Ternary
from gate.access.document import Condition, Statement
from gate.access.matching import (
    Context,
    NotBefore,
    OneOf,
    PartlyKnown,
    Prefix,
    SelfChosen,
    Value,
    arn_matches,
    matches,
    resolved,
    unresolvable,
)

_OPERATOR = re.compile(r"(?i)^(?:(forallvalues|foranyvalue):)?([a-z]+?)(ifexists)?$")

_Compare = Callable[[str, str, Context | None], Ternary]


def _equal_ignoring_case(pattern: str, text: str, context: Context | None) -> Ternary:
    return matches(pattern.lower(), text.lower(), context, wildcards=False)


def _unknowable(_pattern: str, _text: str, _context: Context | None) -> Ternary:
    return Ternary.UNDECIDED


def _address(pattern: str, text: str, _context: Context | None) -> Ternary:
    """Whether an address or range is in a range; undecided if only a part of it is."""
    try:
        wanted, held = ip_network(pattern, strict=False), ip_network(text, strict=False)
    except ValueError:
        return Ternary.UNDECIDED
    if wanted.version != held.version or not wanted.overlaps(held):
        return Ternary.NO
    return Ternary.YES if held.prefixlen >= wanted.prefixlen else Ternary.UNDECIDED


# ArnEquals and ArnLike are the same; Bool compares "true" and "false" and ignores letter case.
_POSITIVE: dict[str, _Compare] = {
    "stringequals": partial(matches, wildcards=False),
    "stringequalsignorecase": _equal_ignoring_case,
    "stringlike": matches,
    "arnequals": arn_matches,
    "arnlike": arn_matches,
    "bool": _equal_ignoring_case,
    "binaryequals": _unknowable,
    "ipaddress": _address,
    **{f"{kind}equals": _unknowable for kind in ("numeric", "date")},
    **{f"{kind}{than}": _unknowable for kind in ("numeric", "date") for than in ("lessthan", "lessthanequals")},
    **{f"{kind}{than}": _unknowable for kind in ("numeric", "date") for than in ("greaterthan", "greaterthanequals")},
}
_NEGATED = {
    **{name.replace(word, f"not{word}"): name for word in ("equals", "like") for name in _POSITIVE if word in name},
    "notipaddress": "ipaddress",
}


# The answer of a date operator for a time after the given one.
_PASSED = {
    **{f"date{than}": Ternary.NO for than in ("lessthan", "lessthanequals", "equals")},
    **{f"date{than}": Ternary.YES for than in ("greaterthan", "greaterthanequals", "notequals")},
}


@dataclass(frozen=True)
class _Operator:
    name: str
    quantifier: str
    compare: _Compare
    negated: bool
    if_exists: bool

    @property
    def literal(self) -> bool:
        """Whether `*` and `?` are plain characters."""
        return self.name.startswith("string") and "like" not in self.name

    def without_value(self) -> Ternary:
        """The answer for a key that is not in the request context."""
        if self.if_exists or self.quantifier == "forallvalues":
            return Ternary.YES
        return Ternary.of(self.negated and self.quantifier != "foranyvalue")


def undecided_keys(statement: Statement, context: Context) -> tuple[str, ...]:
    """The keys of the conditions that cannot be decided, for the message."""
    return tuple(each.key for each in statement.conditions if _of(statement, each, context) is Ternary.UNDECIDED)


def all_hold(statement: Statement, context: Context) -> Ternary:
    """Whether every condition of the statement holds; yes if it has none."""
    return min((_of(statement, each, context) for each in statement.conditions), default=Ternary.YES)


def _of(statement: Statement, condition: Condition, context: Context) -> Ternary:
    held = context.look(condition.key) or ()
    if not statement.allows and any(isinstance(value, SelfChosen) for value in held):
        return Ternary.UNDECIDED  # no principal chooses a value for which it is denied
    return holds(condition, context, statement.variables)


def holds(condition: Condition, context: Context, variables: bool) -> Ternary:
    """Whether one condition holds; with an unknown operator it is undecided."""
    held = context.look(condition.key)
    if condition.operator.lower() == "null":
        return _null(condition.values, held)
    operator, known = _operator(condition.operator), context if variables else None
    if operator is None:
        return Ternary.UNDECIDED
    if held is None:  # absent or not, it is not equal to what cannot be resolved
        never = all(unresolvable((each,), known) for each in condition.values) and not operator.negated
        return min(operator.without_value(), Ternary.UNDECIDED) if never else Ternary.UNDECIDED
    if not held:
        return operator.without_value()
    answers = [_one(operator, value, condition.values, known) for value in held]
    return min(answers) if operator.quantifier == "forallvalues" else max(answers)


def _operator(name: str) -> _Operator | None:
    found = _OPERATOR.match(name)
    if not found:
        return None
    quantifier, base, if_exists = (part.lower() if part else "" for part in found.groups())
    compare = _POSITIVE.get(_NEGATED.get(base, base))
    return _Operator(base, quantifier, compare, base in _NEGATED, bool(if_exists)) if compare else None


def _one(operator: _Operator, value: Value, patterns: tuple[str, ...], context: Context | None) -> Ternary:
    if isinstance(value, OneOf):
        found = {_one(operator, each, patterns, context) for each in value.values}
        return found.pop() if len(found) == 1 else Ternary.UNDECIDED
    if isinstance(value, NotBefore):
        return max(_since(operator.name, pattern, value.moment) for pattern in patterns)
    answer = max(_compared(operator, value, pattern, context) for pattern in patterns)
    if isinstance(value, SelfChosen) and operator.negated:
        return Ternary.UNDECIDED  # there may be no value with which the condition holds
    if operator.negated and unresolvable(patterns, context):
        return min(answer.opposite, Ternary.UNDECIDED)
    return answer.opposite if operator.negated else answer


def _compared(operator: _Operator, value: str | PartlyKnown, pattern: str, context: Context | None) -> Ternary:
    if isinstance(value, str):
        return operator.compare(pattern, value, context)
    found = value.matches(resolved(pattern, context) if context else pattern)
    # Without wildcards it is not known whether the rest of the value is that of the pattern.
    return min(found, Ternary.UNDECIDED) if isinstance(value, Prefix) and operator.literal else found


def _since(operator: str, pattern: str, moment: datetime) -> Ternary:
    """A date operator on a time not before the given one: decided if the time of the pattern is earlier."""
    try:
        given = datetime.fromtimestamp(int(pattern), UTC) if pattern.isdigit() else datetime.fromisoformat(pattern)
    except (ValueError, OverflowError, OSError):
        return Ternary.UNDECIDED
    passed = (given if given.tzinfo else given.replace(tzinfo=UTC)) < moment
    return _PASSED.get(operator, Ternary.UNDECIDED) if passed else Ternary.UNDECIDED


def _null(values: tuple[str, ...], held: tuple[Value, ...] | None) -> Ternary:
    if held is None:
        return Ternary.UNDECIDED
    return Ternary.of(("false" if held else "true") in (value.lower() for value in values))
