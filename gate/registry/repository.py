"""The repository as ECR describes it: its settings and its images. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from gate.missing_facts import PartialFacts
from gate.registry.tags import Mutability


@dataclass(frozen=True)
class StoredImage:
    """One image of a repository (DescribeImages).

    Attributes:
        digest: the digest of its manifest.
        tags: the tags that name it.
        size_bytes: compressed, as ECR counts it.
        pushed_at: when it was pushed (UTC).
        media_type: of its manifest.
        status: ACTIVE, ARCHIVED or ACTIVATING.
        last_pulled_at: as far as ECR recorded it.
        archived_at: when it was last archived.
        activated_at: when it was last restored from the archive.
        artifact_type: the media type of what it holds, an image's or another (`artifactMediaType`).
        subject: of a referrer, the digest of the manifest that it refers to; else "".
    """

    digest: str
    tags: tuple[str, ...]
    size_bytes: int
    pushed_at: datetime
    media_type: str
    status: str
    last_pulled_at: datetime | None = None
    archived_at: datetime | None = None
    activated_at: datetime | None = None
    artifact_type: str = ""
    subject: str = ""


@dataclass(frozen=True)
class RepositorySettings:
    """A repository's identity and settings (DescribeRepositories)."""

    account: str
    region: str
    name: str
    arn: str
    uri: str
    created_at: datetime
    mutability: Mutability
    settings: Mapping[str, str] = field(default_factory=dict)


def naming(images: Iterable[StoredImage]) -> dict[str, str]:
    """The digest that each tag names."""
    return {tag: image.digest for image in images for tag in image.tags}


@dataclass(frozen=True)
class RepositorySnapshot(PartialFacts):
    """All that a repository holds and is set to, at one moment; what could not be read raises when it is needed."""

    repository: RepositorySettings
    images: tuple[StoredImage, ...]
    lifecycle_policy: str | None
    repository_policy: str | None
    resource_tags: Mapping[str, str]

    def naming(self) -> dict[str, str]:
        """The digest that each tag names."""
        return naming(self.images)

    def image(self, digest: str) -> StoredImage | None:
        """The image with this digest, or None."""
        return next((image for image in self.images if image.digest == digest), None)
