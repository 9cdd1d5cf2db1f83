"""Applying a lifecycle policy (Amazon ECR user guide, "How lifecycle policies work")."""

from __future__ import annotations

import json
from typing import Any

from localaws.ecr.mutability import matches
from localaws.ecr.state import ImageState, RepositoryState

_DAY = 86_400.0


def apply(repository: RepositoryState, now: float) -> None:
    """Expire and archive images as the repository's policy says.

    Args:
        repository: changed in place.
        now: seconds since the epoch.
    """
    if repository.lifecycle is None:
        return
    rules = sorted(json.loads(repository.lifecycle)["rules"], key=lambda rule: int(rule["rulePriority"]))
    repository.evaluated_at = now
    for image, action in _marked(rules, list(repository.images.values()), now):
        held = any(image.digest in other.children for other in repository.images.values())
        if not held:
            _act(repository, image, action, now)
    _expire_orphans(repository, now)


def _marked(rules: list[dict[str, Any]], images: list[ImageState], now: float) -> list[tuple[ImageState, str]]:
    """An image belongs to the first rule that selects it; later rules count it, but do not act on it."""
    owner = {image.digest: next((rule for rule in rules if _selects(rule, image)), None) for image in images}
    return [
        (image, rule["action"]["type"])
        for rule in rules
        for image in _exceeding(rule, [image for image in images if _selects(rule, image)], now)
        if owner[image.digest] is rule
    ]


def _selects(rule: dict[str, Any], image: ImageState) -> bool:
    selection = rule["selection"]
    if (selection.get("storageClass", "standard") == "archive") != (image.status == "ARCHIVED"):
        return False
    if selection["tagStatus"] != "tagged":
        return selection["tagStatus"] == "any" or not image.tags
    prefixes, patterns = selection.get("tagPrefixList", []), selection.get("tagPatternList", [])
    return all(any(tag.startswith(prefix) for tag in image.tags) for prefix in prefixes) and all(
        any(matches(pattern, tag) for tag in image.tags) for pattern in patterns
    )


def _exceeding(rule: dict[str, Any], selected: list[ImageState], now: float) -> list[ImageState]:
    kind, count = rule["selection"]["countType"], int(rule["selection"]["countNumber"])
    newest_first = sorted(selected, key=lambda image: image.pushed_at, reverse=True)
    if kind == "imageCountMoreThan":
        return newest_first[count:]
    # Pulls are not recorded, so the push counts as the last pull.
    since = {image.digest: image.pushed_at for image in selected}
    if kind == "sinceImageTransitioned":
        since = {image.digest: image.archived_at or image.pushed_at for image in selected}
    return [image for image in newest_first if now - since[image.digest] >= count * _DAY]


def _act(repository: RepositoryState, image: ImageState, action: str, now: float) -> None:
    if action == "transition":
        image.status, image.archived_at = "ARCHIVED", now
        return
    del repository.images[image.digest]
    repository.scans.pop(image.digest, None)


def _expire_orphans(repository: RepositoryState, now: float) -> None:
    """Expire referrers whose subject is gone, once they are a day old."""
    for image in list(repository.images.values()):
        if image.subject and image.subject not in repository.images and now - image.pushed_at >= _DAY:
            _act(repository, image, "expire", now)
