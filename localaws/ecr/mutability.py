"""Which tags may be moved: tag mutability with exclusion filters (ECR's API reference, PutImageTagMutability).

`gate.registry.tags` implements the same rules independently: if the gate's code also answered for the registry, an
error in it would not show in a rehearsal.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from localaws.ecr.errors import EcrError, invalid
from localaws.ecr.state import RepositoryState

_SETTINGS = ("MUTABLE", "IMMUTABLE", "MUTABLE_WITH_EXCLUSION", "IMMUTABLE_WITH_EXCLUSION")
_FILTER = re.compile(r"[0-9a-zA-Z._*-]{1,128}")
_MOST_FILTERS = 5
_MOST_WILDCARDS = 2


def matches(pattern: str, tag: str) -> bool:
    """Whether a WILDCARD filter matches the whole tag: `*` stands for any characters, or none."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), tag) is not None


def is_immutable(repository: RepositoryState, tag: str) -> bool:
    """Whether this tag cannot be moved once it is set."""
    excluded = any(matches(pattern, tag) for pattern in repository.filters)
    if repository.mutability.startswith("IMMUTABLE"):
        return not excluded
    return repository.mutability == "MUTABLE_WITH_EXCLUSION" and excluded


def refuse_overwriting(repository: RepositoryState, tag: str | None) -> None:
    """Refuse to set an immutable tag that exists, even to the same digest.

    Raises:
        EcrError: ImageTagAlreadyExistsException.
    """
    if tag and is_immutable(repository, tag) and repository.tagged(tag):
        raise EcrError(
            "ImageTagAlreadyExistsException",
            f"The image tag '{tag}' already exists in the '{repository.name}' repository and cannot be overwritten "
            "because the tag is immutable.",
        )


def configure(repository: RepositoryState, parameters: Mapping[str, Any]) -> None:
    """Set mutability and filters from a request.

    Raises:
        EcrError: InvalidParameterException.
    """
    setting = parameters.get("imageTagMutability", "MUTABLE")
    filters = parameters.get("imageTagMutabilityExclusionFilters") or []
    if setting not in _SETTINGS:
        raise invalid(f"Invalid parameter at 'imageTagMutability': {setting!r} is not one of {', '.join(_SETTINGS)}")
    if bool(filters) != setting.endswith("_WITH_EXCLUSION"):
        raise invalid(
            "Invalid parameter at 'imageTagMutabilityExclusionFilters': filters are required with a setting "
            f"that ends in _WITH_EXCLUSION, and only with one; it is {setting} with {len(filters)} filters"
        )
    repository.mutability, repository.filters = setting, [_pattern(entry) for entry in _not_too_many(filters)]


def described(repository: RepositoryState) -> dict[str, Any]:
    """The setting as ECR answers it."""
    filters = [{"filterType": "WILDCARD", "filter": pattern} for pattern in repository.filters]
    setting: dict[str, Any] = {"imageTagMutability": repository.mutability}
    return {**setting, "imageTagMutabilityExclusionFilters": filters} if filters else setting


def _not_too_many(filters: list[dict[str, str]]) -> list[dict[str, str]]:
    if len(filters) > _MOST_FILTERS:
        raise invalid(f"Invalid parameter at 'imageTagMutabilityExclusionFilters': {len(filters)} filters, at most 5")
    return filters


def _pattern(entry: Mapping[str, str]) -> str:
    pattern, kind = entry.get("filter", ""), entry.get("filterType")
    if kind != "WILDCARD" or not _FILTER.fullmatch(pattern) or pattern.count("*") > _MOST_WILDCARDS:
        raise invalid(
            f"Invalid parameter at 'imageTagMutabilityExclusionFilters': {kind} {pattern!r}; a filter is a WILDCARD of "
            "1 to 128 letters, digits, '.', '_', '-', with at most two '*'"
        )
    return pattern
