"""Repeats AWS calls that failed for a transient reason, by botocore (`client_config`) or here (`RetryingClient`).

Any other failure becomes one of the gate's errors.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError

from gate.aws.calls import permission_of
from gate.aws.errors import BUSY, error_code, error_message, explained, garbled, unanswered
from gate.errors import ScanUnavailable
from gate.text import plain

ATTEMPTS = 6
_NOW = partial(datetime.now, UTC)
_SERVER_ERROR = 500


def client_config(attempts: int = ATTEMPTS) -> Config:
    """How often a client of this gate asks where it is throttled or answered with 5xx, and how long it waits."""
    return Config(retries={"mode": "standard", "total_max_attempts": attempts}, connect_timeout=10, read_timeout=60)


@dataclass(frozen=True)
class TimeSource:
    """The clock and the sleep that a run uses; a test replaces them.

    Attributes:
        now: the present time in UTC.
        monotonic: a clock in seconds that never jumps, for timeouts.
        sleep: waits a number of seconds.
    """

    now: Callable[[], datetime] = _NOW
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True)
class RetryingClient:
    """A boto3 client whose calls are repeated when they fail for a transient reason, an empty answer among them.

    Attributes:
        client: a boto3 client that itself asks once: six times six attempts would take half an hour to fail.
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
            if attempt:
                seconds = float(2 ** (attempt - 1))
                self.progress(f"{operation}: {last}; repeated in {seconds:.0f} s")
                self.time.sleep(seconds)
            found = self._once(operation, needs, expect, request)
            if not isinstance(found, str):
                return found
            last = found
        raise ScanUnavailable(
            f"{operation} was not answered in {ATTEMPTS} attempts; the last one failed with {last}",
            where=plain(str(request)),
            remedy="check that the service is up and that this machine reaches it, then run again",
        )

    def _once(
        self, operation: str, needs: str, expect: tuple[str, ...], request: dict[str, Any]
    ) -> dict[str, Any] | str:
        """The answer, or for a failure that a repeated call may not meet again, what it was."""
        try:
            answer: dict[str, Any] = getattr(self.client, operation)(**request)
        except ClientError as error:
            code, status = error_code(error), error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            if code in expect:
                raise
            if code in BUSY or status >= _SERVER_ERROR:
                return f"{code}: {error_message(error)}"
            raise explained(error, permission_of(self.client, operation), _about(request)) from error
        except (ConnectionError, HTTPClientError, *garbled()) as error:
            return plain(f"{type(error).__name__}: {error}")
        except BotoCoreError as error:
            raise unanswered(error, permission_of(self.client, operation), _about(request)) from error
        return answer if needs in answer else f"an answer without {needs}"


def _about(request: dict[str, Any]) -> str:
    return str(request.get("repositoryName") or plain(str(request)))
