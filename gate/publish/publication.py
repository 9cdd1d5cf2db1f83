"""What was published, and the record of how: the facts that AC2, AC3 and AC8 are checked on. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from gate.evidence.deployment_notes import ReleaseStep
from gate.legacy.snapshot import FunctionSnapshot
from gate.registry.manifest import StoredManifest
from gate.registry.repository import RepositorySnapshot, StoredImage

FILE = "promotion.json"
BEGUN, ACCEPTED, REFUSED = "begun", "accepted", "refused"


@dataclass(frozen=True)
class CheckedImage:
    """The image that is checked, as the Docker engine holds it.

    Attributes:
        image: what the engine calls it: the digest of its config, or of its manifest in containerd's store.
        config_digest: the digest of its config.
        platform: os/architecture.
        uncompressed_bytes: of the files in all layers.
    """

    image: str
    config_digest: str
    platform: str
    uncompressed_bytes: int


@dataclass(frozen=True)
class Trial:
    """An attempt to overwrite the release tag, made only where that may be tried: on the local target.

    Attributes:
        made: whether it was tried.
        refused: whether the registry refused it.
        said: what the registry answered, or why it was not tried.
    """

    made: bool
    refused: bool
    said: str


@dataclass(frozen=True)
class Publication:
    """The release as the registry holds it.

    Attributes:
        digest: the one digest that this run checked.
        manifest: what the registry answers under it.
        platform: os/architecture as the config in the registry states it.
        config_digest: of the image that was checked.
        uncompressed_bytes: of the image that was checked.
        before: the repository before the release; None when this run only verifies.
        after: the repository when this run read it back.
        legacy_before: the zip function before the release; None when this run only verifies, or there is none.
        steps: what this run did, in order; empty when it only verifies.
        overwrite_trial: whether the release tag was tried.
    """

    digest: str
    manifest: StoredManifest
    platform: str
    config_digest: str
    uncompressed_bytes: int
    after: RepositorySnapshot
    before: RepositorySnapshot | None = None
    legacy_before: FunctionSnapshot | None = None
    steps: tuple[ReleaseStep, ...] = ()
    overwrite_trial: Trial = field(default_factory=lambda: Trial(False, False, "not tried: this run changes nothing"))

    @cached_property
    def image(self) -> StoredImage | None:
        """The published image as DescribeImages answered it."""
        return self.after.image(self.digest)

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags that name the digest."""
        return self.image.tags if self.image else ()

    @property
    def compressed_bytes(self) -> int:
        """The size that ECR answers, 0 if it answers no such image."""
        return self.image.size_bytes if self.image else 0

    @property
    def pushed_at(self) -> str:
        """When the image was pushed, ISO 8601 ("" if ECR answers no such image)."""
        return self.image.pushed_at.isoformat() if self.image else ""


@dataclass(frozen=True)
class Promotion:
    """One run's promotion: it gave a digest the published tags.

    Attributes:
        run: when that run started, UTC, ISO 8601.
        place: where: "aws", "local" or "aws-rehearsal".
        repository: the repository's name.
        digest: to which the tags were given.
        release_tag: the tag that never moves again.
        rolling_tag: the tag that moves with each release, "" if there is none.
        rolling_before: the digest that the rolling tag named before, "" if it named none.
        state: "begun" until the run has its verdict, then "accepted" or "refused".
        reason: why it was refused.
        repository_created: when ECR created the repository, ISO 8601: one that was made anew holds nothing of before.
        by_name: whether an earlier release was given the rolling tag again (--promote), and nothing was released.
    """

    run: str
    place: str
    repository: str
    digest: str
    release_tag: str
    rolling_tag: str
    rolling_before: str
    state: str = BEGUN
    reason: str = ""
    by_name: bool = False
    repository_created: str = ""

    @property
    def tags(self) -> tuple[str, ...]:
        """The published tags."""
        return tuple(filter(None, (self.release_tag, self.rolling_tag)))


@dataclass(frozen=True)
class AcceptedRelease:
    """A release with a recorded yes.

    Attributes:
        tag: its release tag.
        digest: the digest that was accepted under it.
        image_id: of the image that was checked.
        uncompressed_bytes: of its files.
        run: the name of the folder of the run that accepted it.
    """

    tag: str
    digest: str
    image_id: str
    uncompressed_bytes: int
    run: str
