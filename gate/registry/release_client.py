"""The release client: made once in a run, it hands out registry, caller, zip function and release."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError

from gate.aws.call_log import CallLog
from gate.aws.errors import ask, readable
from gate.check import require
from gate.errors import AwsRefused
from gate.legacy import baseline
from gate.legacy.history import ZipHistory
from gate.legacy.reader import ZipFunction
from gate.legacy.snapshot import FunctionSnapshot
from gate.registry.diary import Diary
from gate.registry.ecr import EcrRepository
from gate.registry.login import Login
from gate.registry.manifest import StoredManifest
from gate.registry.promotion import Caller, Tags, check_caller
from gate.registry.publication import CheckedImage, Publication, Step
from gate.registry.publish import Publisher
from gate.registry.pull import pull
from gate.registry.push import Patience, push
from gate.registry.typed import Typed
from gate.release import Release

_PATIENT = Config(retries={"mode": "standard", "total_max_attempts": 6}, connect_timeout=10, read_timeout=60)


@dataclass(frozen=True)
class ReleaseDependencies:
    """What the release client needs of the run around it.

    Attributes:
        engine: docker-py's APIClient (its timeout bounds the silence of a push).
        say: told of progress, one line each.
        on_step: told of each step when it begins and when it has ended.
        learn_secret: told each password, so that it is redacted everywhere.
        may_spoil: whether the target is made to be spoiled (the local one).
        profile: the AWS profile, "" if none was named.
        endpoint: one address for every AWS service, None to follow the ordinary AWS configuration chain.
    """

    engine: Any
    say: Callable[[str], None]
    on_step: Callable[[Step], None]
    learn_secret: Callable[[str], None]
    may_spoil: bool = False
    profile: str = ""
    endpoint: str | None = None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic


class ReleaseClient:
    """Everything of one run that talks to AWS about the release.

    Args:
        session: a boto3 session that carries credentials, region and endpoints; the call log is attached to it here.
        release: what pytest.ini states.
        call log: records every call made through the release client's clients, or through others of the same session.
        around: the run.
    """

    def __init__(self, session: Any, release: Release, call_log: CallLog, around: ReleaseDependencies) -> None:
        call_log.attach(session)
        self.session, self.release, self.call_log, self._around = session, release, call_log, around
        self.tags = Tags(release.release_tag, release.rolling_tag, release.candidate_tag)

    def client(self, service: str) -> Any:
        """A client of this session, patient with throttling and 5xx answers.

        Raises:
            AwsRefused: the session has no region, or names an unknown profile.
        """
        try:
            return self.session.client(service, config=_PATIENT, endpoint_url=self._around.endpoint)
        except BotoCoreError as error:
            raise AwsRefused(
                f"No AWS client can be made for {service}: {error}",
                remedy="set the region (AWS_DEFAULT_REGION, or in the profile) and name an existing profile",
            ) from error

    @cached_property
    def ecr(self) -> EcrRepository:
        """The release's repository."""
        release, call_log = self.release, self.call_log
        return EcrRepository(
            self.client("ecr"),
            release.account,
            release.repository,
            learn_secret=self._around.learn_secret,
            note_pull=lambda digest, outcome: call_log.note_pull(release.repository, digest, outcome, release.region),
        )

    @cached_property
    def zip_function(self) -> ZipFunction:
        """The zip function beside the release."""
        around = self._around
        functions, events, scheduler = (self.client(service) for service in ("lambda", "events", "scheduler"))
        name = self.release.zip_function
        return ZipFunction(functions, events, scheduler, name, sleep=around.sleep, now=around.now)

    @cached_property
    def zip_history(self) -> ZipHistory:
        """What CloudTrail and CloudWatch know of the zip function; only AWS has these."""
        return ZipHistory(self.client("cloudtrail"), self.client("cloudwatch"), self._around.now)

    @cached_property
    def caller(self) -> Caller:
        """Who makes the calls, and in which region."""
        answer = ask(self.client("sts").get_caller_identity, "sts:GetCallerIdentity", "the caller")
        with readable("GetCallerIdentity"):
            return Caller(answer["Account"], answer["Arn"], self.ecr.region, self._around.profile)

    @cached_property
    def diary(self) -> Diary:
        """The steps of this run's release, in order."""
        around = self._around
        return Diary(str(self.caller), around.now, around.on_step, around.clock)

    @cached_property
    def publisher(self) -> Publisher:
        """Pushes the candidate, gives the tags, and puts `latest` back."""
        return Publisher(
            ecr=self.ecr,
            tags=self.tags,
            caller=self.caller,
            region=self.release.region,
            zip_function=self.release.zip_function,
            push=self._push,
            diary=self.diary,
            sleep=self._around.sleep,
            may_spoil=self._around.may_spoil,
        )

    @property
    def typed(self) -> Typed:
        """The commands of this release, as one would type them."""
        return Typed(self.release.account, self.release.region, self.release.repository)

    def push_candidate(self, image: CheckedImage, *, kept: Path, admit: Callable[[], None]) -> Publication:
        """Keep the zip function's baseline in a file, and push the image under the candidate tag.

        See `Publisher.push_candidate` for what it raises.
        """
        return self.publisher.push_candidate(image, legacy=lambda: self._baseline(kept), admit=admit)

    def published_digest(self) -> str:
        """The digest that the release tag names, for a run that only verifies.

        Raises:
            NoGo: wrong account or region.
            AwsRefused: the tag names nothing.
        """
        require(check_caller(self.caller, self.release.account, self.release.region))
        digest = self.ecr.snapshot().naming().get(self.tags.release)
        if digest is None:
            # Not a judgement on an image: there is none to check.
            raise AwsRefused(
                f"The tag {self.tags.release!r} names nothing in the registry",
                where=self.release.repository_uri,
                remedy="publish the release first (`make accept`, or --target aws --publish), or correct the tag",
            )
        return digest

    def pull(self, digest: str) -> str:
        """Pull a published digest, to check it; the answer is what the engine calls it."""
        outcome = "refused"
        try:
            held = pull(self._around.engine, self.ecr.login(), self.release.repository, digest, self._around.say)
            outcome = "ok"
        finally:
            self.call_log.note_pull(self.release.repository, digest, outcome, self.release.region)
        with readable("docker inspect"):
            return str(held["Id"])

    def verify(self, digest: str, image: CheckedImage | None = None) -> Publication:
        """What the registry holds under a digest now, changing nothing.

        Args:
            digest: the digest that this run checks.
            image: the image as it was checked; without one (a rescan) config and size stay unknown, which no
                check of them accepts.
        """
        manifest = self.ecr.manifest(digest)
        return Publication(
            digest=digest,
            manifest=manifest,
            platform=self._platform(manifest),
            config_digest=image.config_digest if image else "unknown: no image was checked",
            uncompressed_bytes=image.uncompressed_bytes if image else 0,
            after=self.ecr.snapshot(),
        )

    def _platform(self, manifest: StoredManifest) -> str:
        # An index has no platform of its own; the check of admission then has the last word, and says no.
        try:
            return self.ecr.config(manifest).platform
        except AwsRefused as refusal:
            return f"unknown: {refusal.cause}"

    def _baseline(self, kept: Path) -> FunctionSnapshot:
        snapshot = self.zip_function.snapshot()
        baseline.keep(kept, snapshot)
        return snapshot

    def _push(self, image: str, login: Login, tag: str) -> str:
        around, repository, outcome = self._around, self.release.repository, "refused"
        patience = Patience(around.sleep, around.clock)
        try:
            digest = push(around.engine, image, login, repository, tag, around.say, patience)
            outcome = "ok"
        finally:
            self.call_log.note_push(repository, tag, outcome, self.release.region)
        return digest
