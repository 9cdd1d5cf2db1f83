"""Releases that an earlier run accepted: the evidence on which one is promoted by name, and the one that stands now."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gate.errors import EvidenceDamaged, WrongUse
from gate.evidence.reading import content, json_object
from gate.publish.promotion_checks import ReleaseTags
from gate.publish.promotion_record import recorded
from gate.publish.publication import ACCEPTED, AcceptedRelease, Promotion
from gate.publish.publishing_run import hold_to_its_hashes
from gate.registry.repository import StoredImage, naming

if TYPE_CHECKING:
    from gate.run.model import Run

_WHERE = "reports/runs/"


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
        document = json_object(content(folder / "verdict.json", "verdict.json"), "verdict.json")
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
    if named.get(tags.release) == digest and tags.release not in own:
        return tags.release
    return own[-1] if own else others[0] if len(others) == 1 else tags.release


def _stated(tags: ReleaseTags, promotions: Sequence[Promotion]) -> str:
    """The release tag of pytest.ini, "" if the last run that released it was refused or cut short."""
    own = [each for each in promotions if each.release_tag == tags.release]
    return "" if own and own[-1].state != ACCEPTED else tags.release


def _pushed(images: Sequence[StoredImage], digest: str) -> float:
    return next(image.pushed_at.timestamp() for image in images if image.digest == digest)
