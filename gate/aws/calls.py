"""The AWS calls of a run: how one is made and its answer read, and the log of them all, kept by botocore's events."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from gate.aws.errors import MISREAD, explained, garbled, unanswered
from gate.errors import AwsRefused
from gate.registry.permitted_calls import PUSH, AwsCall
from gate.text import plain

T = TypeVar("T")
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


def permission_of(client: Any, operation: str) -> str:
    """The IAM action of an operation (the client's method name) that is named as the API names it."""
    return f"{client.meta.service_model.service_name}:{client.meta.method_to_api_mapping[operation]}"


def ask(
    client: Any,
    operation: str,
    about: str,
    /,
    read: Callable[[dict[str, Any]], T],
    absent: tuple[str, ...] = (),
    **parameters: Any,
) -> T:
    """What is read of the answer of one call to AWS.

    Args:
        client: a boto3 client.
        operation: its method, such as "describe_images"; the service's model names the IAM action that it requires.
        about: the resource, for the error message.
        read: takes from the answer what is wanted of it.
        absent: the error codes that mean that the resource does not exist.
        parameters: the parameters of the call.

    Raises:
        AwsNotFound: the error code is in `absent`.
        AwsRefused: any other failure; it names the missing permission, or what else is missing.
    """
    call, permission = getattr(client, operation), permission_of(client, operation)
    answer = _answered(lambda: call(**parameters), permission, about, absent)
    with readable(permission.partition(":")[2]):
        return read(answer)


def pages(
    client: Any,
    operation: str,
    about: str,
    /,
    read: Callable[[dict[str, Any]], Iterable[T]],
    absent: tuple[str, ...] = (),
    **parameters: Any,
) -> list[T]:
    """What is read of all pages of a paginated operation, in order; arguments and errors as in `ask`."""
    answers, permission = iter(client.get_paginator(operation).paginate(**parameters)), permission_of(client, operation)
    found: list[T] = []
    while page := _answered(lambda: next(answers, {}), permission, about, absent):
        with readable(permission.partition(":")[2]):
            found += read(page)
    return found


def _answered(
    call: Callable[[], dict[str, Any]], permission: str, about: str, absent: tuple[str, ...]
) -> dict[str, Any]:
    try:
        return call()
    except ClientError as error:
        raise explained(error, permission, about, absent) from error
    except (BotoCoreError, *garbled()) as error:
        raise unanswered(error, permission, about) from error


@contextmanager
def readable(answer: str) -> Iterator[None]:
    """In this block, a field of an answer that is missing or has the wrong type raises AwsRefused."""
    try:
        yield
    except (*MISREAD, OverflowError) as error:
        raise AwsRefused(
            f"The answer of {answer} cannot be read: {type(error).__name__}: {plain(str(error))}",
            where=answer,
            remedy="look at the answer itself (`aws … --debug`): it does not have the shape of the service model",
        ) from error


class CallLog:
    """The AWS calls of one run; several threads may record at once.

    Args:
        now: the current time in UTC.
        clock: a monotonic clock, in seconds.
    """

    def __init__(
        self,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._now, self._clock = now, clock
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

    @contextmanager
    def pushing(self, repository: str, tag: str, region: str) -> Iterator[None]:
        """Record the ECR calls of a `docker push` in this block, which does not use botocore."""
        asked = ("GetAuthorizationToken", "BatchCheckLayerAvailability", *PUSH)
        with self._noted(asked, f"{repository}:{tag}", region):
            yield

    @contextmanager
    def pulling(self, repository: str, digest: str, region: str) -> Iterator[None]:
        """Record the ECR calls of a `docker pull`, or of reading a blob over /v2/, in this block."""
        with self._noted(("BatchGetImage", "GetDownloadUrlForLayer"), f"{repository}@{digest}", region):
            yield

    @contextmanager
    def _noted(self, operations: tuple[str, ...], resource: str, region: str) -> Iterator[None]:
        outcome = "refused"
        try:
            yield
            outcome = "ok"
        finally:
            with self._lock:
                self._calls += [AwsCall(self._stamp(), "ecr", each, resource, outcome, 0.0, 0, region)
                                for each in operations]  # fmt: skip

    def _stamp(self) -> str:
        return self._now().isoformat(timespec="milliseconds")

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
            self._calls[place] = replace(self._calls[place], outcome=outcome, seconds=seconds, retries=retries)


def _resource(params: Mapping[str, Any]) -> str:
    name = next((params[key] for key in _NAMES if params.get(key)), "*")
    name = ",".join(map(str, name)) if isinstance(name, list) else str(name)
    tag, digest = params.get("imageTag"), params.get("imageDigest")
    # An image is named as Docker does it: by its tag, or else by its digest.
    return name + (f":{tag}" if tag else "") + (f"@{digest}" if digest and not tag else "")
