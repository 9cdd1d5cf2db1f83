"""The call log: every AWS call of a run, recorded through botocore's events as it happens."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from gate.registry.permitted import PUSH, AwsCall

_MARK = "release-gate-call"
# Parameters that name what a call is about, the most telling first. Their values are names, never secrets.
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


def _utc_now() -> datetime:
    return datetime.now(UTC)


class CallLog:
    """The calls of one run. Calls from several threads may be recorded side by side.

    Args:
        now: the time of day.
        clock: a clock that never jumps, in seconds.
        on_call: told of each call when it has ended (or a push is noted).
    """

    def __init__(
        self,
        now: Callable[[], datetime] = _utc_now,
        clock: Callable[[], float] = time.monotonic,
        on_call: Callable[[AwsCall], None] | None = None,
    ) -> None:
        self._now, self._clock, self._on_call = now, clock, on_call
        self._calls: list[AwsCall] = []
        self._started: list[float] = []
        self._sessions: list[Any] = []
        self._lock = threading.Lock()

    @property
    def calls(self) -> tuple[AwsCall, ...]:
        """Every call so far, in the order sent; one that has no answer yet is "unanswered"."""
        with self._lock:
            return tuple(self._calls)

    def attach(self, session: Any) -> None:
        """Record every client that is made from this boto3 session hereafter; once, however often it is attached."""
        if any(session is each for each in self._sessions):
            return
        self._sessions.append(session)
        session.events.register_first("before-parameter-build.*.*", self._sent)
        session.events.register_last("after-call.*.*", self._answered)
        session.events.register_last("after-call-error.*.*", self._failed)

    def note_push(self, repository: str, tag: str, outcome: str, region: str) -> None:
        """Enter what a `docker push` asks of ECR: it does not go through botocore."""
        resource = f"{repository}:{tag}"
        for operation in ("GetAuthorizationToken", "BatchCheckLayerAvailability", *PUSH):
            self._enter(AwsCall(self._stamp(), "ecr", operation, resource, outcome, 0.0, 0, region))

    def note_pull(self, repository: str, reference: str, outcome: str, region: str) -> None:
        """Enter what a `docker pull`, or reading a blob over /v2/, asks of ECR."""
        for operation in ("BatchGetImage", "GetDownloadUrlForLayer"):
            self._enter(AwsCall(self._stamp(), "ecr", operation, f"{repository}@{reference}", outcome, 0.0, 0, region))

    def _stamp(self) -> str:
        return self._now().isoformat(timespec="milliseconds")

    def _enter(self, call: AwsCall) -> None:
        with self._lock:
            self._calls.append(call)
            self._started.append(self._clock())
        if self._on_call:
            self._on_call(call)

    def _sent(self, params: Mapping[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
        # The service's IAM-style name, not botocore's client name: "ecr", "lambda", "events".
        metadata = model.service_model
        service, region = metadata.service_name, str(context.get("client_region", ""))
        call = AwsCall(self._stamp(), service, model.name, _resource(params), "unanswered", 0.0, 0, region)
        with self._lock:
            context[_MARK] = len(self._calls)
            self._calls.append(call)
            self._started.append(self._clock())

    def _answered(self, parsed: Mapping[str, Any], context: dict[str, Any], **_: Any) -> None:
        retries = parsed.get("ResponseMetadata", {}).get("RetryAttempts", 0)
        self._settle(context, parsed.get("Error", {}).get("Code", "ok"), retries)

    def _failed(self, exception: BaseException, context: dict[str, Any], **_: Any) -> None:
        self._settle(context, type(exception).__name__, 0)

    def _settle(self, context: dict[str, Any], outcome: str, retries: int) -> None:
        place = context.get(_MARK)
        if place is None:
            return
        with self._lock:
            seconds = round(self._clock() - self._started[place], 3)
            call = replace(self._calls[place], outcome=outcome, seconds=seconds, retries=retries)
            self._calls[place] = call
        if self._on_call:
            self._on_call(call)


def _resource(params: Mapping[str, Any]) -> str:
    name = next((params[key] for key in _NAMES if params.get(key)), "*")
    name = ",".join(map(str, name)) if isinstance(name, list) else str(name)
    tag, digest = params.get("imageTag"), params.get("imageDigest")
    # An image is named as docker names it, its tag before its digest.
    return name + (f":{tag}" if tag else "") + (f"@{digest}" if digest and not tag else "")
