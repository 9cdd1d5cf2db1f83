"""The checks before a promotion: caller, release tag, movable tags; and which tags are still to be set. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from gate.check import ACCEPTED, CheckResult, Rejection, check, reject
from gate.publish.publication import Trial
from gate.registry.repository import RepositorySettings, RepositorySnapshot, StoredImage
from gate.registry.tags import Mutability, UndecidableMutability, can_move
from gate.release import Release


@dataclass(frozen=True)
class AwsCaller:
    """Who makes the AWS calls of this run (GetCallerIdentity), and where."""

    account: str
    arn: str
    region: str
    profile: str = ""

    def __str__(self) -> str:
        return f"{self.arn} (profile {self.profile})" if self.profile else self.arn


@dataclass(frozen=True)
class ReleaseTags:
    """The tags of a release; `rolling` is "" where there is none."""

    release: str
    rolling: str
    candidate: str

    @classmethod
    def of(cls, release: Release) -> ReleaseTags:
        """The tags that pytest.ini states."""
        return cls(release.release_tag, release.rolling_tag, release.candidate_tag)

    @property
    def published(self) -> tuple[str, ...]:
        """The tags that a release is published under."""
        return tuple(filter(None, (self.release, self.rolling)))

    @property
    def moving(self) -> tuple[str, ...]:
        """The tags that the next release takes over."""
        return tuple(filter(None, (self.rolling, self.candidate)))

    @property
    def all(self) -> tuple[str, ...]:
        """Every tag that publishing sets."""
        return (*self.published, self.candidate)


@check(
    2,
    known_bad=lambda: (AwsCaller("111122223333", "arn:aws:iam::111122223333:user/x", "us-east-1"), "444455556666", "x"),
)
def check_caller(caller: AwsCaller, account: str, region: str) -> CheckResult:
    """Whether the caller's account and region are those of the release."""
    found = {"account": (caller.account, account), "region": (caller.region, region)}
    return CheckResult.of(
        Rejection(
            f"The AWS {what} of this run is {is_!r}, and the release belongs to {wanted!r}: nothing was changed",
            str(caller),
            "choose the right profile (`--profile`) and region (AWS_DEFAULT_REGION), or correct pytest.ini",
        )
        for what, (is_, wanted) in found.items()
        if is_ != wanted
    )


@dataclass(frozen=True)
class TaggedImage:
    """What the release tag names already, before anything is pushed: its digest and its image's config."""

    digest: str
    config_digest: str


@check(2, known_bad=lambda: (TaggedImage("sha256:" + "a" * 64, "sha256:" + "b" * 64), "sha256:" + "c" * 64, "v1.0.0"))
def check_release_tag(held: TaggedImage | None, built: str, tag: str) -> CheckResult:
    """Whether the release tag is free, or names the very image that is to be released.

    Args:
        held: what the tag names, None if it is free.
        built: the config digest (image ID) of the image to be released.
        tag: the release tag.
    """
    if held is None or held.config_digest == built:
        return ACCEPTED
    return reject(
        f"The release tag {tag!r} already names another image: {held.digest} (image ID {held.config_digest});"
        f" this run built the image ID {built}",
        f"the tag {tag!r} in the registry; nothing was pushed",
        f"a release tag is never moved: release under the next one, e.g. `--release-tag {next_tag(tag)}`",
    )


@check(2, known_bad=lambda: ("sha256:" + "a" * 64, "sha256:" + "b" * 64, "v1.0.0"))
def check_accepted(held: str | None, accepted: str, tag: str) -> CheckResult:
    """Whether a release tag names the digest that the recorded evidence accepts.

    Args:
        held: the digest that the tag names, None if it names nothing.
        accepted: the digest of the recorded GO.
        tag: the release tag.
    """
    if held == accepted:
        return ACCEPTED
    return reject(
        f"The release tag {tag!r} names {held or 'nothing'}, and accepted was {accepted}: nothing was changed",
        f"the tag {tag!r} in the registry, and the evidence of the run that released it",
        "find out in CloudTrail who moved or deleted the tag; promote another accepted release, or release a new one",
    )


def next_tag(tag: str) -> str:
    """The tag one patch further: "v1.0.1" after "v1.0.0"; "-1" is appended to a tag that ends in no number."""
    head = tag.rstrip("0123456789")
    number = tag[len(head) :]
    return f"{head}{int(number) + 1}" if number else f"{tag}-1"


def _known_bad_setting() -> tuple[RepositorySnapshot, ReleaseTags, None]:
    held = StoredImage("sha256:" + "a" * 64, ("latest",), 1, datetime.min, "", "ACTIVE")
    repository = RepositorySettings("1", "r", "n", "arn", "uri", datetime.min, Mutability("IMMUTABLE"))
    return RepositorySnapshot(repository, (held,), None, None, {}), ReleaseTags("v1.0.0", "latest", "candidate"), None


@check(2, known_bad=_known_bad_setting)
def check_movable(before: RepositorySnapshot, tags: ReleaseTags, target: str | None) -> CheckResult:
    """Whether the promotion can be completed: each rolling tag that names another image may move.

    It spares a release that would end half-way; whether the setting is a good one is `tags.check_mutability`'s.

    Args:
        before: the repository before the release.
        tags: the release's tags.
        target: the digest to be released as far as it is known before the push.
    """
    naming = before.naming()
    held = [tag for tag in tags.moving if tag in naming and naming[tag] != target]
    try:
        stuck = [tag for tag in held if not can_move(before.repository.mutability, tag)]
    except UndecidableMutability as error:
        return reject(str(error), before.repository.arn, "set the repository to one of ECR's own settings, or have "
                      "this gate taught the new one")  # fmt: skip
    return CheckResult.of(
        Rejection(
            f"The tag {tag!r} names {naming[tag]} and cannot move: the repository is"
            f" {before.repository.mutability.setting}, so the release would end half-way",
            before.repository.arn,
            "exclude the tags that move from immutability (IMMUTABLE_WITH_EXCLUSION, a WILDCARD filter for each)",
        )
        for tag in stuck
    )


def tags_to_set(naming: Mapping[str, str], tags: ReleaseTags, digest: str) -> tuple[str, ...]:
    """The published tags that do not name the digest yet, in the order in which they are set.

    The release tag first: should the run die in between, `latest` still names a digest that was checked.
    """
    return tuple(tag for tag in tags.published if naming.get(tag) != digest)


def as_tagged(images: tuple[StoredImage, ...], digest: str, tags: tuple[str, ...]) -> tuple[StoredImage, ...]:
    """The repository's images as they will be once these tags name the digest, and so no other image."""
    return tuple(
        replace(image, tags=tuple(dict.fromkeys((*image.tags, *tags))))
        if image.digest == digest
        else replace(image, tags=tuple(tag for tag in image.tags if tag not in tags))
        for image in images
    )


@check(2, known_bad=lambda: (Trial(True, False, "PutImage succeeded"), "v1.0.0"))
def check_trial(trial: Trial, tag: str) -> CheckResult:
    """Whether the registry refused to overwrite the release tag, where that was tried."""
    if trial.refused or not trial.made:
        return ACCEPTED
    return reject(
        f"The registry let the release tag {tag!r} be overwritten: {trial.said}",
        "PutImage of another manifest under the release tag, on a target where that may be tried",
        "the mutability setting does not do what it says, or was changed during the run",
    )
