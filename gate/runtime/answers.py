"""Whether the handler's answers are what the safe event is answered with. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from gate.judgement import Judgement, Rejection, judge
from gate.runtime.report import Footprint, HandlerRun, Init, Invocation, Settings


def _failed_politely() -> tuple[HandlerRun, dict[str, Any]]:
    said = Invocation(1, "answered", 1.0, answer='{"ok": false}')
    return HandlerRun(Settings(512), Init("answered", 0.4), None, (said,), Footprint(512, 0, False, 0, 0, "")), {
        "ok": True
    }


@judge(1, known_bad=_failed_politely)
def answers_hold(run: HandlerRun, wanted: Mapping[str, Any]) -> Judgement:
    """Each answer holds the wanted fields: a handler that catches its own failure has not succeeded."""
    return Judgement.of(
        Rejection(
            f"the handler answered {invocation.answer[:300]}, and {json.dumps(dict(wanted))} should be in it",
            where=f"Lambda sandbox, invocation {invocation.number}",
            remedy="the answer names what failed; run the same event by hand to see more",
        )
        for invocation in run.invocations
        if invocation.outcome == "answered" and not _holds(invocation.answer, wanted)
    )


def _holds(answer: str, wanted: Mapping[str, Any]) -> bool:
    if not wanted:
        return True
    try:
        said = json.loads(answer)
    except ValueError:
        return False
    return isinstance(said, dict) and all(name in said and said[name] == value for name, value in wanted.items())
