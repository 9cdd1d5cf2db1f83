"""The image under judgement, and the engine that holds it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from gate.candidate import Candidate
from gate.engine import Engine, asking, connect
from gate.engine.orphans import end_orphans
from gate.errors import EvidenceDamaged, ImageUnavailable
from gate.image.base import Base
from gate.image.build import BuiltImage, build_image
from gate.image.dockerfile import bases_approved, from_lines
from gate.judgement import ACCEPTED
from gate.registry.desk import ReleaseDesk
from gate.registry.publication import Publication
from gate.run.bases import base_of
from gate.run.model import Run, Rungs
from gate.run.publishing import publishing_run
from gate.run.steps import note_build
from gate.withheld import Withheld


@contextmanager
def engine(run: Run) -> Iterator[Engine]:
    """The Docker engine, swept of what dead runs left behind."""
    found = connect(run.options.engine_timeout)
    try:
        found.require_abilities()
        run.engine = found.version()
        swept = (*end_orphans(), *found.sweep())
        if swept:
            run.terminal.progress(f"removed what a dead run left behind: {', '.join(swept)}")
        yield found
    finally:
        found.close()


@contextmanager
def candidate(run: Run, docker: Engine, rungs: Rungs) -> Iterator[Candidate]:
    """The image under judgement: built, given by --image, or pulled by the published digest."""
    base, began = base_of(run, docker), datetime.now(UTC).isoformat(timespec="seconds")
    built, reference = _image(run, docker, base, rungs)
    found = Candidate(
        docker, run.release, base, reference, built, run.options.image_context, run.root / ".cache" / "sbom"
    )
    try:
        found.gather(whole=run.kind == "full")
        if run.kind == "full":
            _start_target(rungs)
        run.store.digest = run.facts.image_id = found.image.image_id
        run.facts.uncompressed_bytes = found.image.size_bytes
        run.facts.candidate = found
        if built:
            note_build(run, built, began)
        yield found
    finally:
        found.close()


def _image(run: Run, docker: Engine, base: Base, rungs: Rungs) -> tuple[BuiltImage | None, str]:
    options = run.options
    if options.image:
        with asking(f"docker image inspect {options.image}"):
            # Its name is read once: what is judged, pushed and scanned is one image, wherever a tag moves meanwhile.
            return None, str(docker.client.images.get(options.image).id)
    if options.target == "aws" and not options.publish:
        desk: ReleaseDesk = rungs("desk")
        return None, desk.pull(desk.published_digest())
    _hold_bases(options.image_context, base, run.release.platform)
    with run.terminal.parts() as waiting_for:
        built = build_image(
            options.image_context,
            tag=f"{run.release.repository}:latest",
            base_image=base.reference,
            version=run.release.release_tag,
            platform=run.release.platform,
            buildkit=docker.buildkit,
            log=run.folder / "build.log",
            progress=waiting_for,
            timeout=run.options.build_timeout,
        )
    held = docker.built(built.image_id, built.tag)
    return replace(built, image_id=held.image_id), held.engine_id


def _hold_bases(context: Path, base: Base, platform: str) -> None:
    """Nothing is built, and no program is run, on a base that nobody approved."""
    # Of a Dockerfile without any FROM the builder itself says best what is wrong.
    found = from_lines(context / "Dockerfile", {"BASE_IMAGE": base.reference}, platform)
    judged = bases_approved(found, base.approved) if found else ACCEPTED
    if not judged.accepted:
        sentence = "nothing was built, and so there is no image to look at: the Dockerfile fails AC6"
        raise Withheld({6: judged}, sentence, where="the Dockerfile's FROM lines", remedy=ImageUnavailable.usual_remedy)


def _start_target(rungs: Rungs) -> None:
    """While the sandbox runs, so that publishing need not wait for it."""
    with suppress(Exception):  # pytest keeps what a fixture raised, a defect too: whoever needs the target is told
        rungs("target")


def build_of(run: Run, image: Candidate, rungs: Rungs) -> BuiltImage:
    """The build that made the image: this run's, or that of the run that published it.

    Raises:
        EvidenceDamaged: nobody knows of one.
    """
    if image.built:
        return image.built
    if run.publishes:
        raise EvidenceDamaged("the image was given, not built, so nothing shows that the Dockerfile makes it")
    release: Publication = rungs("published")
    return publishing_run(run, release.digest).build
