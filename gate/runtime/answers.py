"""Whether the handler's answers are what the safe event is answered with, and state no error beside it. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from gate.browser.page_checks import opens_page
from gate.check import CheckResult, Rejection, check
from gate.runtime.report import Footprint, HandlerRun, Init, Invocation, Settings

# Names under which an error is stated, however they are written (errorMessage, error_message, Error-Message).
_ERROR = re.compile(r"(error|errors|exception|exceptions|failed|failure|failures|fault|faults|traceback|stacktrace)"
                    r"(message|messages|type|code|name|count|details?|text|s)?")  # fmt: skip
# What is written there by answers that have no error to state.
_NONE = {"", "0", "none", "null", "nil", "no", "false", "ok", "success", "n/a", "-", "no error", "no errors"}
_NESTED = 20
_SHOWN = 300


def _failed_politely() -> tuple[HandlerRun, dict[str, Any]]:
    said = Invocation(1, "answered", 1.0, answer='{"ok": false}')
    return HandlerRun(Settings(512), Init("answered", 0.4), None, (said,), Footprint(512, 0, False, 0, 0, "")), {
        "ok": True
    }


@check(1, known_bad=_failed_politely, follows=(opens_page,))
def answers_hold(run: HandlerRun, wanted: Mapping[str, Any]) -> CheckResult:
    """Each answer holds the wanted fields and states no error: a handler that catches its failure has not succeeded."""
    return CheckResult.of(
        Rejection(
            cause,
            where=f"Lambda sandbox, invocation {invocation.number}",
            remedy="the answer names what failed; run the same event by hand to see more",
        )
        for invocation in run.invocations
        if invocation.outcome == "answered" and (cause := _wrong(invocation.answer, wanted))
    )


def _wrong(answer: str, wanted: Mapping[str, Any]) -> str:
    """What is wrong with an answer; "" when nothing is."""
    try:
        said = json.loads(answer)
    except (ValueError, RecursionError):
        said = None
    holds = isinstance(said, dict) and all(name in said and said[name] == value for name, value in wanted.items())
    if wanted and not holds:
        return f"the handler answered {answer[:_SHOWN]}, and {json.dumps(dict(wanted))} should be in it"
    if stated := next(_errors(said, wanted), ""):
        beside = f" beside {json.dumps(dict(wanted))}" if wanted else ""
        return f"the handler's answer states an error{beside}: {stated[:_SHOWN]}"
    return ""


def _errors(said: Any, wanted: Collection[str] = (), depth: int = 0) -> Iterator[str]:
    """Each error that an answer states, at any depth, also in the text of an HTTP body; but for the wanted fields."""
    if depth > _NESTED:
        return
    if isinstance(said, list):
        for each in said:
            yield from _errors(each, depth=depth + 1)
    if not isinstance(said, dict):
        return
    for name, value in said.items():
        if name in wanted:
            continue
        if _ERROR.fullmatch(re.sub(r"[^a-z]", "", name.lower())) and _states(value):
            yield f'"{name}": {json.dumps(value, ensure_ascii=False)}'
        else:
            yield from _errors(_body(value) if name == "body" else value, depth=depth + 1)


def _states(value: Any) -> bool:
    """Whether a value says that there is an error: not by nothing, zero, or a word for it, however it is wrapped."""
    if isinstance(value, dict):
        return any(_states(each) for each in value.values())
    if isinstance(value, list):
        return any(_states(each) for each in value)
    return value.strip().lower() not in _NONE if isinstance(value, str) else bool(value)


def _body(value: Any) -> Any:
    """The object in the text of an HTTP body (Lambda, "Lambda proxy integration"), or the value itself."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        return value
