"""What is known of a release from how it was built and published, by this run or by an earlier one."""

from __future__ import annotations

import json
from dataclasses import asdict

from gate.check import NoGo
from gate.errors import EvidenceDamaged, GateError
from gate.image.build import BuiltImage
from gate.legacy.snapshot import FunctionSnapshot
from gate.publish.pipeline import Pipeline
from gate.publish.publishing_run import BASELINE, publishing_run
from gate.publish.release_diff import FACTS, FIRST, ReleaseDiff, ReleaseFacts, compare, latest_before, packages_of


def build_of(pipeline: Pipeline) -> BuiltImage:
    """The build that made the candidate: this run's, or that of the run that published it.

    Raises:
        EvidenceDamaged: there is no record of one.
    """
    if built := pipeline.candidate.built:
        return built
    if pipeline.run.publishes:
        raise EvidenceDamaged("the image was given, not built, so nothing shows that the Dockerfile makes it")
    return publishing_run(pipeline.run, pipeline.published.digest).build


def zip_baseline(pipeline: Pipeline) -> FunctionSnapshot:
    """The zip function before anything was pushed: this run's baseline, or that of the run that published.

    A release that is refused on its way has taken its baseline first; whether it was published is checked by AC2.

    Raises:
        EvidenceDamaged: there is none, or the record of it is not as it was left.
        GateError, NoGo: the release ended before one was taken.
    """
    run = pipeline.run
    if not run.publishes:
        return FunctionSnapshot.load(publishing_run(run, pipeline.published.digest).evidence / BASELINE)
    kept = run.store.folder / BASELINE
    try:
        _ = pipeline.registry_image
    except (GateError, NoGo):
        if not kept.exists():
            raise
    return FunctionSnapshot.load(kept)


def previous_release(pipeline: Pipeline) -> ReleaseDiff | None:
    """The difference to the release before, None if there is none; this one's facts are kept for the next."""
    run, release, image = pipeline.run, pipeline.published, pipeline.candidate
    facts = ReleaseFacts(
        run.release.release_tag,
        release.digest,
        packages_of(image.sbom.components),
        release.compressed_bytes,
        release.uncompressed_bytes,
        image.handler_run.init.seconds,
    )
    before = latest_before(run.reports / "runs", run.target, release.digest)
    found = compare(before, facts) if before else None
    run.facts.difference = str(found or FIRST)
    run.store.attach(FACTS, json.dumps({"target": run.target, "facts": asdict(facts)}, indent=1).encode())
    return found
