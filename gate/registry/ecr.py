"""Reading a repository from ECR, and the one call that writes a tag."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from gate.aws.calls import CallLog, ask, pages, readable
from gate.aws.errors import AwsNotFound
from gate.aws.partition import arn
from gate.errors import AwsRefused
from gate.registry.artifacts import blobs_to_read
from gate.registry.changes import InspectedManifests
from gate.registry.manifest import ACCEPTED_BY_US, StoredManifest, read_manifest
from gate.registry.pull import Login, fetch_blob, read_login
from gate.registry.repository import RepositorySettings, RepositorySnapshot, StoredImage
from gate.registry.tags import ExclusionFilter, Mutability

T = TypeVar("T")
_NO_REPOSITORY = ("RepositoryNotFoundException",)


@dataclass(frozen=True)
class StoredConfig:
    """What an image's config states of it."""

    digest: str
    platform: str
    created: str


class EcrRepository:
    """One repository of one account's registry.

    Args:
        client: boto3's ECR client.
        account: the registry, as its account number.
        name: the repository.
        call_log: records each blob read over /v2/.
        learn: is given the secrets of each login, so that they can be redacted everywhere.
    """

    def __init__(
        self,
        client: Any,
        account: str,
        name: str,
        call_log: CallLog | None = None,
        learn: Callable[[Iterable[str]], None] = lambda _secrets: None,
    ) -> None:
        self.client = client
        self.account = account
        self.name = name
        self._here, self._about = {"registryId": account, "repositoryName": name}, f"the repository {name}"
        self._call_log, self._learn = call_log or CallLog(), learn

    @property
    def region(self) -> str:
        """The region that the client asks."""
        return str(self.client.meta.region_name)

    def describe(self) -> RepositorySettings:
        """The repository's identity and settings."""

        def read(answer: dict[str, Any]) -> RepositorySettings:
            found = answer["repositories"]
            if len(found) != 1:
                raise AwsRefused(f"ECR answers {len(found)} repositories for the name {self.name}")
            return _repository(found[0])

        here = {"registryId": self.account, "repositoryNames": [self.name]}
        return self._ask("describe_repositories", read, **here)

    def images(self) -> tuple[StoredImage, ...]:
        """Every image, archived ones too (without the filter ECR answers the active ones alone)."""

        def read(page: dict[str, Any]) -> Iterable[StoredImage]:
            return map(_image, page["imageDetails"])

        every = {"filter": {"imageStatus": "ANY"}, **self._here}
        return tuple(pages(self.client, "describe_images", self._about, read, _NO_REPOSITORY, **every))

    def snapshot(self) -> RepositorySnapshot:
        """All that the repository holds and is set to; what is refused is a missing fact of it."""
        return RepositorySnapshot.gathered(
            repository=self.describe,
            images=self.images,
            lifecycle_policy=self.lifecycle_policy,
            repository_policy=self.repository_policy,
            resource_tags=self.resource_tags,
        )

    def resource_tags(self) -> dict[str, str]:
        """The tags of the repository itself."""
        named = arn("ecr", self.region, self.account, f"repository/{self.name}")

        def read(answer: dict[str, Any]) -> dict[str, str]:
            return {tag["Key"]: tag["Value"] for tag in answer.get("tags", [])}

        return self._ask("list_tags_for_resource", read, resourceArn=named)

    def lifecycle_policy(self) -> str | None:
        """The lifecycle policy as text, None if none is set."""
        return self._text("get_lifecycle_policy", "lifecyclePolicyText", "LifecyclePolicyNotFoundException")

    def repository_policy(self) -> str | None:
        """The repository policy as text, None if none is set."""
        return self._text("get_repository_policy", "policyText", "RepositoryPolicyNotFoundException")

    def manifest(self, digest: str) -> StoredManifest:
        """The manifest with this digest.

        Raises:
            AwsRefused: the registry does not answer it, or answers something else.
        """

        def read(answer: dict[str, Any]) -> StoredManifest:
            if not answer.get("images"):
                raise _no_manifest(digest, answer.get("failures", []), self.name)
            raw = answer["images"][0]
            return StoredManifest(raw["imageId"]["imageDigest"], raw["imageManifestMediaType"], raw["imageManifest"])

        asked = {"imageIds": [{"imageDigest": digest}], "acceptedMediaTypes": list(ACCEPTED_BY_US)}
        return self._ask("batch_get_image", read, **asked, **self._here)

    def look_at(self, digests: Iterable[str]) -> InspectedManifests:
        """The manifests with these digests and the blobs that tell what they are about, as far as they can be had."""
        manifests, blobs = {}, {}
        for digest in digests:
            with suppress(AwsNotFound):
                manifests[digest] = self.manifest(digest)
        for digest in {blob for manifest in manifests.values() for blob in blobs_to_read(manifest)}:
            # Without it the check says that the manifest names no subject.
            with suppress(AwsRefused):
                blobs[digest] = self._blob(digest).decode(errors="replace")
        return InspectedManifests(manifests, blobs)

    def login(self) -> Login:
        """Log in to the registry; nothing is written anywhere."""
        login = self._ask("get_authorization_token", read_login)
        self._learn(login.secrets)
        return login

    def config(self, stored: StoredManifest) -> StoredConfig:
        """The config of an image, read from the registry itself and held against its digest.

        Raises:
            AwsRefused: it cannot be had, or is not what its digest names.
        """
        with readable(f"the config blob of {stored.digest}"):
            digest = read_manifest(stored).config.digest
            document = json.loads(self._blob(digest))
            return StoredConfig(
                digest, f"{document['os']}/{document['architecture']}", str(document.get("created", ""))
            )

    def put_tag(self, stored: StoredManifest, tag: str) -> str:
        """Make a tag name a manifest that the repository holds (PutImage); answers the digest it now names."""
        return self._ask(
            "put_image",
            lambda answer: str(answer["image"]["imageId"]["imageDigest"]),
            imageManifest=stored.body,
            imageManifestMediaType=stored.media_type,
            imageDigest=stored.digest,
            imageTag=tag,
            **self._here,
        )

    def _blob(self, digest: str) -> bytes:
        with self._call_log.pulling(self.name, digest, self.region):
            return fetch_blob(self.login(), self.name, digest)

    def _text(self, operation: str, key: str, absent: str) -> str | None:
        try:
            return ask(self.client, operation, self._about, lambda answer: str(answer[key]), (absent,), **self._here)
        except AwsNotFound:
            return None

    def _ask(self, operation: str, read: Callable[[dict[str, Any]], T], **parameters: Any) -> T:
        return ask(self.client, operation, self._about, read, _NO_REPOSITORY, **parameters)


def _no_manifest(digest: str, failures: list[dict[str, Any]], repository: str) -> AwsRefused:
    reasons = "; ".join(f"{each.get('failureCode')}: {each.get('failureReason')}" for each in failures)
    kind = AwsNotFound if any(each.get("failureCode") == "ImageNotFound" for each in failures) else AwsRefused
    said = f"The registry does not answer the manifest {digest}: {reasons or 'no reason given'}"
    return kind(said, where=f"BatchGetImage on {repository}")


def _repository(raw: dict[str, Any]) -> RepositorySettings:
    filters = raw.get("imageTagMutabilityExclusionFilters", [])
    excluded = tuple(ExclusionFilter(each["filterType"], each["filter"]) for each in filters)
    kept = {key: raw[key] for key in ("imageScanningConfiguration", "encryptionConfiguration") if key in raw}
    return RepositorySettings(
        account=raw["registryId"],
        region=raw["repositoryArn"].split(":")[3],
        name=raw["repositoryName"],
        arn=raw["repositoryArn"],
        uri=raw["repositoryUri"],
        created_at=raw["createdAt"],
        mutability=Mutability(raw.get("imageTagMutability", "unstated"), excluded),
        settings={key: json.dumps(value, sort_keys=True) for key, value in kept.items()},
    )


def _image(raw: dict[str, Any]) -> StoredImage:
    return StoredImage(
        digest=raw["imageDigest"],
        tags=tuple(sorted(raw.get("imageTags", []))),
        size_bytes=raw["imageSizeInBytes"],
        pushed_at=raw["imagePushedAt"],
        media_type=raw.get("imageManifestMediaType", ""),
        # ECR has always answered a status since it has archives; an emulator that gives none proves nothing.
        status=raw.get("imageStatus", "UNSTATED"),
        last_pulled_at=raw.get("lastRecordedPullTime"),
        archived_at=raw.get("lastArchivedAt"),
        activated_at=raw.get("lastActivatedAt"),
        artifact_type=raw.get("artifactMediaType", ""),
        subject=raw.get("subjectManifestDigest", ""),
    )
