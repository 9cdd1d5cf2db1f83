"""Releases that an earlier run accepted: the evidence on which one is promoted by name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from gate.errors import EvidenceDamaged, WrongUse
from gate.evidence.reading import content, json_object
from gate.publish.promotion_record import recorded
from gate.publish.publication import ACCEPTED, AcceptedRelease, Promotion
from gate.publish.publishing_run import hold_to_its_hashes

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
