"""What a run asked of AWS, recorded through botocore's events: each call, and the endpoint of each client."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from gate.aws.endpoints import Endpoint
from gate.registry.permitted_calls import PUSH, AwsCall

_MARK = "release-gate-call"
# Parameters that name the resource of a call, the most specific first. Their values are names, never secrets.
_NAMES = (
    "repositoryName",
    "repositoryNames",
    "FunctionName",
    "RoleArn",
    "RoleName",
    "UserName",
    "PolicySourceArn",
    "PolicyArn",
    "Rule",
    "TargetArn",
    "resourceArn",
    "ResourceArn",
    "Name",
    "StackName",
)


class CallLog:
    """The AWS calls of one run; several threads may record at once.

    Args:
        now: the current time in UTC.
    """

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._calls: list[AwsCall] = []
        self._lock = threading.Lock()

    @property
    def calls(self) -> tuple[AwsCall, ...]:
        """Every call so far, in the order sent; the outcome of a call in progress is "unanswered"."""
        with self._lock:
            return tuple(self._calls)

    def attach(self, session: Any) -> None:
        """Record the calls of all clients that this boto3 session makes from now on; repeating this changes nothing."""
        mine = f"AWS call log {id(self)}"  # botocore registers nothing twice under one identifier
        session.events.register_first("before-parameter-build.*.*", self._sent, f"{mine}, sent")
        session.events.register_last("after-call.*.*", self._answered, f"{mine}, answered")
        session.events.register_last("after-call-error.*.*", self._failed, f"{mine}, failed")

    def note_push(self, repository: str, tag: str, outcome: str, region: str) -> None:
        """Record the ECR calls of a `docker push`, which does not use botocore."""
        resource = f"{repository}:{tag}"
        for operation in ("GetAuthorizationToken", "BatchCheckLayerAvailability", *PUSH):
            self._enter(AwsCall(self._stamp(), "ecr", operation, resource, outcome, 0.0, 0, region))

    def note_pull(self, repository: str, reference: str, outcome: str, region: str) -> None:
        """Record the ECR calls of a `docker pull`, or of reading a blob over /v2/."""
        for operation in ("BatchGetImage", "GetDownloadUrlForLayer"):
            self._enter(AwsCall(self._stamp(), "ecr", operation, f"{repository}@{reference}", outcome, 0.0, 0, region))

    def _stamp(self) -> str:
        return self._now().isoformat(timespec="milliseconds")

    def _enter(self, call: AwsCall) -> None:
        with self._lock:
            self._calls.append(call)

    def _sent(self, params: Mapping[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
        # The service's name as IAM writes it: "ecr", "lambda", "events".
        metadata = model.service_model
        service, region = metadata.service_name, str(context.get("client_region", ""))
        call = AwsCall(self._stamp(), service, model.name, _resource(params), "unanswered", 0.0, 0, region)
        with self._lock:
            context[_MARK] = len(self._calls), time.monotonic()
            self._calls.append(call)

    def _answered(self, parsed: Mapping[str, Any], context: dict[str, Any], **_: Any) -> None:
        retries = parsed.get("ResponseMetadata", {}).get("RetryAttempts", 0)
        self._settle(context, parsed.get("Error", {}).get("Code", "ok"), retries)

    def _failed(self, exception: BaseException, context: dict[str, Any], **_: Any) -> None:
        self._settle(context, type(exception).__name__, 0)

    def _settle(self, context: dict[str, Any], outcome: str, retries: int) -> None:
        if _MARK not in context:
            return
        place, started = context[_MARK]
        with self._lock:
            seconds = round(time.monotonic() - started, 3)
            self._calls[place] = replace(self._calls[place], outcome=outcome, seconds=seconds, retries=retries)


def _resource(params: Mapping[str, Any]) -> str:
    name = next((params[key] for key in _NAMES if params.get(key)), "*")
    name = ",".join(map(str, name)) if isinstance(name, list) else str(name)
    tag, digest = params.get("imageTag"), params.get("imageDigest")
    # An image is named as Docker does it: by its tag, or else by its digest.
    return name + (f":{tag}" if tag else "") + (f"@{digest}" if digest and not tag else "")


class ClientRecorder:
    """Records the endpoints of the clients of one run.

    It uses botocore's events, so it also records the clients that a session makes itself, to assume a role or to renew
    a login.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._endpoints: dict[Endpoint, None] = {}

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Each endpoint of a client or request, and each registry that ECR named; in the order recorded."""
        with self._lock:
            return tuple(self._endpoints)

    @property
    def elsewhere(self) -> tuple[Endpoint, ...]:
        """Those that are not endpoints of AWS."""
        return tuple(each for each in self.endpoints if not each.is_aws)

    def attach(self, session: Any, account: str) -> None:
        """Record every client that this boto3 session makes from now on; repeating this changes nothing.

        Args:
            session: a session that has not made any client yet.
            account: the account whose registry ECR should name.
        """
        mine = f"client recorder {id(self)}"  # botocore registers nothing twice under one identifier
        session.events.register("creating-client-class", self._record_class, f"{mine}, client")
        record = partial(self._record_registry, account)
        session.events.register_last("after-call.ecr.GetAuthorizationToken", record, f"{mine}, registry")

    def _record_class(self, base_classes: list[type], **_: Any) -> None:
        record = self._record_client

        class RecordedClient:
            """A client that is recorded as soon as it is made."""

            def __init__(self, *arguments: Any, **named: Any) -> None:
                super().__init__(*arguments, **named)
                record(self)

        base_classes.insert(0, RecordedClient)

    def _record_client(self, client: Any) -> None:
        self._record(client.meta, client.meta.endpoint_url)
        # Endpoint rules may give a request another host than its client has; this handler runs after all others.
        client.meta.events.register_last(
            "request-created", lambda request, **_: self._record(client.meta, _without_path(request.url))
        )

    def _record(self, meta: Any, url: str) -> None:
        model = meta.service_model
        self._enter(Endpoint(str(model.service_name), str(meta.region_name or ""), url, str(model.endpoint_prefix)))

    def _record_registry(self, account: str, parsed: Mapping[str, Any], context: Mapping[str, Any], **_: Any) -> None:
        region = str(context.get("client_region", ""))
        given = parsed.get("authorizationData")
        for each in given if isinstance(given, list) else ():
            address = each.get("proxyEndpoint") if isinstance(each, Mapping) else None
            self._enter(Endpoint("ecr", region, str(address), registry_of=account))

    def _enter(self, endpoint: Endpoint) -> None:
        with self._lock:
            self._endpoints[endpoint] = None


def _without_path(url: str) -> str:
    scheme, _, rest = url.partition("://")
    ends = [place for mark in "/?#" if (place := rest.find(mark)) >= 0]
    return f"{scheme}://{rest[: min(ends)] if ends else rest}"
