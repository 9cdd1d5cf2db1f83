"""The approved base image as this run has it: pulled from its registry, or a stand-in where only a rehearsal is on."""

from __future__ import annotations

from pathlib import Path

from gate.engine import Engine, asking
from gate.errors import EngineUnavailable, ImageUnavailable
from gate.image.base import Base
from gate.image.build import build_image
from gate.run.model import Run

STAND_IN = "naver-lambda-base:standin"
STAND_IN_CONTEXT = Path("localaws", "lambda-base")


def base_of(run: Run, docker: Engine) -> Base:
    """The base that the candidate must descend from.

    Raises:
        ImageUnavailable: on AWS, it cannot be pulled; an image of its name that happens to be here proves nothing.
    """
    approved = run.release.approved_bases
    if run.options.target == "local":
        _build_stand_in(run)
        return Base(STAND_IN, (*approved, STAND_IN), "simulated")
    try:
        with asking(f"docker pull {approved[0]}"):
            docker.client.images.pull(approved[0])
    except (EngineUnavailable, ImageUnavailable) as refusal:
        return _in_its_place(run, docker, refusal)
    return Base(approved[0], approved, "real")


def _in_its_place(run: Run, docker: Engine, refusal: EngineUnavailable | ImageUnavailable) -> Base:
    reference = run.release.approved_bases[0]
    if run.place == "aws-rehearsal" and _is_here(docker, reference):
        run.terminal.progress(f"{reference} cannot be pulled; for this rehearsal the image of that name here serves")
        return Base(reference, run.release.approved_bases, "simulated")
    raise ImageUnavailable(
        f"The approved base image {reference} cannot be pulled: {refusal.cause}",
        where=f"docker pull {reference}",
        remedy=f"let the Docker engine of this machine reach {reference.partition('/')[0]}, or rehearse with "
        "--target local, which has a stand-in for it",
    ) from refusal


def _is_here(docker: Engine, reference: str) -> bool:
    try:
        docker.image(reference)
    except ImageUnavailable:
        return False
    return True


def _build_stand_in(run: Run) -> None:
    with run.terminal.parts() as waiting_for:
        build_image(
            run.root / STAND_IN_CONTEXT,
            tag=STAND_IN,
            base_image=None,
            log=run.folder / "base-build.log",
            progress=waiting_for,
            timeout=run.options.build_timeout,
        )
