"""Facts: gathered once however many ask, and missing ones, which fail only what needs them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self, TypeVar, overload

from gate.errors import GateError

T = TypeVar("T")
_TIMES = "_times"


class CachedProperty(cached_property[T]):
    """functools.cached_property for threads: whoever asks while the value is computed waits for it.

    That of Python 3.12 and later takes no lock: two threads that ask at once would run a sandbox twice.
    An exception is not kept: the next who asks computes again. When it was computed is kept, for `times_of`.
    """

    keeps_error = False

    @overload
    def __get__(self, instance: None, owner: type[Any] | None = None) -> Self: ...

    @overload
    def __get__(self, instance: object, owner: type[Any] | None = None) -> T: ...

    def __get__(self, instance: object, owner: type[Any] | None = None) -> Self | T:
        if instance is None:
            return self
        with instance.__dict__.setdefault(f"_{self.attrname}_lock", threading.RLock()):
            known = instance.__dict__
            if self.attrname in known:
                return super().__get__(instance, owner)
            if failure := known.get(f"{self.attrname} failed"):
                raise failure
            began = time.monotonic()
            try:
                return super().__get__(instance, owner)
            except Exception as error:
                if self.keeps_error:
                    known[f"{self.attrname} failed"] = error
                raise
            finally:
                known.setdefault(_TIMES, {})[self.attrname] = (began, time.monotonic())


class made_once(CachedProperty[T]):  # noqa: N801 - used as a decorator, as `property` is
    """A CachedProperty whose error is kept too, and raised again: what was refused is not tried again."""

    keeps_error = True


def times_of(instance: object) -> Mapping[str, tuple[float, float]]:
    """When each fact of an object began and ended to be computed, by its name, in seconds of `time.monotonic`."""
    times: dict[str, tuple[float, float]] = getattr(instance, _TIMES, {})
    return dict(times)


@dataclass(frozen=True)
class MissingFact:
    """Stands in the place of a fact that could not be read.

    Attributes:
        error: why not.
    """

    error: GateError

    def __str__(self) -> str:
        return f"could not be read: {self.error.cause}"


class PartialFacts:
    """Base of facts of which some may be missing. Reading a missing one raises its error."""

    def __getattribute__(self, name: str) -> Any:
        value = object.__getattribute__(self, name)
        if isinstance(value, MissingFact):
            raise value.error
        return value


def fact_or_missing(call: Callable[[], Any]) -> Any:
    """What a call answers, or a MissingFact with its error."""
    try:
        return call()
    except GateError as refusal:
        return MissingFact(refusal)


def fact_or_reason(call: Callable[[], Any]) -> Any:
    """What a call answers, or, for a record, the sentence that says why it could not be read."""
    found = fact_or_missing(call)
    return str(found) if isinstance(found, MissingFact) else found
