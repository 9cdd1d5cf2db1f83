"""The reader of what ECR does by itself with a pushed image: asks, and waits a bounded time for its end."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from gate.aws.errors import AwsNotFound, ask, readable
from gate.aws.retry import TimeSource
from gate.errors import AwsRefused
from gate.registry.managed import (
    ENDED,
    WAITING,
    Destination,
    ImageSigning,
    Progress,
    Replica,
    destinations,
    signing_profiles,
)

_ABSENT = ("ImageNotFoundException", "RepositoryNotFoundException")
# How long ECR may take to state anything about an image that was just pushed, and between two questions. Seconds.
_SETTLE, _INTERVAL = 60.0, 5.0
_Key = TypeVar("_Key")


@dataclass(frozen=True)
class ManagedReader:
    """Reads signing and replication of the images of one repository.

    Attributes:
        client: makes a boto3 ECR client of a region.
        time: the clock and the sleep.
        say: is given each wait in a few words.
    """

    client: Callable[[str], Any]
    region: str
    account: str
    repository: str
    time: TimeSource
    say: Callable[[str], None] = lambda _: None

    def signing(self, digest: str, limit: float) -> ImageSigning:
        """Managed signing of an image; waits at most `limit` seconds for its end."""
        here = self.client(self.region)
        try:
            answer = ask(here.get_signing_configuration, "ecr:GetSigningConfiguration", "the registry",
                         ("SigningConfigurationNotFoundException",))  # fmt: skip
        except AwsNotFound:
            return ImageSigning()
        with readable("GetSigningConfiguration"):
            profiles = signing_profiles(answer["signingConfiguration"]["rules"], self.repository)
        if not profiles:
            return ImageSigning()

        def read() -> dict[str, Progress]:
            stated = self._stated(here.describe_image_signing_status, "DescribeImageSigningStatus", digest)
            with readable("DescribeImageSigningStatus"):
                return {str(each["signingProfileArn"]): _progress(each) for each in stated.get("signingStatuses", [])}

        return ImageSigning(profiles, self._ended(read, profiles, limit, "ECR signs the image"))

    def replication(self, digest: str, limit: float) -> tuple[Replica, ...]:
        """The image at every destination; waits at most `limit` seconds for the last. None: nothing is replicated."""
        here = self.client(self.region)
        answer = ask(here.describe_registry, "ecr:DescribeRegistry", "the registry")
        with readable("DescribeRegistry"):
            wanted = destinations(answer["replicationConfiguration"]["rules"], self.repository)
        if not wanted:
            return ()

        def read() -> dict[Destination, Progress]:
            stated = self._stated(here.describe_image_replication_status, "DescribeImageReplicationStatus", digest)
            with readable("DescribeImageReplicationStatus"):
                return {Destination(str(each["region"]), str(each["registryId"])): _progress(each)
                        for each in stated.get("replicationStatuses", [])}  # fmt: skip

        found = self._ended(read, wanted, limit, "ECR replicates the image")
        return tuple(self._replica(each, found.get(each, Progress()), digest) for each in wanted)

    def _replica(self, place: Destination, status: Progress, digest: str) -> Replica:
        """What the destination itself answers; it lets itself be asked only where its own policies allow that."""
        about = f"the repository {self.repository} in {place}"
        try:
            call = self.client(place.region).describe_images
            answer = ask(call, "ecr:DescribeImages", about, _ABSENT, registryId=place.account,
                         repositoryName=self.repository, imageIds=[{"imageDigest": digest}])  # fmt: skip
            with readable(f"DescribeImages in {place}"):
                (image,) = answer["imageDetails"]
                return Replica(place, status, str(image.get("imageStatus", "UNSTATED")))
        except AwsNotFound:
            return Replica(place, status, "absent")
        except AwsRefused as refusal:
            return Replica(place, status, unasked=refusal.cause)

    def _stated(self, call: Callable[..., dict[str, Any]], operation: str, digest: str) -> dict[str, Any]:
        try:
            return ask(call, f"ecr:{operation}", f"the repository {self.repository}", _ABSENT, registryId=self.account,
                       repositoryName=self.repository, imageId={"imageDigest": digest})  # fmt: skip
        except AwsNotFound:
            return {}  # just pushed, and not known yet

    def _ended(
        self, read: Callable[[], dict[_Key, Progress]], wanted: Collection[_Key], limit: float, what: str
    ) -> Mapping[_Key, Progress]:
        began = self.time.monotonic()
        while True:
            found, waited = read(), self.time.monotonic() - began
            lacking = [each for each in wanted if _awaited(found.get(each, Progress()), min(waited, limit), limit)]
            if not lacking:
                return found
            self.say(f"{what}: {lacking[0]}, {waited:.0f} of at most {limit:.0f} s")
            self.time.sleep(_INTERVAL)


def _awaited(progress: Progress, waited: float, limit: float) -> bool:
    if progress.status in ENDED:
        return False
    return waited < (limit if progress.status == WAITING else min(_SETTLE, limit))


def _progress(raw: Mapping[str, Any]) -> Progress:
    failure = ": ".join(str(raw[key]) for key in ("failureCode", "failureReason") if raw.get(key))
    return Progress(str(raw.get("status", "")), failure)
