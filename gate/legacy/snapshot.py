"""The zip function at one moment, and field by field what differs between two moments. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gate.check import CheckResult, Rejection, check, reject
from gate.errors import AwsRefused, GateError

_ANEW = "take a new baseline with a new publishing run"
_ABSENT = "not there"
_UNREAD = "could not be read"
# Lists that are sets to Lambda, which answers them in any order (VpcConfig).
_SETS = frozenset({"SubnetIds", "SecurityGroupIds"})


@dataclass(frozen=True)
class FunctionSnapshot:
    """All that a deployment of the zip function could change.

    Attributes:
        function: its ARN.
        taken_at: UTC time, ISO 8601; not compared.
        facts: configuration, versions, aliases, policies, concurrency, mappings, URLs, invoke settings, tags, rules,
            schedules of EventBridge Scheduler.
            Values that may be secret stand as a hash.
    """

    function: str
    taken_at: str
    facts: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The function's name."""
        return self.function.rpartition(":")[2]


def names_of(snapshot: FunctionSnapshot, part: str) -> set[str]:
    """The names of what a part holds: rules or schedules, without the bus or group in front of them.

    Raises:
        AwsRefused: the part could not be read when the snapshot was taken, so that nobody knows what to look for.
    """
    found = snapshot.facts.get(part, {})
    if _UNREAD in found:
        said = f"The zip function's {part} are not known: {found[_UNREAD]}"
        raise AwsRefused(said, where=str(found.get("where", "")), remedy=str(found.get("to do", "")))
    # A partner's bus has slashes in its name, a rule never has.
    return {name.rpartition("/")[2] for name in found}


def unread(refusal: GateError) -> dict[str, str]:
    """What stands in a snapshot for a part that could not be read."""
    return {_UNREAD: refusal.cause, "where": refusal.where, "to do": refusal.remedy}


@dataclass(frozen=True)
class Difference:
    """One field that changed, with both values as JSON."""

    field: str
    before: str
    now: str


def differences(before: FunctionSnapshot, now: FunctionSnapshot) -> tuple[Difference, ...]:
    """Every field in which two snapshots differ, by the field's path."""
    was, is_ = dict(_leaves(before.facts)), dict(_leaves(now.facts))
    return tuple(
        Difference(".".join(path), was.get(path, _ABSENT), is_.get(path, _ABSENT))
        for path in sorted({*was, *is_})
        if was.get(path, _ABSENT) != is_.get(path, _ABSENT)
    )


def _leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each plain value. An empty list is none: AWS answers it and a list that is not there interchangeably."""
    if not isinstance(value, Mapping | list | tuple):
        yield path, json.dumps(value, ensure_ascii=False)
        return
    listed = sorted(value, key=str) if path and path[-1] in _SETS and isinstance(value, list | tuple) else value
    for key, inner in value.items() if isinstance(value, Mapping) else enumerate(listed):
        yield from _leaves(inner, (*path, str(key)))


def _unread_parts(snapshot: FunctionSnapshot, when: str) -> dict[str, Rejection]:
    """Each part that could not be read, by its name: two of them are equal, and prove nothing."""
    return {
        name: Rejection(
            f"The zip function's {name} could not be read {when}: {part[_UNREAD]}",
            str(part.get("where", "")) or snapshot.function,
            str(part.get("to do", "")) or _ANEW,
        )
        for name, part in snapshot.facts.items()
        if isinstance(part, Mapping) and _UNREAD in part
    }


def _known_bad() -> tuple[FunctionSnapshot, FunctionSnapshot]:
    arn = "arn:aws:lambda:eu-west-1:111122223333:function:f"
    before = FunctionSnapshot(arn, "", {"configuration": {"CodeSha256": "a", "Layers": [{"Arn": "layer:1"}]}})
    return before, FunctionSnapshot(arn, "", {"configuration": {"CodeSha256": "a", "Layers": [{"Arn": "layer:2"}]}})


@check(4, known_bad=_known_bad)
def check_untouched(before: FunctionSnapshot, now: FunctionSnapshot) -> CheckResult:
    """Whether the zip function, its versions, aliases, layers, triggers and rules are what they were.

    Args:
        before: taken before anything was pushed.
        now: taken at the end.
    """
    if before.function != now.function:
        return reject(f"The baseline is of another function: {before.function}, compared was {now.function}",
                      "the zip function's baseline", _ANEW)  # fmt: skip
    for snapshot, when in ((before, "before the release"), (now, "now")):
        if not snapshot.facts.get("configuration"):
            return reject(f"The snapshot of {snapshot.name} {when} holds no configuration, so nothing is known",
                          snapshot.function, _ANEW)  # fmt: skip
    blind = {**_unread_parts(before, "before the release"), **_unread_parts(now, "now")}
    return CheckResult(tuple(blind.values())) + CheckResult.of(
        Rejection(
            f"The zip function's {each.field} changed since {before.taken_at}: it was {each.before}, and is {each.now}",
            before.function,
            "find out in CloudTrail who changed it; put it back, or take a new baseline with a new publishing run",
        )
        for each in differences(before, now)
        if each.field.partition(".")[0] not in blind
    )
