"""The schedules of EventBridge Scheduler that start a function; they are not listed among its rules."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from gate.aws.errors import ask, pages

# A universal target calls an API; the function is named in its input (Scheduler User Guide, "Universal targets").
_UNIVERSAL = (":aws-sdk:lambda:invoke", ":aws-sdk:lambda:invokeAsync")


def schedules_of(client: Any, targets: Iterable[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each schedule of the account that starts the function, as "group/name" and as GetSchedule answers it.

    Args:
        client: boto3's EventBridge Scheduler client.
        targets: the function's ARN, and those with its qualifiers.

    Raises:
        AwsRefused: the schedules cannot be listed or read.
    """
    targets = frozenset(targets)
    for page in pages(client, "list_schedules", "scheduler:ListSchedules", "the account's schedules"):
        for each in page["Schedules"]:
            arn = each["Target"]["Arn"]
            if arn in targets or arn.endswith(_UNIVERSAL):
                group, name = each["GroupName"], each["Name"]
                about = f"the schedule {group}/{name}"
                found = ask(client.get_schedule, "scheduler:GetSchedule", about, GroupName=group, Name=name)
                if arn in targets or _named_in(found["Target"]) & _names(targets):
                    yield f"{group}/{name}", found


def _named_in(target: Mapping[str, Any]) -> set[str]:
    """The function that a universal target calls; where the input is not JSON, every word of it."""
    text = str(target.get("Input", ""))
    try:
        return {str(json.loads(text)["FunctionName"])}
    except (ValueError, LookupError, TypeError):
        return set(text.replace('"', " ").split())


def _names(targets: frozenset[str]) -> set[str]:
    """A function is named by its ARN, its name, or account and name, each with or without a qualifier."""
    behind = {arn.partition(":function:")[2] for arn in targets}
    accounts = {arn.split(":")[4] for arn in targets}
    return {*targets, *behind, *(f"{account}:function:{name}" for account in accounts for name in behind)}
