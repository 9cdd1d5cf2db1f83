"""Reads the zip function and everything that triggers it from AWS."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import lru_cache, partial
from operator import itemgetter
from typing import Any

from gate.aws.calls import ask, pages, readable
from gate.aws.errors import AwsNotFound
from gate.errors import AwsRefused, GateError
from gate.legacy.snapshot import FunctionSnapshot, unread

_ABSENT = ("ResourceNotFoundException",)
# AWS changes these by itself: a function's runtime patch version and its states. The State of a rule or of an event
# source mapping is changed by a caller, and is compared.
_CHANGED_BY_AWS = {
    "RuntimeVersionConfig",
    "State",
    "StateReason",
    "StateReasonCode",
    "LastUpdateStatus",
    "LastUpdateStatusReason",
    "LastUpdateStatusReasonCode",
}
_NOT_COMPARED = {"LastProcessingResult", "StateTransitionReason", "ResponseMetadata"}
# What Lambda lists of a function: by which call, and under which key of its answer.
_LISTINGS = {
    "versions": ("list_versions_by_function", "Versions"),
    "aliases": ("list_aliases", "Aliases"),
    "mappings": ("list_event_source_mappings", "EventSourceMappings"),
    "urls": ("list_function_url_configs", "FunctionUrlConfigs"),
    "invocation": ("list_function_event_invoke_configs", "FunctionEventInvokeConfigs"),
    "provisioned": ("list_provisioned_concurrency_configs", "ProvisionedConcurrencyConfigs"),
}
# The parts of a snapshot that are one of these listings, and by which key of an item they are told apart.
_KEYS = {"aliases": "Name", "mappings": "UUID", "urls": "FunctionArn", "invocation": "FunctionArn"}
# A universal target calls an API; the function is named in its input (Scheduler User Guide, "Universal targets").
_UNIVERSAL = (":aws-sdk:lambda:invoke", ":aws-sdk:lambda:invokeAsync")
_SETTLE_SECONDS = 120
_POLL_SECONDS = 2.0


class ZipFunction:
    """The zip function: its configuration, triggers and rules, as AWS answers them.

    Args:
        lambda_client: boto3's Lambda client.
        events_client: boto3's EventBridge client.
        scheduler_client: boto3's EventBridge Scheduler client.
        name: the function's name.
        sleep: waits so many seconds.
        now: the time of day, in UTC.
    """

    def __init__(
        self,
        lambda_client: Any,
        events_client: Any,
        scheduler_client: Any,
        name: str,
        *,
        sleep: Callable[[float], None],
        now: Callable[[], datetime],
    ) -> None:
        self.name = name
        self._lambda, self._events, self._scheduler = lambda_client, events_client, scheduler_client
        self._sleep, self._now = sleep, now
        self._about = f"the zip function {name}"

    def snapshot(self) -> FunctionSnapshot:
        """The function now, once no update of it is under way; a part that cannot be read is marked so.

        Raises:
            AwsRefused: it does not exist, an update does not end, or its configuration cannot be read.
        """
        self._settle()
        answer = self._ask("get_function")
        with readable("GetFunction"):
            arn = str(answer["Configuration"]["FunctionArn"])
            configuration, tags = _configuration(answer["Configuration"]), answer.get("Tags", {})
        facts = {"configuration": configuration, "tags": tags}
        qualifiers, targets = list[str](), [arn]
        parts: dict[str, Callable[[], dict[str, Any]]] = {
            "versions": lambda: {each["Version"]: _configuration(each) for each in self._list("versions")},
            **{name: partial(self._by, name, key) for name, key in _KEYS.items()},
            "concurrency": lambda: self._concurrency(answer),
            "policies": lambda: self._policies(qualifiers),
            "rules": lambda: self._rules(targets),
            "schedules": lambda: self._schedules(targets),
        }
        for name, read in parts.items():
            try:
                with readable(f"the zip function's {name}"):
                    facts[name] = read()
            except GateError as refusal:
                facts[name] = unread(refusal)
                continue
            if name in ("aliases", "versions"):  # where they could not be listed, what can be read is compared
                qualifiers += facts[name]
                targets += [f"{arn}:{each}" for each in facts[name]]
        facts["versions"].pop("$LATEST", None)  # that is the configuration above
        return FunctionSnapshot(
            arn, self._now().isoformat(timespec="seconds"), json.loads(json.dumps(facts, default=str))
        )

    def _schedules(self, targets: list[str]) -> dict[str, Any]:
        """The schedules of EventBridge Scheduler that start the function; they are not listed among its rules."""
        found = {}
        for each in pages(self._scheduler, "list_schedules", "the account's schedules", itemgetter("Schedules")):
            group, name, target = each["GroupName"], each["Name"], each["Target"]["Arn"]
            if target in targets or target.endswith(_UNIVERSAL):
                about = f"the schedule {group}/{name}"
                read = ask(self._scheduler, "get_schedule", about, dict, GroupName=group, Name=name)
                if target in targets or _called_by(read["Target"]) & _names(targets):
                    found[f"{group}/{name}"] = {**_kept(read), "Target": _target(read["Target"])}
        return found

    def _by(self, what: str, key: str) -> dict[str, Any]:
        return {each[key]: _kept(each) for each in self._list(what)}

    def _settle(self) -> None:
        """Wait until no update is under way: RevisionId changes once more shortly after one."""
        status = None
        for _ in range(int(_SETTLE_SECONDS / _POLL_SECONDS)):
            answer = self._ask("get_function_configuration")
            status = answer.get("LastUpdateStatus")
            if status == "Successful":
                return
            if status == "Failed":
                break
            self._sleep(_POLL_SECONDS)
        raise AwsRefused(
            f"The zip function {self.name} has no successful last update: its LastUpdateStatus is {status}",
            where=self._about,
            remedy="let the update end, or mend it, before anything is released beside it",
        )

    def _concurrency(self, answer: Mapping[str, Any]) -> dict[str, Any]:
        reserved = answer.get("Concurrency", {})
        try:
            provisioned = self._list("provisioned")
        except AwsNotFound:
            provisioned = []
        return {
            "reserved": reserved.get("ReservedConcurrentExecutions", "none"),
            "provisioned": {
                each["FunctionArn"]: each["RequestedProvisionedConcurrentExecutions"] for each in provisioned
            },
        }

    def _policies(self, qualifiers: Iterable[str]) -> dict[str, Any]:
        unqualified = {"function": self._policy({})}
        return unqualified | {each: self._policy({"Qualifier": each}) for each in qualifiers if each != "$LATEST"}

    def _policy(self, qualifier: Mapping[str, str]) -> Any:
        try:
            answer = self._ask("get_policy", **qualifier)
        except AwsNotFound:
            return "none"
        document = json.loads(answer["Policy"])
        # Statements have no order; their identifiers are unique within a policy.
        statements = {each.get("Sid", str(place)): each for place, each in enumerate(document["Statement"])}
        return {**document, "Statement": statements}

    def _rules(self, targets: Iterable[str]) -> dict[str, Any]:
        buses = [bus["Name"] for bus in self._events_pages("list_event_buses", "EventBuses")]
        found = {
            (bus, rule)
            for bus in buses
            for target in targets
            for rule in self._events_pages("list_rule_names_by_target", "RuleNames", TargetArn=target, EventBusName=bus)
        }
        return {f"{bus}/{rule}": self._rule(bus, rule) for bus, rule in sorted(found)}

    def _rule(self, bus: str, rule: str) -> dict[str, Any]:
        described = ask(self._events, "describe_rule", f"the rule {rule}", dict, Name=rule, EventBusName=bus)
        targets = self._events_pages("list_targets_by_rule", "Targets", Rule=rule, EventBusName=bus)
        return {**_kept(described), "targets": {each["Id"]: _target(each) for each in targets}}

    def _list(self, what: str) -> list[dict[str, Any]]:
        operation, key = _LISTINGS[what]
        absent = ("ProvisionedConcurrencyConfigNotFoundException",)
        return pages(self._lambda, operation, self._about, itemgetter(key), absent, FunctionName=self.name)

    def _events_pages(self, operation: str, key: str, **parameters: Any) -> list[Any]:
        """All pages of an EventBridge listing; botocore has no paginator for some of them."""
        found: list[Any] = []
        while True:
            answer = ask(self._events, operation, "the EventBridge rules", dict, **parameters)
            found += answer[key]
            if not answer.get("NextToken"):
                return found
            parameters["NextToken"] = answer["NextToken"]

    def _ask(self, operation: str, **parameters: Any) -> dict[str, Any]:
        return ask(self._lambda, operation, self._about, dict, _ABSENT, FunctionName=self.name, **parameters)


def _called_by(target: Mapping[str, Any]) -> set[str]:
    """The function that a universal target calls; where the input is not JSON, every word of it."""
    text = str(target.get("Input", ""))
    try:
        return {str(json.loads(text)["FunctionName"])}
    except (ValueError, LookupError, TypeError):
        return set(text.replace('"', " ").split())


def _names(targets: Iterable[str]) -> set[str]:
    """A function is named by its ARN, its name, or account and name, each with or without a qualifier."""
    behind = {arn.partition(":function:")[2] for arn in targets}
    accounts = {arn.split(":")[4] for arn in targets}
    return {*targets, *behind, *(f"{account}:function:{name}" for account in accounts for name in behind)}


def _kept(raw: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in raw.items() if key not in _NOT_COMPARED}


def _configuration(raw: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in _kept(raw).items() if key not in _CHANGED_BY_AWS}
    variables = (raw.get("Environment") or {}).get("Variables", {})
    salt = str(raw["FunctionName"])
    hashed = {name: secret_hash(f"{salt}/{name}", value) for name, value in variables.items()}
    return kept | ({"Environment": {"Variables": hashed}} if hashed else {"Environment": {}})


def _target(raw: Mapping[str, Any]) -> dict[str, Any]:
    # The input of a rule or schedule may hold secrets: it is compared and not shown.
    hidden = {key: secret_hash(key, str(raw[key])) for key in ("Input", "InputTransformer") if key in raw}
    return {**raw, **hidden}


@lru_cache(maxsize=1024)
def secret_hash(salt: str, value: str) -> str:
    """A hash by which a value can be compared and not read: slow to guess, the same in each run."""
    return "scrypt:" + hashlib.scrypt(value.encode(), salt=salt.encode(), n=2**13, r=8, p=1, dklen=16).hex()
