"""The AWS call log: every AWS call of a run, recorded through botocore's events."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

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
        clock: a monotonic clock, in seconds.
        on_call: called with each call when it has ended, and with the calls of a push or pull.
    """

    def __init__(
        self,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
        on_call: Callable[[AwsCall], None] | None = None,
    ) -> None:
        self._now, self._clock, self._on_call = now, clock, on_call
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
        if self._on_call:
            self._on_call(call)

    def _sent(self, params: Mapping[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
        # The service's name as IAM writes it: "ecr", "lambda", "events".
        metadata = model.service_model
        service, region = metadata.service_name, str(context.get("client_region", ""))
        call = AwsCall(self._stamp(), service, model.name, _resource(params), "unanswered", 0.0, 0, region)
        with self._lock:
            context[_MARK] = len(self._calls), self._clock()
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
            seconds = round(self._clock() - started, 3)
            call = replace(self._calls[place], outcome=outcome, seconds=seconds, retries=retries)
            self._calls[place] = call
        if self._on_call:
            self._on_call(call)


def _resource(params: Mapping[str, Any]) -> str:
    name = next((params[key] for key in _NAMES if params.get(key)), "*")
    name = ",".join(map(str, name)) if isinstance(name, list) else str(name)
    tag, digest = params.get("imageTag"), params.get("imageDigest")
    # An image is named as Docker does it: by its tag, or else by its digest.
    return name + (f":{tag}" if tag else "") + (f"@{digest}" if digest and not tag else "")
