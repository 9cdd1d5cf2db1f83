"""The log of a release: each step with its command, identity, time and outcome, recorded as it happens (AC8)."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from gate.aws.partition import registry_host
from gate.aws.retry import TimeSource
from gate.check import NoGo
from gate.errors import GateError, one_line
from gate.evidence.deployment_notes import ReleaseStep
from gate.evidence.store import readable
from gate.image.build import BuiltImage
from gate.text import plain

if TYPE_CHECKING:
    from gate.run.model import Run

STEPS = "steps.json"
RUNNING = "running"
WHOAMI = "aws sts get-caller-identity"
# Who builds: no AWS identity does.
ENGINE = "the local Docker engine"


class ReleaseLog:
    """The steps of a run's release; a run that is killed leaves the step that it had begun, as "running".

    Args:
        run: its store gets each step twice, when it begins and when it has ended; its terminal, when it has ended.
        identity: who does it: the caller's ARN, and the profile if one was named.
        time: the time of day, and the clock.
    """

    def __init__(self, run: Run, identity: str, time: TimeSource) -> None:
        self._run, self._identity, self._time = run, identity, time
        self.steps: tuple[ReleaseStep, ...] = ()

    @contextmanager
    def step(self, command: str) -> Iterator[list[str]]:
        """Record one step; its outcome is the last text in the list, "done" unless the block appends another."""
        place, start = len(self.steps), self._time.monotonic()
        step = ReleaseStep(command, self._identity, self._time.now().isoformat(timespec="seconds"), 0.0, RUNNING)
        self.steps += (step,)
        self._record(place + 1, step)
        said = ["done"]
        try:
            yield said
        except BaseException as error:
            said.append(f"refused: {_in_a_line(error)}")
            raise
        finally:
            ended = replace(step, seconds=round(self._time.monotonic() - start, 2), outcome=said[-1])
            self.steps = (*self.steps[:place], ended, *self.steps[place + 1 :])
            self._record(place + 1, ended)
            where = "" if self._run.target == "aws" else "simulated: "
            self._run.terminal.progress(f"{where}{plain(command, 60)}: {plain(said[-1], 36)}")

    def _record(self, number: int, step: ReleaseStep) -> None:
        answer = {"number": number, "command": step.command, "identity": step.identity, "started": step.at,
                  "seconds": step.seconds, "outcome": step.outcome}  # fmt: skip
        title = f"step {number} {step.outcome.partition(':')[0]}"
        self._run.store.record(title, answer, asked=step.command, criterion=8)


def _in_a_line(error: BaseException) -> str:
    if isinstance(error, GateError):
        return one_line(error.cause)
    if isinstance(error, NoGo):
        return "; ".join(rejection.cause for rejection in error.result.rejections)
    return f"{type(error).__name__}: {error}"


def note_build(run: Run, built: BuiltImage, at: str) -> None:
    """Note the build as the first step."""
    outcome = f"done: {built.image_id}"
    run.steps.append(ReleaseStep(built.command, ENGINE, at, round(built.seconds, 1), outcome))


def note_publication(run: Run, digest: str, steps: Sequence[ReleaseStep]) -> None:
    """Note what publishing did so far, after the build, and keep the whole for later verifications."""
    run.steps = [*(step for step in run.steps if step.identity == ENGINE), *steps]
    record: dict[str, Any] = {"digest": digest, "place": run.target, "steps": [asdict(step) for step in run.steps]}
    if run.promotes:
        record["by_name"] = True
    run.store.attach(STEPS, readable(record))


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
