"""Whether the repository is the right one, its tags can be pulled, and it is otherwise unchanged. Pure."""

from __future__ import annotations

from datetime import datetime

from gate.aws.partition import arn, registry_host
from gate.check import ACCEPTED, CheckResult, Rejection, check, reject
from gate.registry.changes import Comparison
from gate.registry.repository import RepositorySettings, RepositorySnapshot, StoredImage
from gate.registry.tags import Mutability

_RELEASE = "find out in CloudTrail who took it away, then run the release again"


def _some_repository(account: str = "000000000000") -> RepositorySettings:
    here, uri = "eu-west-1", f"{registry_host(account, 'eu-west-1')}/other"
    named = arn("ecr", here, account, "repository/other")
    return RepositorySettings(account, here, "other", named, uri, datetime.min, Mutability("MUTABLE"))


@check(2, known_bad=lambda: (_some_repository(), "111122223333", "eu-central-1", "the-release"))
def check_identity(found: RepositorySettings, account: str, region: str, name: str) -> CheckResult:
    """Whether this is the repository of the release: account, region, name, and what follows from them."""
    expected = {
        "account": (found.account, account),
        "region": (found.region, region),
        "name": (found.name, name),
        "ARN": (found.arn, arn("ecr", region, account, f"repository/{name}")),
        "URI": (found.uri, f"{registry_host(account, region)}/{name}"),
    }
    return CheckResult.of(
        Rejection(
            f"The repository's {what} is {is_!r}, the release is for {wanted!r}",
            found.arn,
            "use the release's account and region (AWS_PROFILE, AWS_DEFAULT_REGION), or correct pytest.ini",
        )
        for what, (is_, wanted) in expected.items()
        if is_ != wanted
    )


@check(2, known_bad=lambda: (StoredImage("sha256:x", ("v1",), 1, datetime.min, "", "ARCHIVED"), "v1"))
def check_active(image: StoredImage | None, tag: str) -> CheckResult:
    """Whether the image behind a tag can be pulled: it exists and its status is ACTIVE."""
    if image is None:
        return reject(f"The tag {tag!r} names no image in the repository", "DescribeImages", _RELEASE)
    if tag not in image.tags:
        return reject(f"{image.digest} does not carry the tag {tag!r}: it carries {image.tags}", "DescribeImages",
                      _RELEASE)  # fmt: skip
    if image.status == "ACTIVE":
        return ACCEPTED
    return reject(
        f"The image behind {tag!r} ({image.digest}) has the status {image.status}: only an ACTIVE image can be pulled",
        "DescribeImages",
        "restore it: aws ecr update-image-storage-class --target-storage-class STANDARD …",
    )


def _known_bad_change() -> tuple[Comparison]:
    other = StoredImage("sha256:" + "a" * 64, ("v0.9.0",), 1, datetime.min, "", "ACTIVE")
    before = RepositorySnapshot(_some_repository(), (other,), None, None, {})
    after = RepositorySnapshot(_some_repository(), (), None, None, {})
    return (Comparison(before, after, ("v1.0.0", "latest"), "sha256:" + "b" * 64),)


@check(2, known_bad=_known_bad_change)
def check_otherwise_unchanged(found: Comparison) -> CheckResult:
    """Whether nothing changed in the repository but the release's own tags and image, and what explains itself.

    A referrer of an image that was there, and what the lifecycle policy ends, explain themselves.
    """
    where = f"repository {found.before.repository.name}, before and after the release"
    return CheckResult.of(
        Rejection(str(change), where, "find out in CloudTrail who changed it; publishing does not")
        for change in found.changes()
        if not change.explained
    )
