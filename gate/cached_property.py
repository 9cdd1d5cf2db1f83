"""Values computed once however many threads ask for them, and when each was computed."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Self, TypeVar, overload

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
