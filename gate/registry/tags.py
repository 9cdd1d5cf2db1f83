"""What the tags name, and which of them may move. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from gate.check import ACCEPTED, CheckResult, Rejection, check, reject

SETTINGS = ("MUTABLE", "IMMUTABLE", "MUTABLE_WITH_EXCLUSION", "IMMUTABLE_WITH_EXCLUSION")
_READ = "the tags as ECR names them (DescribeImages)"
_RELEASE = (
    "find out in CloudTrail who moved or deleted it; then give the rolling tag, if there is one, to the newest "
    "accepted release (--promote with its release tag), or release the next one"
)
# ECR: ImageTagMutabilityExclusionFilterValue, and at most two wildcards in one filter.
_FILTER = re.compile(r"[0-9a-zA-Z._*-]{1,128}")


@dataclass(frozen=True)
class ExclusionFilter:
    """One filter of a repository's mutability setting, as ECR answers it."""

    kind: str
    pattern: str


@dataclass(frozen=True)
class Mutability:
    """A repository's tag mutability: one of four settings, and the tags excluded from it."""

    setting: str
    exclusions: tuple[ExclusionFilter, ...] = ()


class UndecidableMutability(ValueError):
    """The setting is one this gate does not know; the message is a sentence."""


def matches(pattern: str, tag: str) -> bool:
    """Whether a WILDCARD filter takes in a tag: `*` stands for any characters or none, all else for itself."""
    return _compiled(pattern).fullmatch(tag) is not None


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    # Neighbouring wildcards mean the same as one, and one keeps the expression from backtracking for ever.
    return re.compile(".*".join(re.escape(part) for part in re.sub(r"\*+", "*", pattern).split("*")), re.DOTALL)


def can_move(mutability: Mutability, tag: str) -> bool:
    """Whether a push may make `tag`, once it exists, name another image.

    Raises:
        UndecidableMutability: setting or filter are unknown or contradict each other.
    """
    _check(mutability)
    excluded = any(matches(each.pattern, tag) for each in mutability.exclusions)
    return mutability.setting.startswith("MUTABLE") != excluded


def _check(mutability: Mutability) -> None:
    if mutability.setting not in SETTINGS:
        raise UndecidableMutability(f"The repository's tag mutability is {mutability.setting!r}, which is not known")
    if mutability.setting.endswith("_WITH_EXCLUSION") != bool(mutability.exclusions):
        raise UndecidableMutability(
            f"The repository's tag mutability is {mutability.setting} with {len(mutability.exclusions)} exclusion"
            " filters, which contradict each other"
        )
    for each in mutability.exclusions:
        if each.kind != "WILDCARD" or not _FILTER.fullmatch(each.pattern):
            raise UndecidableMutability(f"The exclusion filter {each.kind} {each.pattern!r} is not known")


def _known_bad_mutability() -> tuple[Mutability, str, tuple[str, ...], str]:
    return Mutability("MUTABLE"), "v1.0.0", ("latest",), "repository"


@check(2, known_bad=_known_bad_mutability)
def check_mutability(mutability: Mutability, fixed: str, rolling: tuple[str, ...], repository: str) -> CheckResult:
    """Whether the release tag cannot be overwritten while every rolling tag can move.

    Args:
        mutability: the repository's setting.
        fixed: the release tag.
        rolling: the tags that move with each release.
        repository: the repository's name, for the message.
    """
    where, remedy = f"the tag mutability of repository {repository}", _remedy(repository, rolling)
    try:
        loose = [fixed] if can_move(mutability, fixed) else []
        stuck = [tag for tag in rolling if not can_move(mutability, tag)]
    except UndecidableMutability as error:
        return reject(str(error), where, remedy)
    said = _said(mutability)
    overwritten = [Rejection(f"The release tag {tag!r} can be overwritten: {said}", where, remedy) for tag in loose]
    unmovable = [Rejection(f"The tag {tag!r} cannot move: {said}", where, remedy) for tag in stuck]
    return CheckResult.of(overwritten + unmovable)


def _said(mutability: Mutability) -> str:
    filters = ", ".join(repr(each.pattern) for each in mutability.exclusions)
    return f"the setting is {mutability.setting}" + (f" (excluded: {filters})" if filters else "")


def _remedy(repository: str, rolling: tuple[str, ...]) -> str:
    filters = " ".join(f"filterType=WILDCARD,filter={tag}" for tag in rolling)
    return (
        f"aws ecr put-image-tag-mutability --repository-name {repository} --image-tag-mutability"
        f" IMMUTABLE_WITH_EXCLUSION --image-tag-mutability-exclusion-filters {filters}"
    )


def _known_bad_tags() -> tuple[dict[str, str | None], tuple[str, ...], str]:
    return {"v1.0.0": "sha256:" + "a" * 64, "latest": "sha256:" + "b" * 64}, ("v1.0.0", "latest"), "sha256:" + "a" * 64


@check(2, known_bad=_known_bad_tags)
def check_same_digest(named: Mapping[str, str | None], tags: tuple[str, ...], checked: str) -> CheckResult:
    """Whether each of these tags names the one digest that was built and checked.

    Args:
        named: the digest that each tag names in the registry, None where it names nothing.
        tags: the tags that must name it.
        checked: the digest that this run is about.
    """
    result = ACCEPTED
    for tag in tags:
        digest = named.get(tag)
        if digest is None:
            result += reject(f"The tag {tag!r} names nothing in the registry; checked was {checked}", _READ, _RELEASE)
        elif digest != checked:
            result += reject(f"The tag {tag!r} names {digest}, and checked was {checked}", _READ, _RELEASE)
    return result if tags else reject("No tag was asked for, so nothing is known about any", _READ, _RELEASE)
