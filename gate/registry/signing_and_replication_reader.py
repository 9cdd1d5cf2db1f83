"""The reader of what ECR does by itself with a pushed image: asks, and waits a bounded time for its end."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from gate.aws.calls import ask
from gate.aws.errors import AwsNotFound
from gate.aws.retry import TimeSource
from gate.errors import AwsRefused
from gate.registry.signing_and_replication import (
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
class SigningAndReplicationReader:
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
        try:
            profiles = ask(
                self.client(self.region),
                "get_signing_configuration",
                "the registry",
                lambda answer: signing_profiles(answer["signingConfiguration"]["rules"], self.repository),
                ("SigningConfigurationNotFoundException",),
            )
        except AwsNotFound:
            profiles = ()
        if not profiles:
            return ImageSigning()

        def read(answer: dict[str, Any]) -> dict[str, Progress]:
            return {str(each["signingProfileArn"]): _progress(each) for each in answer.get("signingStatuses", [])}

        operation, said = "describe_image_signing_status", "ECR signs the image"
        return ImageSigning(profiles, self._ended(operation, read, digest, profiles, limit, said))

    def replication(self, digest: str, limit: float) -> tuple[Replica, ...]:
        """The image at every destination; waits at most `limit` seconds for the last. None: nothing is replicated."""
        wanted = ask(
            self.client(self.region),
            "describe_registry",
            "the registry",
            lambda answer: destinations(answer["replicationConfiguration"]["rules"], self.repository),
        )
        if not wanted:
            return ()

        def read(answer: dict[str, Any]) -> dict[Destination, Progress]:
            stated = answer.get("replicationStatuses", [])
            return {Destination(str(each["region"]), str(each["registryId"])): _progress(each) for each in stated}

        operation, said = "describe_image_replication_status", "ECR replicates the image"
        found = self._ended(operation, read, digest, wanted, limit, said)
        return tuple(self._replica(each, found.get(each, Progress()), digest) for each in wanted)

    def _replica(self, place: Destination, status: Progress, digest: str) -> Replica:
        """What the destination itself answers; it lets itself be asked only where its own policies allow that."""

        def read(answer: dict[str, Any]) -> Replica:
            (image,) = answer["imageDetails"]
            return Replica(place, status, str(image.get("imageStatus", "UNSTATED")))

        about = f"the repository {self.repository} in {place}"
        try:
            return ask(self.client(place.region), "describe_images", about, read, _ABSENT, registryId=place.account,
                       repositoryName=self.repository, imageIds=[{"imageDigest": digest}])  # fmt: skip
        except AwsNotFound:
            return Replica(place, status, "absent")
        except AwsRefused as refusal:
            return Replica(place, status, unasked=refusal.cause)

    def _ended(
        self,
        operation: str,
        read: Callable[[dict[str, Any]], dict[_Key, Progress]],
        digest: str,
        wanted: Collection[_Key],
        limit: float,
        what: str,
    ) -> Mapping[_Key, Progress]:
        about, here, began = f"the repository {self.repository}", self.client(self.region), self.time.monotonic()
        asked = {"registryId": self.account, "repositoryName": self.repository, "imageId": {"imageDigest": digest}}
        while True:
            try:
                found = ask(here, operation, about, read, _ABSENT, **asked)
            except AwsNotFound:
                found = {}  # just pushed, and not known yet
            waited = self.time.monotonic() - began
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
