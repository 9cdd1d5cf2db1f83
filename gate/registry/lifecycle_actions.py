"""Which images the lifecycle policy expired or archived while a release went on. Pure.

Source: Amazon ECR user guide, "How lifecycle policies work" (rules are applied within 24 hours, at any moment; a
referrer goes after its subject) and "Sign images" (an artifact stays in its storage class for 24 hours at least).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from gate.registry.artifacts import named_by
from gate.registry.lifecycle import Rule, UnreadablePolicy, evaluate, read_policy

if TYPE_CHECKING:
    from gate.registry.repository import RepositorySnapshot, StoredImage

_STAYS = timedelta(hours=24)


def expired_or_archived(
    before: RepositorySnapshot, after: RepositorySnapshot, moved: tuple[str, ...], now: datetime | None
) -> dict[str, str]:
    """The images that are gone or archived as the policy says, by digest, each with the sentence that explains it.

    Args:
        before: the repository before anything was pushed.
        after: the repository now.
        moved: the tags that publishing sets, and so takes away from other images.
        now: when `after` was read; None: nothing is explained.
    """
    try:
        rules = read_policy(before.lifecycle_policy)
    except UnreadablePolicy:
        rules = ()
    if not rules or now is None or before.lifecycle_policy != after.lifecycle_policy:
        return {}
    by_rule = {
        digest: f"the lifecycle policy ended it: {rule}"
        for digest, rule in _marked(rules, before, after, moved, now).items()
        if _is_done(rule, after.image(digest))
    }
    return by_rule | _with_their_subject(before, after, by_rule, now)


def _marked(
    rules: tuple[Rule, ...],
    before: RepositorySnapshot,
    after: RepositorySnapshot,
    moved: tuple[str, ...],
    now: datetime,
) -> dict[str, Rule]:
    """What the rules end at some moment of the release: while the rolling tags stood on it, or when they had gone."""
    new = [image for image in after.images if before.image(image.digest) is None]
    left = [
        replace(image, tags=tuple(tag for tag in image.tags if tag not in moved or after.naming().get(tag) is None))
        for image in before.images
    ]
    return evaluate(rules, [*before.images, *new], now) | evaluate(rules, [*left, *new], now)


def _is_done(rule: Rule, image: StoredImage | None) -> bool:
    return image is None if rule.action == "expire" else image is not None and image.status == "ARCHIVED"


def _with_their_subject(
    before: RepositorySnapshot, after: RepositorySnapshot, by_rule: Mapping[str, str], now: datetime
) -> dict[str, str]:
    """Referrers whose subject was ended by a rule, or was not there any more."""
    found: dict[str, str] = {}
    for _ in before.images:
        more = {
            image.digest: f"the lifecycle policy ends a referrer after its subject {image.subject}"
            for image in before.images
            if image.digest not in found and image.subject and now - image.pushed_at >= _STAYS
            and _is_orphan(image, before, after, {*by_rule, *found})
        }  # fmt: skip
        if not more:
            break
        found |= more
    return found


def _is_orphan(
    image: StoredImage, before: RepositorySnapshot, after: RepositorySnapshot, ended_ones: Collection[str]
) -> bool:
    subject = before.image(image.subject)
    if subject is None:
        return after.image(image.subject) is None
    return subject.digest in ended_ones or subject.status == "ARCHIVED"


def protected_because(
    before: RepositorySnapshot, after: RepositorySnapshot, moved: tuple[str, ...], released: str, digest: str
) -> str:
    """Why no lifecycle rule may take this image away, as the end of a sentence; "" when one may."""
    was, is_ = before.naming(), after.naming()
    published = {released, *(is_.get(tag, was.get(tag)) for tag in moved)}
    if digest in published:
        return "a published tag names it"
    image = before.image(digest)
    if image is not None and released in {image.subject, *map(named_by, image.tags)}:
        return "it is a referrer of the released image"
    return ""
