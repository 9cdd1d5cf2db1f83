"""Everything of a run that talks to AWS about the release: registry, caller, zip function; made once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from botocore.exceptions import BotoCoreError

from gate.aws.calls import CallLog, ask, readable
from gate.aws.retry import ATTEMPTS, TimeSource, client_config
from gate.check import require
from gate.errors import AwsRefused
from gate.legacy.cloudtrail import TrailEvent, read_trail
from gate.legacy.reader import ZipFunction
from gate.legacy.snapshot import FunctionSnapshot
from gate.legacy.traffic import Traffic, read_traffic
from gate.publish.promotion_checks import AwsCaller, ReleaseTags, check_caller
from gate.publish.publication import CheckedImage, Publication
from gate.registry.ecr import EcrRepository
from gate.registry.manifest import StoredManifest
from gate.registry.pull import Login, pull
from gate.registry.push import push
from gate.registry.repository import naming
from gate.registry.signing_and_replication_reader import SigningAndReplicationReader
from gate.release import Release


@dataclass(eq=False)
class ReleaseClient:
    """Everything of one run that talks to AWS about the release.

    Attributes:
        session: a boto3 session that carries credentials, region and endpoints.
        release: what pytest.ini states.
        call_log: records every call of this session's clients; it is attached to the session here.
        engine: docker-py's APIClient (its timeout bounds the silence of a push).
        say: is given progress, one line each.
        learn: is given the secrets of each login, so that they are redacted everywhere.
        allow_destructive: whether overwriting the release tag may be tried: on a target made for it, never on AWS.
        profile: the AWS profile, "" if none was named.
        endpoint: one address for every AWS service, None to follow the ordinary AWS configuration chain.
    """

    session: Any
    release: Release
    call_log: CallLog
    engine: Any
    say: Callable[[str], None]
    learn: Callable[[Iterable[str]], None]
    allow_destructive: bool = False
    profile: str = ""
    endpoint: str | None = None
    time: TimeSource = field(default_factory=TimeSource)

    def __post_init__(self) -> None:
        self.call_log.attach(self.session)

    @property
    def tags(self) -> ReleaseTags:
        """The tags of the release."""
        return ReleaseTags.of(self.release)

    def client(self, service: str, region: str = "", attempts: int = ATTEMPTS) -> Any:
        """A client of this session.

        Args:
            service: AWS's name of the service.
            region: another than the session's.
            attempts: how often botocore asks where it is throttled or answered with 5xx; 1 for a `RetryingClient`.

        Raises:
            AwsRefused: the session has no region, or names an unknown profile.
        """
        config = client_config(attempts)
        try:
            return self.session.client(service, region or None, config=config, endpoint_url=self.endpoint)
        except BotoCoreError as error:
            raise AwsRefused(
                f"No AWS client can be made for {service}: {error}",
                remedy="set the region (AWS_DEFAULT_REGION, or in the profile) and name an existing profile",
            ) from error

    @cached_property
    def ecr(self) -> EcrRepository:
        """The release's repository."""
        account, repository = self.release.account, self.release.repository
        return EcrRepository(self.client("ecr"), account, repository, self.call_log, self.learn)

    @cached_property
    def managed(self) -> SigningAndReplicationReader:
        """What ECR does by itself with the release's images."""
        here = self.release
        clients = lambda region: self.client("ecr", region)  # noqa: E731
        return SigningAndReplicationReader(clients, here.region, here.account, here.repository, self.time, self.say)

    @cached_property
    def zip_function(self) -> ZipFunction:
        """The zip function beside the release."""
        functions, events, scheduler = (self.client(service) for service in ("lambda", "events", "scheduler"))
        name = self.release.zip_function
        return ZipFunction(functions, events, scheduler, name, sleep=self.time.sleep, now=self.time.now)

    def trail(self, baseline: FunctionSnapshot) -> tuple[TrailEvent, ...]:
        """What CloudTrail recorded of the zip function since the baseline; only AWS has it."""
        return read_trail(self.client("cloudtrail"), baseline, self.time.now())

    def traffic(self, baseline: FunctionSnapshot) -> tuple[Traffic, Traffic]:
        """What CloudWatch counted of the zip function before the baseline and since; only AWS has it."""
        return read_traffic(self.client("cloudwatch"), baseline, self.time.now())

    @cached_property
    def caller(self) -> AwsCaller:
        """Who makes the calls, and in which region."""
        return ask(
            self.client("sts"),
            "get_caller_identity",
            "the caller",
            lambda answer: AwsCaller(answer["Account"], answer["Arn"], self.ecr.region, self.profile),
        )

    def published_digest(self) -> str:
        """The digest that the release tag names, for a run that only verifies.

        Raises:
            NoGo: wrong account or region.
            AwsRefused: the tag names nothing.
        """
        require(check_caller(self.caller, self.release.account, self.release.region))
        digest = naming(self.ecr.images()).get(self.tags.release)
        if digest is None:
            # Not a rejection: there is no image to check.
            raise AwsRefused(
                f"The tag {self.tags.release!r} names nothing in the registry",
                where=self.release.repository_uri,
                remedy="publish the release first (`make accept`, or --target aws --publish), or correct the tag",
            )
        return digest

    def pull(self, digest: str) -> str:
        """Pull a published digest, to check it; the answer is what the engine calls it."""
        repository = self.release.repository
        with self.call_log.pulling(repository, digest, self.release.region), readable("docker inspect"):
            held = pull(self.engine, self.ecr.login(), repository, digest, self.say)
            return str(held["Id"])

    def push(self, image: str, login: Login, tag: str) -> str:
        """Push an image of the engine under a tag; the answer is the digest that the registry holds.

        Raises:
            GateError: see `gate.registry.push.push`.
        """
        repository = self.release.repository
        with self.call_log.pushing(repository, tag, self.release.region):
            return push(self.engine, image, login, repository, tag, self.say, self.time)

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
