"""What a release does in the registry: push the candidate, give its digest the published tags, put `latest` back."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gate.aws.errors import AwsNotFound
from gate.check import require
from gate.errors import AwsRefused
from gate.legacy.snapshot import FunctionSnapshot
from gate.publish.promotion_checks import (
    TaggedImage,
    check_accepted,
    check_caller,
    check_movable,
    check_release_tag,
    check_trial,
    tags_to_set,
)
from gate.publish.publication import AcceptedRelease, CheckedImage, Publication, Trial
from gate.publish.release_client import ReleaseClient
from gate.publish.release_log import WHOAMI, Commands, ReleaseLog
from gate.registry.manifest import (
    StoredManifest,
    UnreadableManifest,
    check_admission,
    check_bytes,
    check_same_config,
    read_manifest,
)
from gate.registry.repository import RepositorySnapshot, naming
from gate.registry.repository_checks import check_identity
from gate.registry.tags import can_move, check_same_digest

if TYPE_CHECKING:
    from gate.run.model import Run

_READS, _PAUSE = 6, 2.0  # how often, and every how many seconds, ECR is asked for what was just written
_NOT_TRIED = Trial(False, False, "not tried: it is tried on the local target alone; the setting was checked instead")


class Publisher:
    """The steps of a release that change the registry, each recorded in the release log.

    Args:
        run: where the log is recorded.
        client: talks to AWS and to the registry.

    Attributes:
        log: the steps so far.
        commands: as a person would type them.
    """

    def __init__(self, run: Run, client: ReleaseClient) -> None:
        release = client.release
        self._client, self._ecr, self._tags = client, client.ecr, client.tags
        self.log = ReleaseLog(run, str(client.caller), client.time)
        self.commands = Commands(release.account, release.region, release.repository)

    def prepare(self, image: CheckedImage, baseline_file: Path) -> None:
        """Keep the zip function's baseline in a file, and look at the repository; nothing is changed.

        Raises:
            NoGo: caller, repository or release tag are not as they must be.
            GateError: something could not be read, or the baseline could not be kept.
        """
        self._look(baseline_file)
        self._held = self._already_there(image)
        require(check_movable(self._before, self._tags, self._held))

    def _look(self, baseline_file: Path) -> None:
        client, release = self._client, self._client.release
        with self.log.step(WHOAMI) as outcome:
            require(check_caller(client.caller, release.account, release.region))
            outcome.append(f"done: {client.caller.arn}")
        self._baseline: FunctionSnapshot | None = None
        if release.zip_function:
            with self.log.step(self.commands.baseline(release.zip_function)) as outcome:
                self._baseline = client.zip_function.snapshot()
                self._baseline.keep(baseline_file)
                outcome.append(f"done: baseline of {self._baseline.name} kept")
        self._before = self._ecr.snapshot()
        require(check_identity(self._before.repository, release.account, release.region, release.repository))

    def look_up(self, image: CheckedImage, accepted: AcceptedRelease, baseline_file: Path) -> Publication:
        """An accepted release as the registry holds it, before it is given the rolling tag; nothing is changed.

        Args:
            image: the image as the run that accepted it checked it.
            accepted: the release.
            baseline_file: where the zip function's baseline is kept.

        Raises:
            NoGo: caller, repository or tags are not as they must be.
            GateError: something could not be read, or the baseline could not be kept.
        """
        self._look(baseline_file)
        require(check_accepted(self._before.naming().get(accepted.tag), accepted.digest, accepted.tag))
        require(check_movable(self._before, self._tags, accepted.digest))
        found = self._client.verify(accepted.digest, image)
        return replace(found, before=self._before, legacy_before=self._baseline, steps=self.log.steps)

    def push(self, image: CheckedImage) -> Publication:
        """Push the image under the candidate tag, once all is prepared; no other tag is touched.

        Raises:
            NoGo: what the registry holds is not the image, or Lambda does not admit it.
            GateError: something could not be had.
        """
        manifest, platform = self._in_registry(image)
        return Publication(
            digest=manifest.digest,
            manifest=manifest,
            platform=platform,
            config_digest=image.config_digest,
            uncompressed_bytes=image.uncompressed_bytes,
            after=self._ecr.snapshot(),
            before=self._before,
            legacy_before=self._baseline,
            steps=self.log.steps,
        )

    def promote(self, pushed: Publication) -> Publication:
        """Give the release tag and then the rolling tag to the digest that was pushed; they are read back.

        Raises:
            NoGo: a tag names something else when it is read back.
            AwsRefused: a tag could not be given.
        """
        missing = tags_to_set(naming(self._ecr.images()), self._tags, pushed.digest)
        for tag in self._tags.published:
            with self.log.step(self.commands.put_image(pushed.digest, tag)) as outcome:
                if tag not in missing:
                    outcome.append(f"verified, not repeated: {tag} names {pushed.digest} already")
                    continue
                self._put(pushed.manifest, tag)
                outcome.append(f"done: {tag} names {pushed.digest}")
        trial = self._try_to_overwrite(pushed.manifest)
        after = self._read_back(pushed.digest, trial)
        return replace(pushed, after=after, steps=self.log.steps, overwrite_trial=trial)

    def put_back(self, digest: str, tag: str) -> None:
        """Let a rolling tag name again what it named before.

        Raises:
            AwsRefused: the registry refuses, or holds that digest no longer.
        """
        with self.log.step(self.commands.put_image(digest, tag)) as outcome:
            self._put(self._ecr.manifest(digest), tag)
            outcome.append(f"done: {tag} names {digest} again")

    def _put(self, manifest: StoredManifest, tag: str) -> None:
        named = self._ecr.put_tag(manifest, tag)
        require(check_same_digest({tag: named}, (tag,), manifest.digest))

    def _already_there(self, image: CheckedImage) -> str | None:
        """The digest under which the registry holds this very image behind one of our tags, None if it does not.

        Compared by config: the manifest's digest is known only once an image is pushed.
        """
        named = self._before.naming()
        held = {tag: self._tagged_image(named[tag]) for tag in self._tags.all if tag in named}
        require(check_release_tag(held.get(self._tags.release), image.config_digest, self._tags.release))
        return next((each.digest for each in held.values() if each.config_digest == image.config_digest), None)

    def _tagged_image(self, digest: str) -> TaggedImage:
        try:
            return TaggedImage(digest, read_manifest(self._ecr.manifest(digest)).config.digest)
        except UnreadableManifest as error:
            # An index, say: another image than any that is built here.
            return TaggedImage(digest, f"unknown: the manifest {error}")

    def _in_registry(self, image: CheckedImage) -> tuple[StoredManifest, str]:
        """The image's manifest in the registry: pushed as the candidate, or there already, verified."""
        login = None
        if self._held is None:
            with self.log.step(self.commands.login()):
                login = self._ecr.login()
        with self.log.step(self.commands.push(self._tags.candidate)) as outcome:
            digest = self._client.push(image.image, login, self._tags.candidate) if login else str(self._held)
            said = "done:" if login else "verified, not repeated: the registry holds the image that was built, as"
            outcome.append(f"{said} {digest}")
            manifest = self._visible(digest)
            # What Lambda refuses may have no config at all: its media types are checked before it is read.
            require(check_bytes(manifest) + check_admission(manifest, image.platform, image.platform))
            platform = self._ecr.config(manifest).platform
            require(
                check_same_config(manifest, image.config_digest) + check_admission(manifest, platform, image.platform)
            )
        return manifest, platform

    def _visible(self, digest: str) -> StoredManifest:
        """The manifest, waited for: a fresh push may not be visible at once."""
        for _ in range(_READS - 1):
            try:
                return self._ecr.manifest(digest)
            except AwsNotFound:
                self._client.time.sleep(_PAUSE)
        return self._ecr.manifest(digest)

    def _read_back(self, digest: str, trial: Trial) -> RepositorySnapshot:
        with self.log.step(self.commands.describe_images()) as outcome:
            after = self._ecr.snapshot()
            for _ in range(_READS - 1):
                if not tags_to_set(after.naming(), self._tags, digest):
                    break
                self._client.time.sleep(_PAUSE)
                after = self._ecr.snapshot()
            tags = check_same_digest(after.naming(), self._tags.published, digest)
            # Where the trial succeeded the tag names something else because of it: that is the cause.
            require(tags if tags.accepted else check_trial(trial, self._tags.release) + tags)
            outcome.append(f"done: {' and '.join(self._tags.published)} name {digest}")
        return after

    def _try_to_overwrite(self, manifest: StoredManifest) -> Trial:
        """Put another manifest of the same image under the release tag, where that may be tried."""
        release_tag = self._tags.release
        if not self._client.allow_destructive:
            return _NOT_TRIED
        if can_move(self._before.repository.mutability, release_tag):
            return Trial(False, False, "not tried: by its setting the repository would let it happen")
        body = manifest.body + "\n"  # the same JSON, other bytes: another digest
        digest = "sha256:" + hashlib.sha256(body.encode()).hexdigest()
        with self.log.step(f"{self.commands.put_image(digest, release_tag)}  # must be refused") as outcome:
            try:
                self._ecr.put_tag(StoredManifest(digest, manifest.media_type, body), release_tag)
            except AwsRefused as refusal:
                outcome.append(f"done: refused, as it must be: {refusal.cause}")
                return Trial(True, "ImageTagAlreadyExistsException" in refusal.cause, refusal.cause)
            outcome.append("done: NOT refused")
        return Trial(True, False, f"PutImage of {digest} under {release_tag} succeeded")
