"""Which tags may move, under all four settings, and what tags name."""

import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.registry.tags import ExclusionFilter, Mutability, can_move, check_mutability, check_same_digest, matches

A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64


def setting(name, *patterns):
    """A mutability setting with WILDCARD filters."""
    return Mutability(name, tuple(ExclusionFilter("WILDCARD", each) for each in patterns))


def checked(mutability):
    """The judgement for the release's tags, as text ("" for accepted)."""
    result = check_mutability(mutability, "v1.0.0", ("latest", "candidate"), "repo")
    return "\n".join(map(str, result.rejections))


@pytest.mark.parametrize(
    "mutability",
    [
        setting("IMMUTABLE_WITH_EXCLUSION", "latest", "candidate"),
        setting("IMMUTABLE_WITH_EXCLUSION", "lat*", "*date"),
        setting("IMMUTABLE_WITH_EXCLUSION", "latest*", "c*te"),
        setting("MUTABLE_WITH_EXCLUSION", "v*"),
        setting("MUTABLE_WITH_EXCLUSION", "v*.*", "release-*"),
    ],
)
def test_settings_that_serve_both_kinds_of_tag_are_accepted(mutability):
    """Immutable but for the rolling tags, or mutable but for the release tags."""
    assert checked(mutability) == ""


@pytest.mark.parametrize(
    ("mutability", "loose", "stuck"),
    [
        (setting("MUTABLE"), True, []),
        (setting("IMMUTABLE"), False, ["latest", "candidate"]),
        (setting("IMMUTABLE_WITH_EXCLUSION", "latest"), False, ["candidate"]),
        (setting("IMMUTABLE_WITH_EXCLUSION", "*"), True, []),
        (setting("IMMUTABLE_WITH_EXCLUSION", "latest", "candidate", "v1*"), True, []),
        (setting("IMMUTABLE_WITH_EXCLUSION", "LATEST", "candidate"), False, ["latest"]),
        (setting("MUTABLE_WITH_EXCLUSION", "release-*"), True, []),
        (setting("MUTABLE_WITH_EXCLUSION", "*"), False, ["latest", "candidate"]),
        (setting("MUTABLE_WITH_EXCLUSION", "v2*"), True, []),
    ],
)
def test_row_12_each_setting_that_serves_one_kind_of_tag_only_is_refused(mutability, loose, stuck):
    """The message names the tag, the setting with its filters, and the command that mends it."""
    words = checked(mutability)
    assert ("'v1.0.0' can be overwritten" in words) == loose
    for tag in ("latest", "candidate"):
        assert (f"{tag!r} cannot move" in words) == (tag in stuck)
    assert mutability.setting in words
    assert "put-image-tag-mutability --repository-name repo" in words


@pytest.mark.parametrize(
    "mutability",
    [
        setting("SOMETIMES"),
        setting(""),
        setting("IMMUTABLE_WITH_EXCLUSION"),
        setting("IMMUTABLE", "latest"),
        setting("IMMUTABLE_WITH_EXCLUSION", "lat[e]st", "candidate"),
        setting("IMMUTABLE_WITH_EXCLUSION", "", "candidate"),
        Mutability("IMMUTABLE_WITH_EXCLUSION", (ExclusionFilter("REGEX", "latest|candidate"),)),
        Mutability("IMMUTABLE_WITH_EXCLUSION", (ExclusionFilter("REGEX", "latest"), ExclusionFilter("REGEX", "cand*"))),
    ],
)
def test_what_is_not_known_is_refused(mutability):
    """An unknown setting, a filter of another kind, or a contradiction is a NO-GO."""
    assert "known" in checked(mutability) or "contradict" in checked(mutability)


TAG = st.text("abv0.-_", min_size=1, max_size=12)


@given(st.text("abv0.-_*", min_size=1, max_size=12), TAG)
def test_a_wildcard_is_a_star_and_nothing_else(pattern, tag):
    """Without `?` and `[` the shell's matching means the same: an independent oracle."""
    assert matches(pattern, tag) == fnmatch.fnmatchcase(tag, pattern)


@pytest.mark.parametrize("tag", ["vX0", "v.0", "v1.0.0\n"])
def test_a_dot_is_a_dot(tag):
    """No character of a filter is read as a regular expression (and none is lost at the end)."""
    assert matches("v.0", tag) == (tag == "v.0")
    assert not matches("v1.0.0", tag)


def test_a_pattern_of_many_stars_is_answered_at_once():
    """Neighbouring stars do not multiply the ways to match."""
    assert not matches("*" * 60 + "b", "a" * 120)


@given(TAG, st.lists(st.text("abv0*", min_size=1, max_size=6), min_size=1, max_size=5))
def test_the_two_settings_with_exclusions_are_each_others_opposite(tag, patterns):
    """What one lets move, the other keeps."""
    assert can_move(setting("MUTABLE_WITH_EXCLUSION", *patterns), tag) != can_move(
        setting("IMMUTABLE_WITH_EXCLUSION", *patterns), tag
    )


def test_row_9_tags_that_name_different_digests_are_refused_with_both():
    """Each tag that names another digest, or nothing, is named with what it names."""
    assert check_same_digest({"v1.0.0": A, "latest": A}, ("v1.0.0", "latest"), A).accepted
    words = str(check_same_digest({"v1.0.0": A, "latest": B}, ("v1.0.0", "latest"), A).rejections[0])
    assert "'latest'" in words
    assert A in words
    assert B in words
    missing = check_same_digest({"v1.0.0": A}, ("v1.0.0", "latest"), A)
    assert "'latest' names nothing" in str(missing.rejections[0])
    assert len(check_same_digest({"v1.0.0": B, "latest": B}, ("v1.0.0", "latest"), A).rejections) == 2
    assert not check_same_digest({}, (), A).accepted


def test_the_message_holds_the_setting_and_its_filters():
    """Filters are told where there are any."""
    assert "the setting is MUTABLE" in checked(setting("MUTABLE"))
    assert "excluded: " not in checked(setting("MUTABLE"))
    excluded = checked(setting("IMMUTABLE_WITH_EXCLUSION", "latest", "v*"))
    assert "the setting is IMMUTABLE_WITH_EXCLUSION (excluded: 'latest', 'v*')" in excluded
