"""A fact that is gathered once, whoever asks for it first."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")


class Once(Generic[T]):
    """A property that is computed once for each instance; whoever asks meanwhile waits for it.

    functools.cached_property waits up to Python 3.11 only (docs, "Changed in version 3.12"): afterwards two threads
    that ask at once compute twice, and a sandbox would run twice. What raises is computed anew by the next who asks.
    """

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self._compute = compute
        self.__doc__ = compute.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Once[T]: ...

    @overload
    def __get__(self, instance: object, owner: type) -> T: ...

    def __get__(self, instance: object | None, owner: type) -> Once[T] | T:
        if instance is None:
            return self
        known = instance.__dict__
        with known.setdefault(f"_{self._name}_once", threading.RLock()):
            if self._name not in known:
                # Python looks there first from now on.
                known[self._name] = self._compute(instance)
        value: T = known[self._name]
        return value
