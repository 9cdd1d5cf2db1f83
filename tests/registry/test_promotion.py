"""The decisions of a promotion, and what a release changes against the one before it."""

import pytest

from gate.judgement import prove_judges
from gate.registry.previous import ReleaseFacts, compare
from gate.registry.promotion import Held, Tags, Trial, judge_release_tag, judge_trial, next_tag, tags_to_set

TAGS = Tags("v1.0.0", "latest", "candidate")
A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64


@pytest.mark.parametrize(
    ("tag", "following"), [("v1.0.0", "v1.0.1"), ("v1.0.9", "v1.0.10"), ("release", "release-1"), ("7", "8")]
)
def test_the_way_out_is_the_next_tag(tag, following):
    """The message can be pasted."""
    assert next_tag(tag) == following
    assert f"--release-tag {following}" in str(judge_release_tag(Held(A, A), B, tag).rejections[0])


def test_a_free_tag_and_a_tag_on_the_same_image_are_accepted():
    """A re-run of the same build is no conflict."""
    assert judge_release_tag(None, A, "v1").accepted
    assert judge_release_tag(Held(B, A), A, "v1").accepted


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
    """Not trying is no proof either way; the setting's judge decides then."""
    assert judge_trial(Trial(True, True, "refused"), "v1").accepted
    assert judge_trial(Trial(False, False, "not tried"), "v1").accepted
    assert "'v1' be overwritten" in str(judge_trial(Trial(True, False, "succeeded"), "v1").rejections[0])


def test_every_judge_of_registry_and_zip_function_says_no_to_its_known_bad_value():
    """A judge that has gone blind is noticed."""
    proofs = [p for p in prove_judges() if p.judge.startswith(("gate.registry.", "gate.legacy."))]
    assert all(proof.said_no for proof in proofs), [proof for proof in proofs if not proof.said_no]
    assert len({proof.judge for proof in proofs}) >= 12


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
