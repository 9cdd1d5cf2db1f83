"""The log of a release: each step with its command, identity, time and outcome, recorded as it happens (AC8)."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from gate.aws.partition import registry_host
from gate.check import NoGo
from gate.errors import GateError, one_line

RUNNING = "running"
DONE = "done"
WHOAMI = "aws sts get-caller-identity"


@dataclass(frozen=True)
class LoggedStep:
    """One step of a release, as AC8 wants it recorded.

    Attributes:
        number: its place in the release, from 1.
        command: as one would type it.
        identity: the ARN that did it, and the profile if one was named.
        started: UTC time, ISO 8601.
        seconds: how long it took, 0 while it runs.
        outcome: "running", "done: …", "refused: …" or "verified, not repeated: …".
    """

    number: int
    command: str
    identity: str
    started: str
    seconds: float
    outcome: str


class ReleaseLog:
    """Records the steps; a run that is killed leaves the step that it had begun, as "running".

    Args:
        identity: who does it: the caller's ARN, and the profile if one was named.
        now: the time of day, in UTC.
        on_step: is given each step twice, when it begins and when it has ended (same number).
        clock: seconds, never jumping.
    """

    def __init__(
        self,
        identity: str,
        now: Callable[[], datetime],
        on_step: Callable[[LoggedStep], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._identity, self._now, self._on_step, self._clock = identity, now, on_step, clock
        self._steps: list[LoggedStep] = []

    @property
    def steps(self) -> tuple[LoggedStep, ...]:
        """Every step so far."""
        return tuple(self._steps)

    @contextmanager
    def step(self, command: str) -> Iterator[Callable[[str], None]]:
        """Record one step; the block states its outcome by calling the function that it is given."""
        began, start = self._now().isoformat(timespec="seconds"), self._clock()
        step = LoggedStep(len(self._steps) + 1, command, self._identity, began, 0.0, RUNNING)
        self._steps.append(step)
        self._on_step(step)
        outcome = DONE

        def done(said: str) -> None:
            nonlocal outcome
            outcome = said

        try:
            yield done
        except BaseException as error:
            outcome = f"refused: {_in_a_line(error)}"
            raise
        finally:
            ended = replace(step, seconds=round(self._clock() - start, 2), outcome=outcome)
            self._steps[step.number - 1] = ended
            self._on_step(ended)


def _in_a_line(error: BaseException) -> str:
    if isinstance(error, GateError):
        return one_line(error.cause)
    if isinstance(error, NoGo):
        return "; ".join(rejection.cause for rejection in error.result.rejections)
    return f"{type(error).__name__}: {error}"


@dataclass(frozen=True)
class Commands:
    """The commands of a release, about one repository, as a person would type them.

    Attributes:
        account: the twelve-digit account.
        region: of the repository.
        repository: its name.
    """

    account: str
    region: str
    repository: str

    @property
    def host(self) -> str:
        """The registry's host."""
        return registry_host(self.account, self.region)

    def baseline(self, function: str) -> str:
        """The reading that begins the zip function's baseline."""
        return self._aws("lambda", "get-function", function_name=function)

    def login(self) -> str:
        """Logging in to the registry."""
        password = self._aws("ecr", "get-login-password")
        return f"{password} | docker login --username AWS --password-stdin {self.host}"

    def push(self, tag: str) -> str:
        """Pushing an image under a tag."""
        return f"docker push {self.host}/{self.repository}:{tag}"

    def pull(self, digest: str) -> str:
        """Pulling what is published."""
        return f"docker pull {self.host}/{self.repository}@{digest}"

    def request_scan(self, digest: str) -> str:
        """Asking for a scan of a digest."""
        return self._ecr("start-image-scan", image_id=f"imageDigest={digest}")

    def put_image(self, digest: str, tag: str) -> str:
        """Making a tag name a digest that the repository holds."""
        body = self._ecr("batch-get-image", image_ids=f"imageDigest={digest}")
        get = f'"$({body} --query images[0].imageManifest --output text)"'
        return f"{self._ecr('put-image', image_tag=tag, image_digest=digest)} --image-manifest {get}"

    def describe_images(self) -> str:
        """Reading back what the repository holds."""
        return self._ecr("describe-images")

    def _ecr(self, operation: str, **options: str) -> str:
        return self._aws("ecr", operation, repository_name=self.repository, **options)

    def _aws(self, service: str, operation: str, **options: str) -> str:
        words = ["aws", service, operation]
        for option, value in options.items():
            words += [f"--{option.replace('_', '-')}", value]
        return shlex.join([*words, "--region", self.region])
