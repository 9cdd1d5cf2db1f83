"""Looking into a container: the script that does it, and what its answer means. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gate.engine.script import between_marks
from gate.runtime.report import Moment, Process

MEASURE = Path(__file__).with_name("measure.py").read_text()


@dataclass(frozen=True)
class Measurement:
    """What a look into the container found; `started` is in seconds since boot."""

    moment: Moment
    started: float


def working_set(memory: Mapping[str, Any]) -> int | None:
    """Bytes in use without the page cache that can be dropped, as `docker stats` itself reckons them."""
    if "usage" not in memory:
        return None
    counters = memory.get("stats") or {}
    cache = counters.get("total_inactive_file", counters.get("inactive_file", 0))
    return max(int(memory["usage"]) - int(cache), 0)


def measurement_in(answer: str, mark: str) -> Measurement | None:
    """The answer of the script; None when it is none, as after a process that was killed while it looked."""
    try:
        seen = json.loads(between_marks(answer, mark) or "")
        processes = tuple(Process(**each) for each in seen["processes"])
        moment = Moment(processes, seen["tmp_bytes"], seen["high_water"], seen["oom_kills"], seen["memory"])
        return Measurement(moment, seen["started"])
    except (ValueError, KeyError, TypeError):
        return None
