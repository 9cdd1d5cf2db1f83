"""What is different in a repository after a release, and what of it explains itself. Pure.

Signatures, attestations and SBOMs are stored as images of their own, by whoever pushes and by ECR itself (Amazon ECR
user guide, "Sign images": one stays in its storage class for 24 hours at least); a lifecycle policy acts within 24
hours, at any moment, and a referrer goes after its subject ("How lifecycle policies work").
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from gate.registry.artifacts import NotAnArtifact, ReferrerLookup, named_by
from gate.registry.lifecycle import Rule, UnreadablePolicy, evaluate, read_policy
from gate.registry.manifest import StoredManifest

if TYPE_CHECKING:
    from gate.registry.repository import RepositorySnapshot, StoredImage

_ABSENT = "not there"
_STAYS = timedelta(hours=24)


@dataclass(frozen=True)
class RepositoryChange:
    """One difference.

    Attributes:
        explained: what brought it about without anybody changing the repository; "" where nothing says so.
        doubt: why it is not explained, as the end of a sentence.
    """

    what: str
    name: str
    was: str
    is_: str
    explained: str = ""
    doubt: str = ""

    def __str__(self) -> str:
        said = f"The {self.what} {self.name} changed during the release: it was {self.was}, and is {self.is_}"
        return said + (f" ({self.doubt})" if self.doubt else "")


@dataclass(frozen=True)
class InspectedManifests:
    """The manifests and blobs that distinguish images from signatures.

    Attributes:
        manifests: by digest.
        blobs: the text of what `gate.registry.artifacts.blobs_to_read` names, by digest.
    """

    manifests: Mapping[str, StoredManifest] = field(default_factory=dict)
    blobs: Mapping[str, str] = field(default_factory=dict)


def to_inspect(before: RepositorySnapshot, after: RepositorySnapshot, released: str) -> tuple[str, ...]:
    """The digests whose manifests tell what they are: new images, and those that a referrer's tag names anew."""
    was = before.naming()
    new = {image.digest for image in after.images if before.image(image.digest) is None}
    tagged = {found for tag, found in after.naming().items() if named_by(tag) and was.get(tag) != found}
    return tuple(sorted({*new, *tagged} - {released}))


@dataclass(frozen=True)
class Comparison:
    """A repository before and after a release.

    Attributes:
        before: the repository before anything was pushed.
        after: the repository now.
        moved: the tags that publishing sets.
        released: the digest that was published.
        looked: the manifests of what `to_inspect` names; what is missing explains nothing.
        now: when `after` was read (UTC); None: no lifecycle rule explains anything.
    """

    before: RepositorySnapshot
    after: RepositorySnapshot
    moved: tuple[str, ...]
    released: str
    looked: InspectedManifests = field(default_factory=InspectedManifests)
    now: datetime | None = None

    def changes(self) -> tuple[RepositoryChange, ...]:
        """Every difference but the release's own tags and image, each with its explanation where there is one."""
        before, after = self.before, self.after
        images = [self._image(change) for change in _differences("image", self._described(before),
                                                                 self._described(after))]  # fmt: skip
        looked = self.looked.manifests
        named = {image.digest: self._told(image) for image in after.images if image.digest in looked}
        gone = {change.name: change.explained for change in images if change.is_ == _ABSENT}
        tags = _differences("tag", self._other_tags(before), self._other_tags(after))
        return (
            *_differences("setting", _settings(before), _settings(after)),
            *_differences("resource tag", before.resource_tags, after.resource_tags),
            *(_tag(change, named, gone) for change in tags),
            *images,
        )

    def _image(self, change: RepositoryChange) -> RepositoryChange:
        before, after = self.before.image(change.name), self.after.image(change.name)
        if before is None:
            return change if after is None else replace(change, **self._told(after))
        if after is not None and not _was_archived(before, after):
            return change
        if after is None and self._was_replaced(before):
            return replace(change, explained="another list of referrers took its place")
        doubt = _protected_because(self, change.name)
        return replace(change, explained="" if doubt else self._ended.get(change.name, ""), doubt=doubt)

    @cached_property
    def _ended(self) -> dict[str, str]:
        return _expired_or_archived(self)

    def _was_replaced(self, before: StoredImage) -> bool:
        """A client that keeps referrers under a tag writes a new list and removes the old one."""
        naming = self.after.naming()
        stand = [self.after.image(naming.get(tag, "")) for tag in before.tags]
        of_referrers = bool(before.tags) and all(named_by(tag) for tag in before.tags)
        return of_referrers and all(image is not None and "explained" in self._told(image) for image in stand)

    def _told(self, image: StoredImage) -> dict[str, str]:
        """What a change of an image says of it: of what it is a referrer, or why it is none."""
        try:
            return {"explained": self._held.about(image)}
        except NotAnArtifact as error:
            return {"doubt": f"it {error}"}

    @cached_property
    def _held(self) -> ReferrerLookup:
        images = {image.digest: image for image in (*self.before.images, *self.after.images)}
        known = {self.released, *(image.digest for image in self.before.images)}
        held = ReferrerLookup(images, self.looked.manifests, self.looked.blobs, frozenset(known))
        return held.with_their_own(self.after.images)

    def _described(self, snapshot: RepositorySnapshot) -> dict[str, str]:
        # Which tags an image carries is compared tag by tag; the rest of it must stay as it was.
        return {
            image.digest: f"{image.size_bytes} bytes, {image.media_type}, {image.status}"
            for image in snapshot.images
            if image.digest != self.released
        }

    def _other_tags(self, snapshot: RepositorySnapshot) -> dict[str, str]:
        return {tag: digest for tag, digest in snapshot.naming().items() if tag not in self.moved}


def _was_archived(before: StoredImage, after: StoredImage) -> bool:
    """Whether an image is in the archive, and the same otherwise."""
    same = replace(after, status=before.status, tags=before.tags, archived_at=before.archived_at,
                   last_pulled_at=before.last_pulled_at)  # fmt: skip
    return after.status == "ARCHIVED" and same == before


def _tag(change: RepositoryChange, named: Mapping[str, Mapping[str, str]], gone: Mapping[str, str]) -> RepositoryChange:
    """A tag goes with its image, and comes with a referrer if it is a referrer's tag."""
    if change.is_ == _ABSENT:
        return replace(change, explained=gone.get(change.was, ""))
    return replace(change, **named.get(change.is_, {})) if named_by(change.name) else change


def _settings(snapshot: RepositorySnapshot) -> dict[str, str]:
    repository = snapshot.repository
    return {
        "ARN": repository.arn,
        "created at": repository.created_at.isoformat(),
        "tag mutability": str(repository.mutability),
        "lifecycle policy": str(snapshot.lifecycle_policy),
        "repository policy": str(snapshot.repository_policy),
        **repository.settings,
    }


def _differences(what: str, before: Mapping[str, str], after: Mapping[str, str]) -> list[RepositoryChange]:
    return [
        RepositoryChange(what, name, before.get(name, _ABSENT), after.get(name, _ABSENT))
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    ]


def _expired_or_archived(of: Comparison) -> dict[str, str]:
    """The images that are gone or archived as the policy says, by digest, each with the sentence that explains it."""
    policy = of.before.lifecycle_policy
    try:
        rules = read_policy(policy)
    except UnreadablePolicy:
        rules = ()
    if not rules or of.now is None or policy != of.after.lifecycle_policy:
        return {}
    by_rule = {
        digest: f"the lifecycle policy ended it: {rule}"
        for digest, rule in _marked(rules, of, of.now).items()
        if _is_done(rule, of.after.image(digest))
    }
    return by_rule | _with_their_subject(of, by_rule, of.now)


def _marked(rules: tuple[Rule, ...], of: Comparison, now: datetime) -> dict[str, Rule]:
    """What the rules end at some moment of the release: while the rolling tags stood on it, or when they had gone."""
    named, images = of.after.naming(), of.before.images
    new = [image for image in of.after.images if of.before.image(image.digest) is None]
    left = [replace(each, tags=tuple(t for t in each.tags if t not in of.moved or t not in named)) for each in images]
    return evaluate(rules, [*images, *new], now) | evaluate(rules, [*left, *new], now)


def _is_done(rule: Rule, image: StoredImage | None) -> bool:
    return image is None if rule.action == "expire" else image is not None and image.status == "ARCHIVED"


def _with_their_subject(of: Comparison, by_rule: Mapping[str, str], now: datetime) -> dict[str, str]:
    """Referrers whose subject was ended by a rule, or was not there any more."""
    found: dict[str, str] = {}
    for _ in of.before.images:
        more = {
            image.digest: f"the lifecycle policy ends a referrer after its subject {image.subject}"
            for image in of.before.images
            if image.digest not in found and image.subject and now - image.pushed_at >= _STAYS
            and _is_orphan(image.subject, of, {*by_rule, *found})
        }  # fmt: skip
        if not more:
            break
        found |= more
    return found


def _is_orphan(subject: str, of: Comparison, ended: Collection[str]) -> bool:
    held = of.before.image(subject)
    if held is None:
        return of.after.image(subject) is None
    return subject in ended or held.status == "ARCHIVED"


def _protected_because(of: Comparison, digest: str) -> str:
    """Why no lifecycle rule may take this image away, as the end of a sentence; "" when one may."""
    was, is_ = of.before.naming(), of.after.naming()
    if digest in {of.released, *(is_.get(tag, was.get(tag)) for tag in of.moved)}:
        return "a published tag names it"
    image = of.before.image(digest)
    if image is not None and of.released in {image.subject, *map(named_by, image.tags)}:
        return "it is a referrer of the released image"
    return ""
