"""Reads the zip function and everything that triggers it from AWS."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from gate.aws.errors import AwsNotFound, ask, pages, readable
from gate.errors import AwsRefused
from gate.facts import MissingFact, fact_or_missing
from gate.legacy.schedules import schedules_of
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
        versions = _part("versions", lambda: {each["Version"]: _configuration(each) for each in self._list("versions")})
        aliases = _part("aliases", lambda: self._by("aliases", "Name"))
        # Qualifiers that could not be listed are left out; what can be read is compared all the same.
        qualifiers = [name for found in (aliases, versions) if not isinstance(found, MissingFact) for name in found]
        targets = [arn, *(f"{arn}:{each}" for each in qualifiers)]
        facts = {
            "configuration": configuration,
            "tags": tags,
            # $LATEST is the configuration above.
            "versions": versions if isinstance(versions, MissingFact) else _without_latest(versions),
            "aliases": aliases,
            "concurrency": _part("concurrency", lambda: self._concurrency(answer)),
            "policies": _part("policies", lambda: self._policies(qualifiers)),
            "mappings": _part("mappings", lambda: self._by("mappings", "UUID")),
            "urls": _part("urls", lambda: self._by("urls", "FunctionArn")),
            "invocation": _part("invocation", lambda: self._by("invocation", "FunctionArn")),
            "rules": _part("rules", lambda: self._rules(targets)),
            "schedules": _part("schedules", lambda: self._schedules(targets)),
        }
        known = {
            name: unread(found.error) if isinstance(found, MissingFact) else found for name, found in facts.items()
        }
        return FunctionSnapshot(arn, self._now().isoformat(timespec="seconds"), _plain(known))

    def _schedules(self, targets: list[str]) -> dict[str, Any]:
        return {name: _schedule(each) for name, each in schedules_of(self._scheduler, targets)}

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
        call, about = self._events.describe_rule, f"the rule {rule}"
        described = ask(call, "events:DescribeRule", about, Name=rule, EventBusName=bus)
        targets = self._events_pages("list_targets_by_rule", "Targets", Rule=rule, EventBusName=bus)
        return {**_kept(described), "targets": {each["Id"]: _target(each) for each in targets}}

    def _list(self, what: str) -> list[dict[str, Any]]:
        operation, key = _LISTINGS[what]
        absent = ("ProvisionedConcurrencyConfigNotFoundException",)
        permission = _permission(self._lambda, operation)
        listing = pages(self._lambda, operation, permission, self._about, absent, FunctionName=self.name)
        return [each for page in listing for each in page[key]]

    def _events_pages(self, operation: str, key: str, **parameters: Any) -> list[Any]:
        """All pages of an EventBridge listing; botocore has no paginator for some of them."""
        call, permission = getattr(self._events, operation), _permission(self._events, operation)
        found: list[Any] = []
        while True:
            answer = ask(call, permission, "the EventBridge rules", **parameters)
            found += answer[key]
            if not answer.get("NextToken"):
                return found
            parameters["NextToken"] = answer["NextToken"]

    def _ask(self, operation: str, **parameters: Any) -> dict[str, Any]:
        call, permission = getattr(self._lambda, operation), _permission(self._lambda, operation)
        return ask(call, permission, self._about, _ABSENT, FunctionName=self.name, **parameters)


def _permission(client: Any, operation: str) -> str:
    """The IAM action of a call; those made here are named as the API names the call."""
    return f"{client.meta.service_model.service_name}:{client.meta.method_to_api_mapping[operation]}"


def _part(what: str, read: Callable[[], Any]) -> Any:
    """A part of the function, or what stands for it where it could not be read."""

    def checked() -> Any:
        with readable(f"the zip function's {what}"):
            return read()

    return fact_or_missing(checked)


def _without_latest(versions: Mapping[str, Any]) -> dict[str, Any]:
    return {number: kept for number, kept in versions.items() if number != "$LATEST"}


def _kept(raw: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in raw.items() if key not in _NOT_COMPARED}


def _configuration(raw: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in _kept(raw).items() if key not in _CHANGED_BY_AWS}
    variables = (raw.get("Environment") or {}).get("Variables", {})
    salt = str(raw["FunctionName"])
    hashed = {name: secret_hash(f"{salt}/{name}", value) for name, value in variables.items()}
    return kept | ({"Environment": {"Variables": hashed}} if hashed else {"Environment": {}})


def _schedule(raw: Mapping[str, Any]) -> dict[str, Any]:
    return {**_kept(raw), "Target": _target(raw["Target"])}


def _target(raw: Mapping[str, Any]) -> dict[str, Any]:
    # The input of a rule or schedule may hold secrets: it is compared and not shown.
    hidden = {key: secret_hash(key, str(raw[key])) for key in ("Input", "InputTransformer") if key in raw}
    return {**raw, **hidden}


@lru_cache(maxsize=1024)
def secret_hash(salt: str, value: str) -> str:
    """A hash by which a value can be compared and not read: slow to guess, the same in each run."""
    return "scrypt:" + hashlib.scrypt(value.encode(), salt=salt.encode(), n=2**13, r=8, p=1, dklen=16).hex()


def _plain(facts: dict[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(facts, default=str))
    return plain
