"""The decisions of a promotion, and what a release changes against the one before it."""

from datetime import UTC, datetime

import pytest

from gate.check import run_self_tests
from gate.publish.promotion_checks import (
    AwsCaller,
    ReleaseTags,
    TaggedImage,
    Trial,
    check_caller,
    check_movable,
    check_release_tag,
    check_trial,
    next_tag,
    tags_to_set,
)
from gate.publish.release_facts import ReleaseFacts, compare
from gate.registry.repository import RepositorySettings, RepositorySnapshot, StoredImage
from gate.registry.tags import ExclusionFilter, Mutability

TAGS = ReleaseTags("v1.0.0", "latest", "candidate")
A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64


@pytest.mark.parametrize(
    ("tag", "following"), [("v1.0.0", "v1.0.1"), ("v1.0.9", "v1.0.10"), ("release", "release-1"), ("7", "8")]
)
def test_the_way_out_is_the_next_tag(tag, following):
    """The message can be pasted."""
    assert next_tag(tag) == following
    assert f"--release-tag {following}" in str(check_release_tag(TaggedImage(A, A), B, tag).rejections[0])


def test_a_free_tag_and_a_tag_on_the_same_image_are_accepted():
    """A re-run of the same build is no conflict."""
    assert check_release_tag(None, A, "v1").accepted
    assert check_release_tag(TaggedImage(B, A), A, "v1").accepted


@pytest.mark.parametrize(
    ("naming", "missing"),
    [
        ({}, ("v1.0.0", "latest")),
        ({"v1.0.0": A}, ("latest",)),
        ({"v1.0.0": A, "latest": B}, ("latest",)),
        ({"v1.0.0": A, "latest": A, "candidate": B}, ()),
    ],
)
def test_only_missing_tags_are_set_and_the_release_tag_first(naming, missing):
    """Whatever a dead run left is completed."""
    assert tags_to_set(naming, TAGS, A) == missing


def test_a_trial_that_was_made_must_have_been_refused():
    """Not trying is no proof either way; the setting's check decides then."""
    assert check_trial(Trial(True, True, "refused"), "v1").accepted
    assert check_trial(Trial(False, False, "not tried"), "v1").accepted
    assert "'v1' be overwritten" in str(check_trial(Trial(True, False, "succeeded"), "v1").rejections[0])


def test_every_check_of_registry_and_zip_function_says_no_to_its_known_bad_value():
    """A check that has gone blind is noticed."""
    proofs = [p for p in run_self_tests() if p.check.startswith(("gate.registry.", "gate.legacy."))]
    assert all(proof.said_no for proof in proofs), [proof for proof in proofs if not proof.said_no]
    assert len({proof.check for proof in proofs}) >= 12


def test_the_difference_between_two_releases_is_packages_sizes_and_init():
    """Added, removed and changed packages by name; sizes and init as later minus earlier."""
    before = ReleaseFacts("v1.0.0", A, {"a": "1", "b": "1", "c": "1"}, 100, 1000, 0.5)
    after = ReleaseFacts("v1.0.1", B, {"b": "1", "c": "2", "d": "1"}, 90, 1200, 0.75)
    diff = compare(before, after)
    assert (diff.added, diff.removed, diff.changed) == ({"d": "1"}, {"a": "1"}, {"c": ("1", "2")})
    assert (diff.compressed_bytes, diff.uncompressed_bytes, diff.init_seconds) == (-10, 200, 0.25)
    assert (diff.previous_tag, diff.previous_digest) == ("v1.0.0", A)


def test_an_init_that_was_not_measured_has_no_difference():
    """Nothing is made up for a release whose init nobody timed."""
    facts = ReleaseFacts("v1", A, {}, 1, 1)
    assert compare(facts, facts).init_seconds is None


def before(mutability, **naming):
    """A repository with this setting, in which tags name digests."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    images = tuple(StoredImage(digest, (tag,), 1, now, "", "ACTIVE") for tag, digest in naming.items())
    return RepositorySnapshot(
        RepositorySettings("1", "r", "n", "the repository", "uri", now, mutability), images, None, None, {}
    )


IMMUTABLE = Mutability("IMMUTABLE")
EXCLUDING = Mutability("IMMUTABLE_WITH_EXCLUSION", (ExclusionFilter("WILDCARD", "latest"),))


@pytest.mark.parametrize(
    ("mutability", "naming", "target"),
    [
        (IMMUTABLE, {}, None),
        (IMMUTABLE, {"latest": A, "candidate": A}, A),
        (EXCLUDING, {"latest": B, "candidate": A}, A),
        (Mutability("MUTABLE"), {"latest": B, "candidate": B}, None),
    ],
)
def test_a_promotion_that_can_be_completed_is_accepted(mutability, naming, target):
    """A tag that names the image already, or may move, or is free stops nothing."""
    assert check_movable(before(mutability, **naming), TAGS, target).accepted


@pytest.mark.parametrize(
    ("mutability", "target", "stuck"),
    [(IMMUTABLE, None, ["latest", "candidate"]), (IMMUTABLE, A, ["candidate"]), (EXCLUDING, None, ["candidate"])],
)
def test_a_rolling_tag_that_names_another_image_and_cannot_move_is_refused(mutability, target, stuck):
    """Before anything is pushed; the tag, what it names and the setting are told."""
    refused = check_movable(before(mutability, latest=A, candidate=B), TAGS, target).rejections
    assert [each.cause.split("'")[1] for each in refused] == stuck
    assert all(mutability.setting in each.cause for each in refused)


def test_a_setting_that_is_not_known_stops_the_promotion():
    """Nobody can say whether the tag may move, so it is not tried."""
    (refused,) = check_movable(before(Mutability("SOMETIMES"), latest=A), TAGS, None).rejections
    assert "SOMETIMES" in refused.cause
    assert refused.where == "the repository"


def test_the_tags_of_a_release_are_three():
    """Two that it is published under, two that move on, all of them set."""
    assert TAGS.published == ("v1.0.0", "latest")
    assert TAGS.moving == ("latest", "candidate")
    assert TAGS.all == ("v1.0.0", "latest", "candidate")


@pytest.mark.parametrize(("account", "region"), [("1", "here"), ("2", "here"), ("1", "there"), ("2", "there")])
def test_only_the_releases_own_account_and_region_are_accepted(account, region):
    """Whatever differs is named with both values, and who called, with the profile if there is one."""
    refused = check_caller(AwsCaller("1", "arn:me", "here", "mine"), account, region).rejections
    assert len(refused) == (account != "1") + (region != "here")
    assert {each.where for each in refused} <= {"arn:me (profile mine)"}
    assert str(AwsCaller("1", "arn:me", "here")) == "arn:me"
