"""The release, in its order: push the candidate; give its digest the published tags; take `latest` back if need be."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from gate.aws.errors import AwsNotFound
from gate.check import require
from gate.errors import AwsRefused
from gate.legacy.snapshot import FunctionSnapshot
from gate.registry.diary import Diary
from gate.registry.ecr import EcrRepository
from gate.registry.login import Login
from gate.registry.manifest import (
    StoredManifest,
    UnreadableManifest,
    check_admission,
    check_bytes,
    check_same_config,
    read_manifest,
)
from gate.registry.promotion import (
    Caller,
    Held,
    Tags,
    check_caller,
    check_movable,
    check_release_tag,
    check_trial,
    tags_to_set,
)
from gate.registry.publication import CheckedImage, Publication, Trial
from gate.registry.repository import RepositorySnapshot, check_identity
from gate.registry.tags import can_move, check_same_digest
from gate.registry.typed import WHOAMI, Typed

_READS, _PAUSE = 6, 2.0  # how often, and every how many seconds, ECR is asked for what was just written
_NOT_TRIED = Trial(False, False, "not tried: this target may not be spoiled; the setting was checked instead")


class Pusher(Protocol):
    """Pushes an image of the engine under a tag."""

    def __call__(self, image: str, login: Login, tag: str) -> str:
        """Push and answer the digest that the registry holds."""


@dataclass(frozen=True)
class Publisher:
    """Publishes one image to one repository.

    Attributes:
        ecr: the repository.
        tags: the release's three tags.
        caller: who makes the calls.
        region: the region of the release.
        zip_function: the function whose baseline is taken first.
        push: pushes by way of the Docker engine.
        diary: writes each step down.
        sleep: waits so many seconds.
        may_spoil: whether overwriting the release tag may be tried: on a target made for it, never on AWS.
    """

    ecr: EcrRepository
    tags: Tags
    caller: Caller
    region: str
    zip_function: str
    push: Pusher
    diary: Diary
    sleep: Callable[[float], None]
    may_spoil: bool = False

    def push_candidate(
        self, image: CheckedImage, *, legacy: Callable[[], FunctionSnapshot], admit: Callable[[], None]
    ) -> Publication:
        """Push the image under the candidate tag; no other tag is touched.

        Args:
            image: the image that was built.
            legacy: takes the zip function's snapshot; it must be kept before it is answered.
            admit: called when nothing is pushed yet; raises if nothing may be.

        Raises:
            NoGo: caller, repository or release tag are not as they must be; nothing was pushed.
            GateError: something could not be had, or `admit` refused.
        """
        with self.diary.step(WHOAMI) as tell:
            require(check_caller(self.caller, self.ecr.account, self.region))
            tell(f"done: {self.caller.arn}")
        with self.diary.step(self._typed.baseline(self.zip_function)) as tell:
            baseline = legacy()
            tell(f"done: baseline of {baseline.name} kept")
        before = self.ecr.snapshot()
        require(check_identity(before.repository, self.ecr.account, self.region, self.ecr.name))
        there = self._already_there(image, before)
        require(check_movable(before, self.tags, there))
        admit()
        manifest, platform = self._in_registry(image, there)
        return Publication(
            digest=manifest.digest,
            manifest=manifest,
            platform=platform,
            config_digest=image.config_digest,
            uncompressed_bytes=image.uncompressed_bytes,
            after=self.ecr.snapshot(),
            before=before,
            legacy_before=baseline,
            steps=self.diary.steps,
        )

    def promote(self, pushed: Publication) -> Publication:
        """Give the release tag and then the rolling tag to the digest that was pushed; they are read back.

        Raises:
            NoGo: a tag names something else when it is read back.
            AwsRefused: a tag could not be given.
        """
        missing = tags_to_set(self._naming(), self.tags, pushed.digest)
        for tag in self.tags.published:
            with self.diary.step(self._typed.put_image(pushed.digest, tag)) as tell:
                if tag not in missing:
                    tell(f"verified, not repeated: {tag} names {pushed.digest} already")
                    continue
                self._put(pushed.manifest, tag)
                tell(f"done: {tag} names {pushed.digest}")
        trial = self._try_to_overwrite(pushed.manifest)
        after = self._read_back(pushed.digest, trial)
        return replace(pushed, after=after, steps=self.diary.steps, overwrite_trial=trial)

    def put_back(self, digest: str, tag: str) -> None:
        """Let a rolling tag name again what it named before.

        Raises:
            AwsRefused: the registry refuses, or holds that digest no longer.
        """
        with self.diary.step(self._typed.put_image(digest, tag)) as tell:
            self._put(self.ecr.manifest(digest), tag)
            tell(f"done: {tag} names {digest} again")

    def _put(self, manifest: StoredManifest, tag: str) -> None:
        named = self.ecr.put_tag(manifest, tag)
        require(check_same_digest({tag: named}, (tag,), manifest.digest))

    def _already_there(self, image: CheckedImage, before: RepositorySnapshot) -> str | None:
        """The digest under which the registry holds this very image behind one of our tags, None if it does not.

        Compared by config: the manifest's digest is known only once an image is pushed.
        """
        naming = before.naming()
        held = {tag: self._held(naming[tag]) for tag in self.tags.all if tag in naming}
        require(check_release_tag(held.get(self.tags.release), image.config_digest, self.tags.release))
        return next((each.digest for each in held.values() if each.config_digest == image.config_digest), None)

    def _held(self, digest: str) -> Held:
        try:
            return Held(digest, read_manifest(self.ecr.manifest(digest)).config.digest)
        except UnreadableManifest as error:
            # An index, say: another image than any that is built here.
            return Held(digest, f"unknown: the manifest {error}")

    def _in_registry(self, image: CheckedImage, there: str | None) -> tuple[StoredManifest, str]:
        """The image's manifest in the registry: pushed as the candidate, or there already, verified."""
        login = None if there else self._login()
        with self.diary.step(self._typed.push(self.tags.candidate)) as tell:
            digest = there or (self.push(image.image, login, self.tags.candidate) if login else "")
            said = "verified, not repeated: the registry holds the image that was built, as" if there else "done:"
            tell(f"{said} {digest}")
            manifest = self._visible(digest)
            # What Lambda refuses may have no config at all: its media types are checked before it is read.
            require(check_bytes(manifest) + check_admission(manifest, image.platform, image.platform))
            platform = self.ecr.config(manifest).platform
            require(
                check_same_config(manifest, image.config_digest) + check_admission(manifest, platform, image.platform)
            )
        return manifest, platform

    def _login(self) -> Login:
        with self.diary.step(self._typed.login()):
            return self.ecr.login()

    def _visible(self, digest: str) -> StoredManifest:
        """The manifest, waited for: a fresh push may not be visible at once."""
        for _ in range(_READS - 1):
            try:
                return self.ecr.manifest(digest)
            except AwsNotFound:
                self.sleep(_PAUSE)
        return self.ecr.manifest(digest)

    def _read_back(self, digest: str, trial: Trial) -> RepositorySnapshot:
        with self.diary.step(self._typed.describe_images()) as tell:
            after = self.ecr.snapshot()
            for _ in range(_READS - 1):
                if not tags_to_set(after.naming(), self.tags, digest):
                    break
                self.sleep(_PAUSE)
                after = self.ecr.snapshot()
            tags = check_same_digest(after.naming(), self.tags.published, digest)
            # Where the trial succeeded the tag names something else because of it: that is the cause to tell.
            require(tags if tags.accepted else check_trial(trial, self.tags.release) + tags)
            tell(f"done: {' and '.join(self.tags.published)} name {digest}")
        return after

    def _try_to_overwrite(self, manifest: StoredManifest) -> Trial:
        """Put another manifest of the same image under the release tag, where that may be tried."""
        if not self.may_spoil:
            return _NOT_TRIED
        if can_move(self.ecr.describe().mutability, self.tags.release):
            return Trial(False, False, "not tried: by its setting the repository would let it happen")
        body = manifest.body + "\n"  # the same JSON, other bytes: another digest
        digest = "sha256:" + hashlib.sha256(body.encode()).hexdigest()
        with self.diary.step(f"{self._typed.put_image(digest, self.tags.release)}  # must be refused") as tell:
            try:
                self.ecr.put_tag(StoredManifest(digest, manifest.media_type, body), self.tags.release)
            except AwsRefused as refusal:
                tell(f"done: refused, as it must be: {refusal.cause}")
                return Trial(True, "ImageTagAlreadyExistsException" in refusal.cause, refusal.cause)
            tell("done: NOT refused")
        return Trial(True, False, f"PutImage of {digest} under {self.tags.release} succeeded")

    def _naming(self) -> dict[str, str]:
        return {tag: image.digest for image in self.ecr.images() for tag in image.tags}

    @property
    def _typed(self) -> Typed:
        return Typed(self.ecr.account, self.region, self.ecr.name)
