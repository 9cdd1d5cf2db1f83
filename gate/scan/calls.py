"""Asking ECR and Inspector: what is transient is asked again, everything else becomes one of the gate's errors."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    HTTPClientError,
    NoCredentialsError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)
from botocore.parsers import ResponseParserError

from gate.errors import RegistryRefused, ScanUnavailable
from gate.text import plain

ATTEMPTS = 6
# Throttling as the AWS services name it (botocore's own retry handler knows the same set).
_THROTTLED = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottled",
        "RequestThrottledException",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "SlowDown",
    }
)
_SERVER_ERROR = 500
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "UnrecognizedClientException", "InvalidClientTokenId"})
_SIGN_IN = "sign in again (aws sso login, or fresh role credentials) and repeat the run"


class _PassingTrouble(Exception):
    """Something that may be gone when asked again."""


@dataclass(frozen=True)
class Timekeeper:
    """Every use of time, so that a test can say what time it is.

    Attributes:
        now: the present in UTC.
        monotonic: seconds that never jump; timeouts are measured with it.
        sleep: waits some seconds.
    """

    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


def code_of(error: ClientError) -> str:
    """The error code of an AWS answer."""
    return str(error.response.get("Error", {}).get("Code", ""))


def message_of(error: ClientError) -> str:
    """The message of an AWS answer, made harmless."""
    return plain(str(error.response.get("Error", {}).get("Message", "")))


@dataclass(frozen=True)
class Caller:
    """Asks one client, patiently.

    Attributes:
        client: a boto3 client.
        time: see `Timekeeper`.
        progress: is told each wait in a few words.
    """

    client: Any
    time: Timekeeper
    progress: Callable[[str], None]

    def ask(self, operation: str, *, needs: str, expect: tuple[str, ...] = (), **request: Any) -> dict[str, Any]:
        """The answer of an operation (in boto3's spelling, such as start_image_scan).

        Args:
            operation: the client's method.
            needs: a member that every whole answer holds; botocore reads garbage with status 200 as an empty answer.
            expect: error codes that the caller handles; they are raised as ClientError.
            request: the operation's parameters.

        Raises:
            ClientError: with a code of `expect`.
            RegistryRefused: the call is refused; asking again will not help.
            ScanUnavailable: no usable answer came in six attempts.
        """
        last = ""
        for attempt in range(ATTEMPTS):
            try:
                return self._once(operation, needs, expect, request)
            except _PassingTrouble as trouble:
                last = str(trouble)
            self._pause(operation, attempt, last)
        raise ScanUnavailable(
            f"{operation} was not answered in {ATTEMPTS} attempts; the last one failed with {last}",
            where=plain(str(request)),
            remedy="see whether the service is up and this machine reaches it, then run again",
        )

    def _once(self, operation: str, needs: str, expect: tuple[str, ...], request: dict[str, Any]) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(self.client, operation)(**request)
        except ClientError as error:
            if code_of(error) in expect:
                raise
            if _transient(error):
                raise _PassingTrouble(f"{code_of(error)}: {message_of(error)}") from error
            raise _refused(operation, error) from error
        except (NoCredentialsError, TokenRetrievalError, UnauthorizedSSOTokenError) as error:
            raise RegistryRefused(f"There are no valid AWS credentials: {error}", remedy=_SIGN_IN) from error
        except (ConnectionError, HTTPClientError, ResponseParserError) as error:
            raise _PassingTrouble(plain(f"{type(error).__name__}: {error}")) from error
        except BotoCoreError as error:
            raise ScanUnavailable(f"The call {operation} could not be made: {plain(str(error))}") from error
        if needs not in answer:
            raise _PassingTrouble(f"an answer without {needs}")
        return answer

    def _pause(self, operation: str, attempt: int, last: str) -> None:
        if attempt + 1 < ATTEMPTS:
            seconds = float(2**attempt)
            self.progress(f"{operation}: {last}; asking again in {seconds:.0f} s")
            self.time.sleep(seconds)


def _transient(error: ClientError) -> bool:
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return code_of(error) in _THROTTLED or status >= _SERVER_ERROR


def _refused(operation: str, error: ClientError) -> RegistryRefused:
    code = code_of(error)
    if code in _EXPIRED:
        return RegistryRefused(f"The AWS credentials have expired or are invalid ({code})", remedy=_SIGN_IN)
    remedy = f"allow ecr/inspector2 {operation} to the role of this run" if "AccessDenied" in code else ""
    return RegistryRefused(f"{operation} was refused: {code}: {message_of(error)}", remedy=remedy)
