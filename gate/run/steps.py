"""The steps of a release as they were run: the build, then what publishing did; kept for whoever verifies it later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from gate.errors import EvidenceDamaged
from gate.evidence.deployment_notes import ReleaseStep
from gate.evidence.reading import content, json_object
from gate.evidence.store import readable
from gate.run.publishing import FILE, publishing_run

if TYPE_CHECKING:
    from gate.image.build import BuiltImage
    from gate.registry.publication import Step
    from gate.run.model import Run

# Who builds: no AWS identity does.
ENGINE = "the local Docker engine"


def note_build(run: Run, built: BuiltImage, at: str) -> None:
    """Note the build as the first step."""
    outcome = f"done: {built.image_id}"
    run.steps.append(ReleaseStep(built.command, ENGINE, at, round(built.seconds, 1), outcome))


def note_publication(run: Run, digest: str, steps: Sequence[Step]) -> None:
    """Note what publishing did so far, after the build, and keep the whole for later verifications."""
    told = [ReleaseStep(s.command, s.identity, s.started, round(s.seconds, 1), s.outcome) for s in steps]
    run.steps = [*(step for step in run.steps if step.identity == ENGINE), *told]
    content = {"digest": digest, "place": run.place, "steps": [asdict(step) for step in run.steps]}
    run.store.attach(FILE, readable(content))


def recorded_steps(run: Run) -> list[ReleaseStep]:
    """The steps of this run as they stand on the disk, or those of the run that published the digest.

    Raises:
        EvidenceDamaged: nothing was published in this run, and the publishing run left no sound record here; or this
            run's own record is not there, or holds no steps.
    """
    release = run.facts.publication
    if release is not None and not release.steps:
        return list(publishing_run(run, release.digest).steps)
    written = json_object(content(run.store.folder / FILE, FILE), FILE)
    try:
        return [ReleaseStep(**step) for step in written["steps"]]
    except (KeyError, TypeError) as error:
        raise EvidenceDamaged(f"{FILE} holds no steps: {error}", where=FILE) from error
