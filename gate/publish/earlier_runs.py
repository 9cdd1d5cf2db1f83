"""What earlier runs left of a release: how its digest was made, which releases were accepted, and which one stands."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gate.errors import EvidenceDamaged, GateError, WrongUse
from gate.evidence.deployment_notes import ReleaseStep
from gate.evidence.reading import json_in
from gate.image.build import BuiltImage
from gate.publish.promotion_checks import ReleaseTags
from gate.publish.promotion_record import recorded
from gate.publish.publication import ACCEPTED, AcceptedRelease, Promotion
from gate.publish.release_log import STEPS
from gate.registry.repository import StoredImage, naming

if TYPE_CHECKING:
    from gate.run.model import Run

BASELINE = "zip-baseline.json"
_WHERE = "reports/runs/"
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True)
class PublishingRun:
    """The run that published a digest.

    Attributes:
        folder: its dated folder under reports/runs/, checked to be as the run left it.
        steps: the build, then what publishing did.
    """

    folder: Path
    steps: tuple[ReleaseStep, ...]

    @property
    def evidence(self) -> Path:
        """The folder of its records."""
        return self.folder / "evidence"

    @property
    def build(self) -> BuiltImage:
        """The build that it began with.

        Raises:
            EvidenceDamaged: it checked an image that existed, or did not keep what building one said.
        """
        step = next((step for step in self.steps if step.command.startswith("docker build ")), None)
        log = self.evidence / "build.log"
        if step is None or not log.exists():
            raise EvidenceDamaged(
                "the run that published this digest has no record of building it, so nothing shows that the "
                "Dockerfile makes it",
                where=f"{_WHERE}{self.folder.name}",
            )
        image_id = step.outcome.removeprefix("done: ")
        return BuiltImage(image_id, "", step.command, log, step.seconds)


def recorded_steps(run: Run) -> list[ReleaseStep]:
    """The steps of this run as they stand on the disk, or those of the run that published the digest.

    Raises:
        EvidenceDamaged: nothing was published in this run, and the publishing run left no sound record here; or this
            run's own record is not there, or holds no steps.
    """
    release = run.facts.publication
    if release is not None and not release.steps:
        return list(publishing_run(run, release.digest).steps)
    written = json_in(run.store.folder, STEPS)
    try:
        return [ReleaseStep(**step) for step in written["steps"]]
    except (KeyError, TypeError) as error:
        raise EvidenceDamaged(f"{STEPS} holds no steps: {error}", where=STEPS) from error


def publishing_run(run: Run, digest: str) -> PublishingRun:
    """The last run that published this digest at the place of this run.

    Raises:
        EvidenceDamaged: there is no record of one here, or it is not as the run left it.
    """
    unreadable = []
    for path in sorted((run.reports / "runs").glob(f"*/evidence/{STEPS}"), reverse=True):
        found = _content(path)
        if found is None:
            unreadable.append(path.parent.parent.name)
        elif (found["digest"], found["place"], found["by_name"]) == (digest, run.target, False):
            hold_to_its_hashes(path.parent.parent)
            return PublishingRun(path.parent.parent, tuple(ReleaseStep(**step) for step in found["steps"]))
    besides = f" ({', '.join(unreadable)} cannot be read)" if unreadable else ""
    raise EvidenceDamaged(
        f"no record of the run that published {digest} is here{besides}, so nobody can check how it was made",
        where=_WHERE,
        remedy="put the publishing run's artefact there, or publish with this gate",
    )


def _content(path: Path) -> dict[str, Any] | None:
    """What a run noted; None when it cannot be read: it may be any run's, and then no record is found."""
    try:
        found = json_in(path.parent, path.name)
        # A promotion by name published nothing: how the image was made is known to the run that released it.
        return {name: found[name] for name in ("digest", "place", "steps")} | {"by_name": bool(found.get("by_name"))}
    except (EvidenceDamaged, KeyError):
        return None


def hold_to_its_hashes(folder: Path) -> None:
    """See that a run's folder is as that run left it.

    Raises:
        EvidenceDamaged: it is not.
    """
    # The libraries that know statements and signatures take long to import: not while tests are collected.
    from gate.evidence.verify_run import verify

    try:
        objections = [rejection.cause for check in verify(folder) for rejection in check.result.rejections]
    except GateError as error:
        objections = [error.cause]
    if objections:
        raise EvidenceDamaged(
            f"the record of the publishing run is not as that run left it: {objections[0]}",
            where=f"{_WHERE}{folder.name}",
            remedy="fetch the publishing run's artefact again; `make verify` says what is wrong with this one",
        )


def accepted_release(run: Run, tag: str) -> AcceptedRelease:
    """The release of this tag, by the evidence of the last full run that released it at the place of this run.

    Raises:
        WrongUse: no run released it, or the last one that did was not accepted, or its evidence is not intact.
    """
    about = (run.target, run.release.repository, tag)
    try:
        found = [each for each in recorded(run.reports) if not each[1].by_name and _about(each[1]) == about]
    except EvidenceDamaged as damage:
        raise WrongUse(f"--promote {tag}: {damage.cause}", where=_WHERE, remedy="fetch its artefact again") from damage
    if not found:
        raise WrongUse(
            f"--promote {tag}: no run that is recorded here has released it on {run.target}",
            where=_WHERE,
            remedy="bring back the artefact of the run that released it, or name another release",
        )
    folder, promotion = found[-1]
    release = _verdict_of(folder, promotion)["release"]
    return AcceptedRelease(
        tag, promotion.digest, str(release["image_id"]), int(release["uncompressed_bytes"] or 0), folder.name
    )


def _about(promotion: Promotion) -> tuple[str, str, str]:
    return promotion.place, promotion.repository, promotion.release_tag


def _verdict_of(folder: Path, promotion: Promotion) -> dict[str, Any]:
    """The verdict.json of the run, once it is seen to be whole and a yes about the promoted digest."""
    tag, where = promotion.release_tag, f"{_WHERE}{folder.name}"
    yes = "GO" if promotion.place == "aws" else "REHEARSAL PASSED"
    try:
        document = json_in(folder, "verdict.json")
        word, kind, digest = document["verdict"], document["kind"], document["release"]["digest"]
        if promotion.state == ACCEPTED and word == yes:
            hold_to_its_hashes(folder)
    except (EvidenceDamaged, KeyError, TypeError) as error:
        said = error.cause if isinstance(error, EvidenceDamaged) else f"verdict.json has no {error}"
        raise WrongUse(
            f"--promote {tag}: {said}", where=where, remedy="fetch the artefact of that run again"
        ) from error
    if promotion.state != ACCEPTED or (word, kind, digest) != (yes, "full", promotion.digest):
        why = f", because of {promotion.reason}" if promotion.reason else ""
        raise WrongUse(
            f"--promote {tag}: the last run that released it ended with {word}{why}; only a recorded {yes} is promoted",
            where=where,
            remedy="name a release that was accepted, or release this one again",
        )
    return document


def standing_tag(tags: ReleaseTags, images: Sequence[StoredImage], promotions: Sequence[Promotion]) -> str:
    """The release tag of the release that stands: of the digest that the rolling tag names. Pure.

    A rolling tag that was moved back by hand, to an image older than the last accepted one, decides nothing: then the
    accepted release is the one to look at, and the checks say that the rolling tag names another.

    Args:
        tags: as pytest.ini states them.
        images: of the repository, now.
        promotions: those recorded at this place, oldest first.

    Returns:
        pytest.ini's release tag where nothing better is known.
    """
    named = naming(images)
    digest = named.get(tags.rolling)
    if digest is None:
        return tags.release
    last = next((each for each in reversed(promotions) if each.state == ACCEPTED), None)
    newest = last.release_tag if last else _stated(tags, promotions)
    if newest in named and named[newest] != digest and _pushed(images, named[newest]) > _pushed(images, digest):
        return newest
    own = [each.release_tag for each in promotions if named.get(each.release_tag) == each.digest == digest]
    others = [tag for tag in named if named[tag] == digest and tag not in tags.moving]
    # A build may have given a tag of its own, such as a commit's: a release tag differs from another in its numbers.
    others = [tag for tag in others if _NUMBER.sub("0", tag) == _NUMBER.sub("0", tags.release)] or others
    if named.get(tags.release) == digest and tags.release not in own:
        return tags.release
    return own[-1] if own else others[0] if len(others) == 1 else tags.release


def _stated(tags: ReleaseTags, promotions: Sequence[Promotion]) -> str:
    """The release tag of pytest.ini, "" if the last run that released it was refused or cut short."""
    own = [each for each in promotions if each.release_tag == tags.release]
    return "" if own and own[-1].state != ACCEPTED else tags.release


def _pushed(images: Sequence[StoredImage], digest: str) -> float:
    return next(image.pushed_at.timestamp() for image in images if image.digest == digest)
