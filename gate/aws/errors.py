"""The errors of AWS calls, each as one of the gate's that says what is missing."""

from __future__ import annotations

from botocore.exceptions import (
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
MISREAD = (LookupError, TypeError, ValueError, AttributeError, RecursionError)


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

    return (ResponseParserError, *MISREAD)


def explained(error: ClientError, permission: str, about: str, absent: tuple[str, ...] = ()) -> AwsRefused:
    """An AWS error response as AwsRefused; see `gate.aws.calls.ask`."""
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
    """A call without a usable answer as AwsRefused; see `gate.aws.calls.ask`."""
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
