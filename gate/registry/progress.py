"""What is said of a push while it goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_FIRST_LINE_AFTER, _NEXT_LINE_AFTER = 2.0, 10.0  # seconds
_THERE = ("Pushed", "Layer already exists", "Mounted from")


class PushProgress:
    """Says how far a push has come: after two seconds, then every ten; what the registry holds already needs none."""

    def __init__(self, say: Callable[[str], None], clock: Callable[[], float]) -> None:
        self._say, self._clock = say, clock
        self._due = clock() + _FIRST_LINE_AFTER
        self._there: dict[str, bool] = {}
        self._sent: dict[str, int] = {}
        self._retried: set[str] = set()

    def take(self, event: dict[str, Any]) -> None:
        """Take in one event of the engine."""
        layer, status = str(event.get("id", "")), str(event.get("status", ""))
        if not layer or not status:
            return
        # The engine counts down by itself, a line a second, before it sends a layer once more.
        if status.startswith("Retrying") and layer not in self._retried:
            self._retried.add(layer)
            self._say(f"layer {layer} is sent once more")
        self._there[layer] = status.startswith(_THERE)
        sent = (event.get("progressDetail") or {}).get("current")
        self._sent[layer] = sent if isinstance(sent, int) else self._sent.get(layer, 0)
        if self._clock() >= self._due:
            self._due = self._clock() + _NEXT_LINE_AFTER
            there, sum_mb = sum(self._there.values()), sum(self._sent.values()) / 1e6
            self._say(f"{there} of {len(self._there)} layers are in the registry, {sum_mb:.0f} MB sent")
