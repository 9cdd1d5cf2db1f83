"""Feeds the answers of Lambda, EventBridge, CloudTrail and CloudWatch about the zip function to readers and checks."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from gate.check import CheckResult
from gate.legacy.cloudtrail import check_trail, read_trail
from gate.legacy.reader import ZipFunction
from gate.legacy.snapshot import FunctionSnapshot, check_untouched
from gate.legacy.traffic import check_traffic, read_traffic
from tests.field.wire import REGION, client

NAME = "send"
ARN = f"arn:aws:lambda:{REGION}:654654307503:function:{NAME}"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TAKEN = (NOW - timedelta(hours=1)).isoformat()
_ABSENT = {"__type": "ResourceNotFoundException", "message": "none"}
_LISTS = {
    "ListVersionsByFunction": {"Versions": []},
    "ListAliases": {"Aliases": []},
    "ListEventSourceMappings": {"EventSourceMappings": []},
    "ListFunctionUrlConfigs": {"FunctionUrlConfigs": []},
    "ListFunctionEventInvokeConfigs": {"FunctionEventInvokeConfigs": []},
    "ListProvisionedConcurrencyConfigs": {"ProvisionedConcurrencyConfigs": []},
    "GetPolicy": _ABSENT,
}
_EVENTS = {"ListEventBuses": {"EventBuses": [{"Name": "default"}]}, "ListRuleNamesByTarget": {"RuleNames": []}}


def snapshots(_scenario: str, given: dict[str, Any], _folder: Path) -> CheckResult:
    """The function `before` and `now`.

    Of each: `configuration` (of GetFunction), and answers by service (`lambda`, `events`, `scheduler`) and operation;
    what is left out is as of a function that has nothing of the kind.
    """
    return check_untouched(_snapshot(given["before"]), _snapshot(given["now"]))


def _snapshot(given: dict[str, Any]) -> FunctionSnapshot:
    own = {"FunctionName": NAME, "FunctionArn": ARN, "CodeSha256": "x", "LastUpdateStatus": "Successful"}
    configuration = {**own, **given.get("configuration", {})}
    answers = {"GetFunctionConfiguration": configuration, "GetFunction": {"Configuration": configuration}, **_LISTS}
    function = ZipFunction(
        client("lambda", {**answers, **given.get("lambda", {})}),
        client("events", {**_EVENTS, **given.get("events", {})}),
        client("scheduler", {"ListSchedules": {"Schedules": []}, **given.get("scheduler", {})}),
        NAME,
        sleep=lambda _seconds: None,
        now=lambda: NOW,
    )
    return function.snapshot()


def trail(_scenario: str, given: dict[str, Any], _folder: Path) -> CheckResult:
    """Events of CloudTrail, beside the gate's own reading of the function.

    Of `given`: `events` (source, name, `readOnly`, `requestParameters`, `errorCode`, `by`); `rules` of EventBridge
    that start the function; `read`: whether the gate's reading stands there.
    """
    reading = {"source": "lambda", "name": "GetFunction20150331v2", "readOnly": True,
               "requestParameters": {"functionName": NAME}}  # fmt: skip
    events = [reading, *given["events"]] if given.get("read", True) else given["events"]
    answers = [{"Events": [_event(each) for each in events if each["source"] == source]}
               for source in ("lambda", "events", "scheduler")]  # fmt: skip
    baseline = FunctionSnapshot(ARN, TAKEN, {"rules": {f"default/{rule}": {} for rule in given.get("rules", [])}})
    found = read_trail(client("cloudtrail", {"LookupEvents": answers}), baseline, NOW)
    return check_trail(found, NAME)


def _event(given: dict[str, Any]) -> dict[str, Any]:
    detail = {key: given[key] for key in ("requestParameters", "errorCode") if key in given}
    record = {"userIdentity": {"arn": given.get("by", "arn:aws:iam::654654307503:user/x")}, **detail}
    return {
        "EventSource": f"{given['source']}.amazonaws.com",
        "EventName": given["name"],
        "ReadOnly": str(given.get("readOnly", False)).lower(),
        "EventTime": "2026-11-22T11:30:00Z",
        "CloudTrailEvent": json.dumps(record),
    }


def traffic(_scenario: str, given: dict[str, Any], _folder: Path) -> CheckResult:
    """Invocations and errors, as CloudWatch sums them up, in the day `before` and in the hour `since`."""
    answers = [{"MetricDataResults": [{"Id": name, "Values": [value] if value else []}
                                      for name, value in zip(("invocations", "errors"), given[window], strict=True)]}
               for window in ("before", "since")]  # fmt: skip
    read = read_traffic(client("cloudwatch", {"GetMetricData": answers}), FunctionSnapshot(ARN, TAKEN, {}), NOW)
    return check_traffic(*read, NAME)
