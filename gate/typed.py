"""JSON read back as the dataclass that it was written from. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import is_dataclass
from datetime import UTC, date, datetime
from functools import cache
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

# What `typed` raises on a value of another form.
UNTYPED = (ValueError, KeyError, TypeError, AttributeError, RecursionError)


def typed(kind: Any, value: Any, text: Callable[[str], str] = str) -> Any:
    """A JSON value as a value of this type; no field of a dataclass may be missing, unknown or of another type.

    Args:
        kind: a dataclass, `X | None`, a Literal, a mapping of texts, a tuple or set of one type, or a plain type.
        value: as `json.loads` gives it.
        text: is applied to every text.

    Times come back in UTC.

    Raises:
        UNTYPED: it is of another form, or a time has no time zone.
    """
    origin, inner = get_origin(kind), get_args(kind)
    if isinstance(kind, type) and is_dataclass(kind):
        return kind(**{name: typed(each, value[name], text) for name, each in _fields(kind, value).items()})
    if origin is UnionType:
        return None if value is None else typed(inner[0], value, text)
    if origin is Mapping:
        return {text(name): typed(inner[1], each, text) for name, each in value.items()}
    if origin in (tuple, Sequence, frozenset) and isinstance(value, list):
        parts = (typed(inner[0], each, text) for each in value)
        return frozenset(parts) if origin is frozenset else tuple(parts)
    if kind in (date, datetime):
        return date.fromisoformat(value) if kind is date else moment(value)
    # 1 == True in Python, and not in JSON.
    is_known = any(each == value and type(each) is type(value) for each in inner)
    is_of_type = kind is Any or type(value) is kind or (kind is float and type(value) is int)
    if not (is_known if origin is Literal else is_of_type):
        raise ValueError(f"{value!r} is none of {', '.join(map(str, inner)) or kind}")
    return text(value) if isinstance(value, str) else value


_hints = cache(get_type_hints)


def _fields(kind: type, value: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a dataclass, with their types; the value has to hold these."""
    hints = _hints(kind)
    if wrong := sorted(hints.keys() ^ value.keys()):
        raise ValueError(f"{wrong[0]!r} is {'missing' if wrong[0] in hints else 'not known'}")
    return hints


def moment(value: str) -> datetime:
    """A time in ISO 8601, in UTC.

    Raises:
        ValueError: it is none, or has no time zone.
    """
    found = datetime.fromisoformat(value)
    if found.tzinfo is None:
        raise ValueError(f"{value!r} has no time zone")
    return found.astimezone(UTC)
