"""The steps of a release, the build first: noted by the run that publishes, read by a run that verifies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gate.errors import EvidenceDamaged, GateError
from gate.evidence.deployment_notes import ReleaseStep
from gate.evidence.reading import content, json_object
from gate.evidence.store import readable
from gate.image.build import BuiltImage

if TYPE_CHECKING:
    from gate.run.model import Run

FILE = "steps.json"
BASELINE = "zip-baseline.json"
# Who builds: no AWS identity does.
ENGINE = "the local Docker engine"


def note_build(run: Run, built: BuiltImage, at: str) -> None:
    """Note the build as the first step."""
    outcome = f"done: {built.image_id}"
    run.steps.append(ReleaseStep(built.command, ENGINE, at, round(built.seconds, 1), outcome))


def note_publication(run: Run, digest: str, steps: Sequence[ReleaseStep]) -> None:
    """Note what publishing did so far, after the build, and keep the whole for later verifications."""
    run.steps = [*(step for step in run.steps if step.identity == ENGINE), *steps]
    record: dict[str, Any] = {"digest": digest, "place": run.target, "steps": [asdict(step) for step in run.steps]}
    if run.promotes:
        record["by_name"] = True
    run.store.attach(FILE, readable(record))


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
                where=f"reports/runs/{self.folder.name}",
            )
        image_id = step.outcome.removeprefix("done: ")
        return BuiltImage(image_id, "", step.command, log, step.seconds)


def publishing_run(run: Run, digest: str) -> PublishingRun:
    """The last run that published this digest at the place of this run.

    Raises:
        EvidenceDamaged: there is no record of one here, or it is not as the run left it.
    """
    unreadable = []
    for path in sorted((run.reports / "runs").glob(f"*/evidence/{FILE}"), reverse=True):
        found = _content(path)
        if found is None:
            unreadable.append(path.parent.parent.name)
        elif (found["digest"], found["place"], found["by_name"]) == (digest, run.target, False):
            hold_to_its_hashes(path.parent.parent)
            return PublishingRun(path.parent.parent, tuple(ReleaseStep(**step) for step in found["steps"]))
    besides = f" ({', '.join(unreadable)} cannot be read)" if unreadable else ""
    raise EvidenceDamaged(
        f"no record of the run that published {digest} is here{besides}, so nobody can check how it was made",
        where="reports/runs/",
        remedy="put the publishing run's artefact there, or publish with this gate",
    )


def _content(path: Path) -> dict[str, Any] | None:
    """What a run noted; None when it cannot be read: it may be any run's, and then no record is found."""
    try:
        found = json_object(content(path, path.name), path.name)
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
    from gate.evidence.verify import verify

    try:
        objections = [rejection.cause for check in verify(folder) for rejection in check.result.rejections]
    except GateError as error:
        objections = [error.cause]
    if objections:
        raise EvidenceDamaged(
            f"the record of the publishing run is not as that run left it: {objections[0]}",
            where=f"reports/runs/{folder.name}",
            remedy="fetch the publishing run's artefact again; `make verify` says what is wrong with this one",
        )
