"""Which tags may be moved."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localaws.ecr.errors import EcrError
from localaws.ecr.mutability import configure, described, is_immutable, matches, refuse_overwriting
from localaws.ecr.state import ImageState, RepositoryState

TAG = st.text(alphabet="abv.10-_", min_size=1, max_size=12)


def repository(mutability: str, *filters: str) -> RepositoryState:
    """A repository with this setting, in which `v1.0.0` and `latest` exist."""
    image = ImageState("sha256:1", "", "", 1, 0.0, tags=["v1.0.0", "latest"])
    return RepositoryState("r", 0.0, mutability, list(filters), images={image.digest: image})


@pytest.mark.parametrize(
    ("pattern", "tag", "expected"),
    [
        ("latest", "latest", True),
        ("latest", "latest-1", False),
        ("latest*", "latest", True),
        ("v*", "v1.0.0", True),
        ("v*0", "v1.0.0", True),
        ("*", "anything", True),
        ("v1.0.0", "v1x0x0", False),
        ("V*", "v1", False),
    ],
)
def test_a_filter_matches_the_whole_tag(pattern: str, tag: str, expected: bool) -> None:
    """`*` stands for any characters or none; everything else stands for itself."""
    assert matches(pattern, tag) is expected


@given(TAG, TAG)
def test_a_filter_without_wildcard_matches_itself_alone(pattern: str, tag: str) -> None:
    """A dot is a dot: a filter is not a regular expression."""
    assert matches(pattern, tag) == (pattern == tag)


@pytest.mark.parametrize(
    ("setting", "filters", "release", "rolling"),
    [
        ("MUTABLE", [], False, False),
        ("IMMUTABLE", [], True, True),
        ("IMMUTABLE_WITH_EXCLUSION", ["latest"], True, False),
        ("IMMUTABLE_WITH_EXCLUSION", ["*"], False, False),
        ("MUTABLE_WITH_EXCLUSION", ["v*"], True, False),
    ],
)
def test_each_setting_fixes_its_tags(setting: str, filters: list[str], release: bool, rolling: bool) -> None:
    """An exclusion is an exception to the setting that it stands with."""
    standing = repository(setting, *filters)
    assert (is_immutable(standing, "v1.0.0"), is_immutable(standing, "latest")) == (release, rolling)


def test_an_immutable_tag_is_not_set_again() -> None:
    """ECR refuses it even for the same digest; a tag that does not exist yet may be set."""
    standing = repository("IMMUTABLE_WITH_EXCLUSION", "latest")
    with pytest.raises(EcrError, match=r"'v1\.0\.0' already exists") as refusal:
        refuse_overwriting(standing, "v1.0.0")
    assert refusal.value.code == "ImageTagAlreadyExistsException"
    refuse_overwriting(standing, "v1.0.1")
    refuse_overwriting(standing, "latest")
    refuse_overwriting(standing, None)


def _filters(*patterns: str) -> list[dict[str, str]]:
    return [{"filterType": "WILDCARD", "filter": pattern} for pattern in patterns]


@pytest.mark.parametrize(
    "parameters",
    [
        {"imageTagMutability": "SOMETIMES"},
        {"imageTagMutability": "IMMUTABLE_WITH_EXCLUSION"},
        {"imageTagMutability": "IMMUTABLE", "imageTagMutabilityExclusionFilters": _filters("latest")},
        {
            "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
            "imageTagMutabilityExclusionFilters": _filters(*"abcdef"),
        },
        {"imageTagMutability": "MUTABLE_WITH_EXCLUSION", "imageTagMutabilityExclusionFilters": _filters("a*b*c*")},
        {"imageTagMutability": "MUTABLE_WITH_EXCLUSION", "imageTagMutabilityExclusionFilters": _filters("v[0-9]")},
        {
            "imageTagMutability": "MUTABLE_WITH_EXCLUSION",
            "imageTagMutabilityExclusionFilters": [{"filterType": "REGEX", "filter": "v1"}],
        },
    ],
)
def test_a_setting_that_ecr_does_not_have_is_refused(parameters: dict[str, Any]) -> None:
    """Nothing is set by a request that is refused."""
    standing = repository("MUTABLE")
    with pytest.raises(EcrError) as refusal:
        configure(standing, parameters)
    assert refusal.value.code == "InvalidParameterException"
    assert (standing.mutability, standing.filters) == ("MUTABLE", [])


def test_a_setting_is_answered_as_it_was_set() -> None:
    """The filters come back, and only with a setting that has them."""
    wanted = {
        "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
        "imageTagMutabilityExclusionFilters": _filters("latest"),
    }
    standing = repository("MUTABLE")
    configure(standing, wanted)
    assert described(standing) == wanted
    configure(standing, {"imageTagMutability": "IMMUTABLE"})
    assert described(standing) == {"imageTagMutability": "IMMUTABLE"}
