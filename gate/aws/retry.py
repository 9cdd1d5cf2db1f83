"""Repeats AWS calls that failed for a transient reason; any other failure becomes one of the gate's errors."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError

from gate.aws.errors import BUSY, error_code, error_message, explained, garbled, permission_of, unanswered
from gate.errors import ScanUnavailable
from gate.text import plain

ATTEMPTS = 6
_SERVER_ERROR = 500


class _TransientFailure(Exception):
    """A failure that a repeated call may not meet again."""


@dataclass(frozen=True)
class TimeSource:
    """The clock and the sleep that a run uses; a test replaces them.

    Attributes:
        now: the present time in UTC.
        monotonic: a clock in seconds that never jumps, for timeouts.
        sleep: waits a number of seconds.
    """

    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True)
class RetryingClient:
    """A boto3 client whose calls are repeated when they fail for a transient reason.

    Attributes:
        client: a boto3 client.
        time: see `TimeSource`.
        progress: called with a few words before each wait.
    """

    client: Any
    time: TimeSource
    progress: Callable[[str], None]

    def ask(self, operation: str, *, needs: str, expect: tuple[str, ...] = (), **request: Any) -> dict[str, Any]:
        """The answer of an operation.

        Args:
            operation: the client's method, such as start_image_scan.
            needs: a field that every complete answer has; botocore reads garbage with status 200 as an empty answer.
            expect: error codes that the caller handles itself.
            request: the operation's parameters.

        Raises:
            ClientError: the error code is in `expect`.
            AwsRefused: AWS refuses the call, and repeating it will not help.
            ScanUnavailable: six attempts gave no usable answer.
        """
        last = ""
        for attempt in range(ATTEMPTS):
            try:
                return self._once(operation, needs, expect, request)
            except _TransientFailure as failure:
                last = str(failure)
            self._pause(operation, attempt, last)
        raise ScanUnavailable(
            f"{operation} was not answered in {ATTEMPTS} attempts; the last one failed with {last}",
            where=plain(str(request)),
            remedy="check that the service is up and that this machine reaches it, then run again",
        )

    def _once(self, operation: str, needs: str, expect: tuple[str, ...], request: dict[str, Any]) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(self.client, operation)(**request)
        except ClientError as error:
            if error_code(error) in expect:
                raise
            if _transient(error):
                raise _TransientFailure(f"{error_code(error)}: {error_message(error)}") from error
            raise explained(error, permission_of(self.client, operation), _about(request)) from error
        except (ConnectionError, HTTPClientError, *garbled()) as error:
            raise _TransientFailure(plain(f"{type(error).__name__}: {error}")) from error
        except BotoCoreError as error:
            raise unanswered(error, permission_of(self.client, operation), _about(request)) from error
        if needs not in answer:
            raise _TransientFailure(f"an answer without {needs}")
        return answer

    def _pause(self, operation: str, attempt: int, last: str) -> None:
        if attempt + 1 < ATTEMPTS:
            seconds = float(2**attempt)
            self.progress(f"{operation}: {last}; repeated in {seconds:.0f} s")
            self.time.sleep(seconds)


def _about(request: dict[str, Any]) -> str:
    return str(request.get("repositoryName") or plain(str(request)))


def _transient(error: ClientError) -> bool:
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return error_code(error) in BUSY or status >= _SERVER_ERROR
