"""Asking AWS, and saying what is missing when it refuses: one place for every client of the gate."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

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
# Throttling as the AWS services name it (botocore's own retry handler knows the same set), and trouble of their own.
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
# What reading an answer raises when it has another shape than the service's.
_MISREAD = (LookupError, TypeError, ValueError, AttributeError, RecursionError)


class NotThere(AwsRefused):
    """AWS answers that the thing asked for does not exist."""


def error_code(error: ClientError) -> str:
    """The code by which AWS names an error."""
    return str(error.response.get("Error", {}).get("Code", ""))


def error_message(error: ClientError) -> str:
    """The message of an AWS error, made harmless."""
    return plain(str(error.response.get("Error", {}).get("Message", "")))


def garbled() -> tuple[type[Exception], ...]:
    """What botocore's parsers raise, or let through, when an answer is none of the service's.

    Bytes that are no text, a list where an object belongs, brackets without end. Asked for only when something was
    raised: the parsers take long to import, and the checks' modules import this one.
    """
    from botocore.parsers import ResponseParserError

    return (ResponseParserError, *_MISREAD)


def ask(
    call: Callable[..., dict[str, Any]], permission: str, about: str, /, absent: tuple[str, ...] = (), **parameters: Any
) -> dict[str, Any]:
    """Call AWS.

    Args:
        call: the client's method.
        permission: the IAM action that it needs, such as "ecr:DescribeImages".
        about: the resource, for the message.
        absent: the error codes that mean "does not exist".
        parameters: the call's own.

    Raises:
        NotThere: the answer is one of `absent`.
        AwsRefused: anything else but an answer; says which permission or what else is missing.
    """
    try:
        return call(**parameters)
    except ClientError as error:
        raise explained(error, permission, about, absent) from error
    except (BotoCoreError, *garbled()) as error:
        raise unanswered(error, permission, about) from error


def pages(
    client: Any, operation: str, permission: str, about: str, /, absent: tuple[str, ...] = (), **parameters: Any
) -> Iterator[dict[str, Any]]:
    """Every page of a paged call, in order; errors as in `ask`. `operation` is the client's method name."""
    answers = iter(client.get_paginator(operation).paginate(**parameters))
    while True:
        page = ask(lambda: next(answers, {}), permission, about, absent)
        if not page:
            return
        yield page


@contextmanager
def readable(answer: str) -> Iterator[None]:
    """Read an answer's fields in this block; one that is missing or of another kind is a refusal, not a crash."""
    try:
        yield
    except (*_MISREAD, OverflowError) as error:
        raise AwsRefused(
            f"The answer of {answer} cannot be read: {type(error).__name__}: {plain(str(error))}",
            where=answer,
            remedy="look at the answer itself (`aws … --debug`); the service or an emulator answers in another shape",
        ) from error


def explained(error: ClientError, permission: str, about: str, absent: tuple[str, ...] = ()) -> AwsRefused:
    """An error of AWS's as a refusal that says what is missing; see `ask`."""
    code = error_code(error)
    message = error_message(error) or "no reason given"
    where = f"{permission} on {about}"
    if code in absent:
        return NotThere(
            f"{about[:1].upper()}{about[1:]} does not exist ({code})",
            where=where,
            remedy="create it, or correct pytest.ini",
        )
    if code in NOT_ALLOWED:
        return AwsRefused(
            f"The caller is not allowed {permission} on {about}: {message}",
            where=where,
            remedy=f"grant {permission} to the role that runs the gate, or run it under the role that has it",
        )
    if code in LOGGED_OUT:
        return AwsRefused(
            f"The AWS credentials are not accepted ({code}): {message}",
            where=where,
            remedy="log in again (`aws sso login`, or assume the role anew), then run the gate again",
        )
    if code in BUSY:
        return AwsRefused(
            f"AWS did not answer {permission}, after retries: {code}: {message}", where=where, remedy="run again later"
        )
    return AwsRefused(f"AWS refused {permission} on {about}: {code}: {message}", where=where)


def unanswered(error: Exception, permission: str, about: str) -> AwsRefused:
    """A call that never became an answer, as a refusal that says what is missing; see `ask`."""
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
