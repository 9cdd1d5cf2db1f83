"""A JSON value is read back as the dataclass that it was written from, or refused."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any, Literal

import pytest

from gate.typed import UNTYPED, typed


@dataclass(frozen=True)
class Inner:
    """A part."""

    word: Literal["yes", "no"]
    when: datetime
    day: date | None = None


@dataclass(frozen=True)
class Whole:
    """Every form that a run writes."""

    text: str
    sure: bool
    count: int
    score: float | None
    parts: tuple[Inner, ...]
    names: frozenset[str]
    more: Mapping[str, Any]


WHOLE = Whole("a", True, 1, 1.5, (Inner("yes", datetime(2026, 1, 2, tzinfo=UTC), date(2026, 1, 3)),),
              frozenset({"x", "y"}), {"z": [1, None]})  # fmt: skip


def written() -> dict[str, Any]:
    """The value as a file holds it."""
    found: dict[str, Any] = json.loads(json.dumps({**asdict(WHOLE), "names": ["x", "y"]}, default=str))
    return found


def test_what_was_written_is_read_back():
    """Times come back in UTC, lists as tuples and sets."""
    assert typed(Whole, written()) == WHOLE
    elsewhere = {"word": "no", "when": "2026-01-02T01:00:00+01:00", "day": None}
    assert typed(Inner, elsewhere) == Inner("no", datetime(2026, 1, 2, tzinfo=UTC))


def test_every_text_may_be_made_plain():
    """In keys as well."""
    assert typed(Mapping[str, tuple[str, ...]], {"a": ["b"]}, str.upper) == {"A": ("B",)}


@pytest.mark.parametrize(
    "changed",
    [
        {"text": 1}, {"text": None}, {"sure": 1}, {"sure": "yes"}, {"count": True}, {"count": "1"}, {"score": "1"},
        {"score": True}, {"parts": "ab"}, {"parts": {}}, {"parts": [None]}, {"parts": [{"word": "yes"}]},
        {"parts": [{"word": "maybe", "when": "2026-01-02T00:00:00+00:00", "day": None}]},
        {"parts": [{"word": "yes", "when": "2026-01-02T00:00:00", "day": None}]},
        {"parts": [{"word": "yes", "when": "2026-01-02T00:00:00+00:00", "day": "soon"}]},
        {"names": "xy"}, {"names": [["x"]]}, {"more": []}, {"unheard": 1},
    ],
)  # fmt: skip
def test_any_other_form_is_refused(changed):
    """A number is no yes, a text is no list, and nothing is missing or unknown."""
    with pytest.raises(UNTYPED):
        typed(Whole, {**written(), **changed})


@pytest.mark.parametrize("name", ["text", "parts", "more"])
def test_a_missing_field_is_named(name):
    """Whether or not the dataclass has a default for it."""
    found = written()
    del found[name]
    with pytest.raises(ValueError, match=f"'{name}' is missing"):
        typed(Whole, found)


@pytest.mark.parametrize("value", [None, 1, "a", [], {}])
def test_what_is_no_object_at_all_is_refused(value):
    """Nor is an empty one."""
    with pytest.raises(UNTYPED):
        typed(Whole, value)
