"""Calls AWS and turns each failure into an error that says what is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    PartialCredentialsError,
    SSOError,
    TokenRetrievalError,
)

from gate.errors import AwsRefused
from gate.text import plain

T = TypeVar("T")
NOT_ALLOWED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError"}
LOGGED_OUT = {
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
    "RequestExpired",
}
# Throttling as the AWS services name it (the same set as in botocore's retry handler), and their internal errors.
BUSY = {
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "TooManyRequestsException",
    "RequestLimitExceeded",
    "ServerException",
    "InternalFailure",
    "ServiceUnavailable",
    "ServiceUnavailableException",
}
# What reading an answer raises when its shape is not that of the service model.
_MISREAD = (LookupError, TypeError, ValueError, AttributeError, RecursionError)


class AwsNotFound(AwsRefused):
    """AWS answers that the resource does not exist."""


def error_code(error: ClientError) -> str:
    """The error code in an AWS error response."""
    return str(error.response.get("Error", {}).get("Code", ""))


def error_message(error: ClientError) -> str:
    """The message in an AWS error response, escaped (`gate.text.plain`)."""
    return plain(str(error.response.get("Error", {}).get("Message", "")))


def garbled() -> tuple[type[Exception], ...]:
    """The exceptions of botocore's parsers for an answer that does not fit the service model.

    Examples: bytes that are not text, a list instead of an object, endless brackets. It is a function because the
    parsers take long to import, and the modules of the checks import this one.
    """
    from botocore.parsers import ResponseParserError

    return (ResponseParserError, *_MISREAD)


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
    client: Any, operation: str, about: str, /, absent: tuple[str, ...] = (), **parameters: Any
) -> Iterator[dict[str, Any]]:
    """The pages of a paginated operation (the client's method name), in order; errors as in `ask`."""
    answers = iter(client.get_paginator(operation).paginate(**parameters))
    while page := _answered(lambda: next(answers, {}), permission_of(client, operation), about, absent):
        yield page


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
    except (*_MISREAD, OverflowError) as error:
        raise AwsRefused(
            f"The answer of {answer} cannot be read: {type(error).__name__}: {plain(str(error))}",
            where=answer,
            remedy="look at the answer itself (`aws … --debug`): it does not have the shape of the service model",
        ) from error


def explained(error: ClientError, permission: str, about: str, absent: tuple[str, ...] = ()) -> AwsRefused:
    """An AWS error response as AwsRefused; see `ask`."""
    code, message = error_code(error), error_message(error) or "no reason given"
    kind: type[AwsRefused] = AwsRefused
    remedy = ""
    if code in absent:
        kind, cause = AwsNotFound, f"{about[:1].upper()}{about[1:]} does not exist ({code})"
        remedy = "create it, or correct pytest.ini"
    elif code in NOT_ALLOWED:
        cause = f"The caller is not allowed {permission} on {about}: {message}"
        remedy = f"grant {permission} to the role that runs the gate, or run it under the role that has it"
    elif code in LOGGED_OUT:
        cause = f"The AWS credentials are not accepted ({code}): {message}"
        remedy = "log in again (`aws sso login`, or assume the role again), then run the gate again"
    elif code in BUSY:
        cause, remedy = f"AWS did not answer {permission}, after retries: {code}: {message}", "run again later"
    else:
        cause = f"AWS refused {permission} on {about}: {code}: {message}"
    return kind(cause, where=f"{permission} on {about}", remedy=remedy)


def unanswered(error: Exception, permission: str, about: str) -> AwsRefused:
    """A call without a usable answer as AwsRefused; see `ask`."""
    where = f"{permission} on {about}"
    if isinstance(error, NoCredentialsError | PartialCredentialsError | SSOError | TokenRetrievalError):
        return AwsRefused(
            f"There are no usable AWS credentials: {error}",
            where=where,
            remedy="name a profile (`--profile`, AWS_PROFILE) and log in, or set the credentials' variables",
        )
    return AwsRefused(
        f"AWS gave no usable answer to {permission}: {type(error).__name__}: {plain(str(error))}",
        where=where,
        remedy="check the network, the region and AWS_ENDPOINT_URL",
    )
