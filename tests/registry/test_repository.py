"""The right repository, an image that can be pulled, and nothing else changed."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gate.registry.changes import Comparison
from gate.registry.repository import RepositorySettings, RepositorySnapshot, StoredImage
from gate.registry.repository_checks import check_active, check_identity, check_otherwise_unchanged
from gate.registry.tags import Mutability

ACCOUNT, REGION, NAME = "654654307503", "ap-northeast-2", "naver-sms-automation"
AT = datetime(2025, 10, 18, tzinfo=UTC)
REPOSITORY = RepositorySettings(
    ACCOUNT,
    REGION,
    NAME,
    f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{NAME}",
    f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{NAME}",
    AT,
    Mutability("MUTABLE"),
    {"imageScanningConfiguration": '{"scanOnPush": true}'},
)
OLD = StoredImage("sha256:old", ("v0.9.0", "latest"), 10, AT, "m", "ACTIVE")
NEW = StoredImage("sha256:new", ("v1.0.0", "latest", "candidate"), 10, AT, "m", "ACTIVE")
BEFORE = RepositorySnapshot(REPOSITORY, (OLD,), "{}", "{}", {"Project": NAME})
AFTER = replace(BEFORE, images=(replace(OLD, tags=("v0.9.0",)), NEW))


def said(after):
    """What the check says of a repository after the release ("" for accepted)."""
    result = check_otherwise_unchanged(Comparison(BEFORE, after, ("v1.0.0", "latest", "candidate"), NEW.digest))
    return "\n".join(map(str, result.rejections))


@pytest.mark.parametrize(
    ("field", "value"),
    [("account", "111122223333"), ("region", "us-east-1"), ("name", "other"), ("arn", "arn:aws:ecr:x"), ("uri", "r/x")],
)
def test_any_other_repository_is_refused(field, value):
    """Account, region, name, ARN and URI must all be the release's."""
    assert check_identity(REPOSITORY, ACCOUNT, REGION, NAME).accepted
    assert value in str(check_identity(replace(REPOSITORY, **{field: value}), ACCOUNT, REGION, NAME).rejections[0])


@pytest.mark.parametrize("status", ["ARCHIVED", "ACTIVATING", "UNSTATED", "active"])
def test_only_an_active_image_counts(status):
    """Archived, activating, unstated: none of them can be pulled for certain."""
    assert check_active(NEW, "v1.0.0").accepted
    assert status in str(check_active(replace(NEW, status=status), "v1.0.0").rejections[0])
    assert "names no image" in str(check_active(None, "v1.0.0").rejections[0])
    assert "does not carry" in str(check_active(OLD, "v1.0.0").rejections[0])


def test_a_release_may_move_its_own_tags_and_add_its_own_image():
    """`latest` leaves the old image, and that is all."""
    assert said(AFTER) == ""


@pytest.mark.parametrize(
    ("after", "words"),
    [
        (replace(AFTER, images=(NEW,)), ("image sha256:old", "tag v0.9.0")),
        (replace(AFTER, images=(replace(OLD, tags=()), NEW)), ("tag v0.9.0", "not there")),
        (replace(AFTER, images=(*AFTER.images, replace(NEW, digest="sha256:x", tags=("x",)))), ("sha256:x", "tag x")),
        (replace(AFTER, images=(replace(AFTER.images[0], status="ARCHIVED"), NEW)), ("sha256:old", "ARCHIVED")),
        (replace(AFTER, lifecycle_policy=None), ("lifecycle policy", "None")),
        (replace(AFTER, repository_policy='{"Statement": []}'), ("repository policy", "Statement")),
        (replace(AFTER, resource_tags={}), ("resource tag Project", "not there")),
        (
            replace(AFTER, repository=replace(REPOSITORY, mutability=Mutability("IMMUTABLE"))),
            ("mutability", "IMMUTABLE"),
        ),
        (replace(AFTER, repository=replace(REPOSITORY, settings={})), ("imageScanningConfiguration", "not there")),
        (replace(AFTER, repository=replace(REPOSITORY, created_at=datetime(2026, 1, 1, tzinfo=UTC))), ("created at",)),
    ],
)
def test_every_other_change_is_named_with_both_values(after, words):
    """A deleted image, a moved tag, a changed policy, setting or resource tag, a repository made anew."""
    for each in words:
        assert each in said(after)


def test_an_image_is_found_by_its_digest_alone():
    """Another image beside it is not it, and none is None."""
    assert AFTER.image(NEW.digest) is NEW
    assert AFTER.image("sha256:none") is None
