"""The zip function at one time, and the fields that differ between two times.

The snapshot that the publishing run takes before it pushes anything is the baseline: it is kept on disk, and later
verifications compare with it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from gate.check import CheckResult, Rejection, check, reject
from gate.errors import AwsRefused, EvidenceDamaged, GateError
from gate.evidence.store import canonical, readable, write_whole

_ANEW = "take a new baseline with a new publishing run"
_NO_BASELINE = (
    "give the evidence folder of the publishing run, or publish with this gate, which takes the baseline first"
)
_ABSENT = "not there"
_UNREAD = "could not be read"
# Lists whose order means nothing to Lambda, which answers them in any order (VpcConfig).
_SETS = frozenset({"SubnetIds", "SecurityGroupIds"})


@dataclass(frozen=True)
class FunctionSnapshot:
    """All that a deployment of the zip function could change.

    Attributes:
        function: its ARN.
        taken_at: UTC time, ISO 8601; not compared.
        facts: configuration, versions, aliases, policies, concurrency, mappings, URLs, invoke settings, tags, rules,
            schedules of EventBridge Scheduler.
            Values that may be secret are hashed.
    """

    function: str
    taken_at: str
    facts: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The function's name."""
        return self.function.rpartition(":")[2]

    @property
    def time(self) -> datetime:
        """When it was taken."""
        return datetime.fromisoformat(self.taken_at)

    def keep(self, path: Path) -> None:
        """Write it completely or not at all, and flush it to the disk.

        Raises:
            EvidenceDamaged: it cannot be written; then nothing may be pushed.
        """
        facts = asdict(self)
        try:
            write_whole(path, readable({**facts, "sha256": _sha256(facts)}))
        except OSError as error:
            cause = f"The baseline of the zip function cannot be kept: {error}"
            raise EvidenceDamaged(cause, where=str(path)) from error

    @classmethod
    def load(cls, path: Path) -> FunctionSnapshot:
        """Read a kept baseline.

        Raises:
            EvidenceDamaged: there is none, it cannot be read, or it was altered.
        """
        try:
            facts = json.loads(path.read_text(encoding="utf-8"))
            recorded = facts.pop("sha256")
            if recorded == _sha256(facts) and isinstance(facts["facts"], Mapping):
                return cls(**facts)
            cause = "The baseline of the zip function was altered after it was kept"
        except FileNotFoundError:
            cause = "There is no baseline of the zip function, so it is unknown whether the release left it unchanged"
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            cause = f"The baseline of the zip function cannot be read: {error}"
        raise EvidenceDamaged(cause, where=str(path), remedy=_NO_BASELINE)


def names_of(snapshot: FunctionSnapshot, part: str) -> set[str]:
    """The names of the rules or schedules in a snapshot, without the bus or group in front of them.

    Raises:
        AwsRefused: that part could not be read when the snapshot was taken.
    """
    found = snapshot.facts.get(part, {})
    if _UNREAD in found:
        cause = f"The zip function's {part} are not known: {found[_UNREAD]}"
        raise AwsRefused(cause, where=str(found.get("where", "")), remedy=str(found.get("to do", "")))
    # A partner's bus has slashes in its name, a rule never has.
    return {name.rpartition("/")[2] for name in found}


def unread(refusal: GateError) -> dict[str, str]:
    """What a snapshot holds in place of a part that could not be read."""
    return {_UNREAD: refusal.cause, "where": refusal.where, "to do": refusal.remedy}


@dataclass(frozen=True)
class FieldChange:
    """One field that changed, with both values as JSON."""

    field: str
    before: str
    now: str


def differences(before: FunctionSnapshot, now: FunctionSnapshot) -> tuple[FieldChange, ...]:
    """Every field in which two snapshots differ, by the field's path."""
    was, is_ = dict(_leaves(before.facts)), dict(_leaves(now.facts))
    return tuple(
        FieldChange(".".join(path), was.get(path, _ABSENT), is_.get(path, _ABSENT))
        for path in sorted({*was, *is_})
        if was.get(path, _ABSENT) != is_.get(path, _ABSENT)
    )


def _leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each plain value. An empty list counts as none: AWS answers either for the same state."""
    if not isinstance(value, Mapping | list | tuple):
        yield path, json.dumps(value, ensure_ascii=False)
        return
    listed = sorted(value, key=str) if path and path[-1] in _SETS and isinstance(value, list | tuple) else value
    for key, inner in value.items() if isinstance(value, Mapping) else enumerate(listed):
        yield from _leaves(inner, (*path, str(key)))


def _sha256(facts: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical(facts)).hexdigest()


def _unread_parts(snapshot: FunctionSnapshot, when: str) -> dict[str, Rejection]:
    """Each part that could not be read, by its name: two that could not be read may still differ."""
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
            return reject(f"The snapshot of {snapshot.name} {when} holds no configuration, so nothing can be compared",
                          snapshot.function, _ANEW)  # fmt: skip
    unknown = {**_unread_parts(before, "before the release"), **_unread_parts(now, "now")}
    return CheckResult(tuple(unknown.values())) + CheckResult.of(
        Rejection(
            f"The zip function's {each.field} changed since {before.taken_at}: it was {each.before}, and is {each.now}",
            before.function,
            "find out in CloudTrail who changed it; put it back, or take a new baseline with a new publishing run",
        )
        for each in differences(before, now)
        if each.field.partition(".")[0] not in unknown
    )
