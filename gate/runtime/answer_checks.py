"""Whether the handler answers the safe event as agreed and reports no error beside it. Pure checks."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from http import HTTPStatus
from typing import Any

from gate.browser.page_checks import opens_page
from gate.check import CheckResult, Rejection, check
from gate.runtime.report import Footprint, HandlerRun, Init, Invocation, Settings

# Names under which an error is reported, in any spelling (errorMessage, error_message, Error-Message), those of AWS's
# own partial failures included (batchItemFailures, FailedEntryCount, UnprocessedItems).
_ERROR = re.compile(
    r"(?:has|is|any|num|numberof|total|unhandled|batchitem)?"
    r"(?:error|errors|exception|exceptions|failed|failure|failures|fault|faults|traceback|stacktrace)"
    r"(?:entry|entries|put|items?|records?|requests?|messages?)?(?:type|code|name|count|total|details?|reason|text|s)?"
    r"|unprocessed(?:items?|keys?|entries|records)"
)
# Names that are false when something failed, and those that say how the whole answer ended, with such a word.
_SUCCESS = {"ok", "success", "succeeded", "successful"}
_ENDS, _FAILED = {"status", "state", "result", "outcome"}, {"error", "failed", "failure", "fail", "fatal", "exception"}
# Values under such a name that mean "no error".
_NONE = {"", "0", "none", "null", "nil", "no", "false", "ok", "success", "n/a", "-", "no error", "no errors"}
_NESTED = 20
_SHOWN = 300


def _caught_failure() -> tuple[HandlerRun, dict[str, Any]]:
    done = Invocation(1, "answered", 1.0, answer='{"ok": false}')
    run = HandlerRun(Settings(512), Init("answered", 0.4), None, (done,), Footprint(512, 0, False, 0, 0, ""))
    return run, {"ok": True}


@check(1, known_bad=_caught_failure, follows=(opens_page,))
def answers_hold(run: HandlerRun, wanted: Mapping[str, Any]) -> CheckResult:
    """Each answer holds the wanted fields and reports no error: a handler that catches a failure has not succeeded."""
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
        parsed = json.loads(answer)
    except (ValueError, RecursionError):
        parsed = None
    fields = parsed if isinstance(parsed, dict) else {}
    if wanted and not all(name in fields and fields[name] == value for name, value in wanted.items()):
        return f"the handler answered {answer[:_SHOWN]}, and {json.dumps(dict(wanted))} should be in it"
    status = str(fields.get("statusCode"))
    if fields.get("ok") is False or (status.isdecimal() and int(status) >= HTTPStatus.BAD_REQUEST):
        return f"the handler answered the event with an error: {answer[:_SHOWN]}"
    if error := next(_errors(parsed, wanted), ""):
        beside = f" beside {json.dumps(dict(wanted))}" if wanted else ""
        return f"the handler's answer states an error{beside}: {error[:_SHOWN]}"
    return ""


def _errors(value: Any, wanted: Collection[str] = (), depth: int = 0) -> Iterator[str]:
    """Each error in an answer, at any depth, also in the text of an HTTP body; but not in the wanted fields."""
    if depth > _NESTED:
        return
    if isinstance(value, list):
        for each in value:
            yield from _errors(each, depth=depth + 1)
    if not isinstance(value, dict):
        return
    for name, field in value.items():
        if name in wanted:
            continue
        bare = re.sub(r"[^a-z]", "", name.lower())
        ended = not depth and bare in _ENDS and isinstance(field, str) and field.strip().lower() in _FAILED
        if ended or (bare in _SUCCESS and field is False) or (_ERROR.fullmatch(bare) and _is_error(field)):
            yield f'"{name}": {json.dumps(field, ensure_ascii=False)}'
        else:
            # The text of a body is the answer itself.
            yield from _errors(_body(field) if name == "body" else field, depth=depth + (not isinstance(field, str)))


def _is_error(value: Any) -> bool:
    """Whether a value means that there is an error: not an empty one, zero, or a word for "none", at any depth."""
    if isinstance(value, dict):
        return any(_is_error(each) for each in value.values())
    if isinstance(value, list):
        return any(_is_error(each) for each in value)
    return value.strip().lower() not in _NONE if isinstance(value, str) else bool(value)


def _body(value: Any) -> Any:
    """The object in the text of an HTTP body (Lambda, "Lambda proxy integration"), or the value itself."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        return value
