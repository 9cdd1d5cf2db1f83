"""What CloudTrail recorded of the zip function since the baseline."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from gate.aws.calls import pages
from gate.check import CheckResult, Rejection, check, reject
from gate.legacy.snapshot import FunctionSnapshot, names_of

_LAMBDA, _EVENTS, _SCHEDULER = "lambda.amazonaws.com", "events.amazonaws.com", "scheduler.amazonaws.com"
_MARGIN = timedelta(minutes=5)  # the baseline's own reading of the function must be among the events
_SERVICE_ERROR = re.compile(r"(?i)internal|serviceexception|serverexception|unavailable|timeout|unknown")


@dataclass(frozen=True)
class TrailEvent:
    """One management event about the function, or one of its rules or schedules.

    Attributes:
        source: the service that wrote it.
        name: the operation.
        about: the function's, rule's or schedule's name.
        read_only: as CloudTrail marks it; a missing mark counts as False.
        by: who did it.
        at: UTC time, ISO 8601.
        error: the code with which the service answered, "" where the call succeeded.
    """

    source: str
    name: str
    about: str
    read_only: bool
    by: str
    at: str
    error: str = ""

    @property
    def refused(self) -> bool:
        """Whether the call was refused and so changed nothing.

        CloudTrail records an errorCode for every request that ended in an error (its User Guide, "Record contents").
        After an error of the service itself something may have changed all the same.
        """
        return bool(self.error) and not _SERVICE_ERROR.search(self.error)


def _event(name: str, read_only: bool) -> TrailEvent:
    return TrailEvent(_LAMBDA, name, "f", read_only, "arn:aws:iam::111122223333:user/x", "2025-01-01")


@check(4, known_bad=lambda: ((_event("GetFunction20150331v2", True), _event("UpdateFunctionCode", False)), "f"))
def check_trail(events: Iterable[TrailEvent], function: str) -> CheckResult:
    """Whether CloudTrail shows no change of the function, its rules or its schedules, and would show one.

    A refused call changed nothing and does not count. The positive control is the baseline's own reading of the
    function: a trail that does not show it would not show an update either.

    Args:
        events: what CloudTrail answers since just before the baseline.
        function: the zip function's name.
    """
    events = tuple(events)
    if not any(_is_reading(each, function) for each in events):
        return reject(
            f"CloudTrail does not show this gate's own reading of {function}, so"
            " the absence of updates in it proves nothing",
            "cloudtrail:LookupEvents",
            "events arrive up to 15 minutes late: run again then; else check that management events are recorded",
        )
    return CheckResult.of(
        Rejection(
            f"CloudTrail shows {e.name} on {e.about} at {e.at} by {e.by}, after the baseline was taken",
            "cloudtrail:LookupEvents",
            "ask who did it; put the function back, or take a new baseline with a new publishing run",
        )
        for e in events
        if not e.read_only and not e.refused
    )


def _is_reading(event: TrailEvent, function: str) -> bool:
    # A rule may have the function's name: the event's source tells the two apart.
    of_function = (event.source, event.about) == (_LAMBDA, function)
    return of_function and event.read_only and not event.error and event.name.startswith("GetFunction")


def read_trail(client: Any, baseline: FunctionSnapshot, now: datetime) -> tuple[TrailEvent, ...]:
    """The management events about the function, its rules and its schedules since just before the baseline.

    Args:
        client: boto3's CloudTrail client.
        baseline: names the function, its rules and its schedules.
        now: the time of day (UTC).

    Raises:
        AwsRefused: CloudTrail cannot be asked or answers something unreadable.
    """
    rules, schedules = names_of(baseline, "rules"), names_of(baseline, "schedules")
    found = []
    for source, names in ((_LAMBDA, {baseline.name}), (_EVENTS, rules), (_SCHEDULER, schedules)):
        events = pages(
            client,
            "lookup_events",
            "the account's event history",
            lambda page: map(_read, page["Events"]),
            LookupAttributes=[{"AttributeKey": "EventSource", "AttributeValue": source}],
            StartTime=baseline.time - _MARGIN,
            EndTime=now,
        )
        found += [each for each in events if each.about in names]
    return tuple(sorted(found, key=lambda each: each.at))


def _read(raw: Mapping[str, Any]) -> TrailEvent:
    detail = json.loads(raw["CloudTrailEvent"])
    return TrailEvent(
        source=raw["EventSource"],
        name=raw["EventName"],
        about=_about(detail.get("requestParameters") or {}),
        # "true" is the only answer that makes an event harmless.
        read_only=str(raw.get("ReadOnly", "")).lower() == "true",
        by=str((detail.get("userIdentity") or {}).get("arn", raw.get("Username", "unknown"))),
        at=raw["EventTime"].isoformat(),
        error=str(detail.get("errorCode") or ""),
    )


def _about(parameters: Mapping[str, Any]) -> str:
    named = next((parameters[key] for key in ("functionName", "rule", "name", "resource") if parameters.get(key)), "")
    # A function is named by name, by ARN, or by either with a qualifier.
    parts = str(named).split(":")
    return parts[parts.index("function") + 1] if "function" in parts[:-1] else parts[0]
