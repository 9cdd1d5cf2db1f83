"""The image that a run publishes, and the approved base that it is built on: pulled, or a stand-in in a rehearsal."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from docker.errors import APIError, DockerException
from requests.exceptions import RequestException

from gate.check import ACCEPTED, BlockedByEarlierFailure
from gate.engine import Engine, InspectedImage, engine_errors
from gate.errors import EngineUnavailable, ImageUnavailable
from gate.image.base import Base
from gate.image.build import TIMEOUT_SECONDS, BuiltImage, build_image
from gate.image.dockerfile import bases_approved, from_lines
from gate.run.model import Run

STAND_IN = "release-gate-lambda-base:standin"
# The gate's own folder, whatever folder the release is in.
HOME = Path(__file__).resolve().parents[2]
STAND_IN_CONTEXT = Path("localaws", "lambda-base")
# The same without its Python, for a release that runs on another runtime.
WITHOUT_PYTHON = "release-gate-lambda-base:without-python"
_WITHOUT_PYTHON_CONTEXT = Path("localaws", "lambda-base-without-python")
_DIGITS = 12  # of an image ID, as docker shows it
_ID_TAG = re.compile(rf"{STAND_IN.partition(':')[0]}:[0-9a-f]{{{_DIGITS}}}")
_IDLE = timedelta(days=1)
_NEVER = "0001-01-01T00:00:00Z"  # Go's zero time


def base_of(run: Run, docker: Engine) -> Base:
    """The base that the candidate must descend from.

    Raises:
        ImageUnavailable: on AWS, it cannot be pulled for a build; an image of its name that happens to be here proves
            nothing. A run that builds nothing goes on without it.
    """
    if run.options.target == "local":
        docker.require_processor(run.release.platform)
        stand_in = built = _stand_in(run, docker)
        if not run.release.python_version:
            built = _stand_in(run, docker, without_python=stand_in)
        approved = (*run.release.approved_bases, *built.approved)
        return Base(built.reference, approved, "simulated", built.image_id, _helper(run, stand_in))
    found = _pulled(run, docker)
    return found if run.release.python_version else replace(found, helper=_helper(run, _stand_in(run, docker)))


def _helper(run: Run, stand_in: Base) -> str:
    """The image whose Python serves the sandbox of a release that has none."""
    return "" if run.release.python_version else stand_in.image_id


def _stand_in(run: Run, docker: Engine, without_python: Base | None = None) -> Base:
    log, options = run.folder / "base-build.log", run.options
    with run.terminal.parts() as waiting_for:
        return build_stand_in(docker, HOME, log, waiting_for, platform=run.release.platform,
                              timeout=options.build_timeout, without_python=without_python)  # fmt: skip


def _pulled(run: Run, docker: Engine) -> Base:
    approved = chosen_first(run.release.approved_bases, run.options.image_context / "Dockerfile")
    reference = approved[0]
    try:
        with engine_errors(f"docker pull {reference}"):
            # By the ID that the pull left: from here on the tag may move.
            pulled = docker.image(str(docker.client.images.pull(reference).id))
    except (EngineUnavailable, ImageUnavailable) as refusal:
        return _in_its_place(run, docker, approved, refusal)
    return _as_approved(docker, pulled, approved, "real")


def chosen_first(approved: tuple[str, ...], dockerfile: Path) -> tuple[str, ...]:
    """The approved bases, the one first on which the Dockerfile builds when it is given no other.

    Where it names none of them, or cannot be read, their order stays; the scenarios about it say why.
    """
    try:
        named = {each.image for each in from_lines(dockerfile, {})}
    except ImageUnavailable:
        return approved
    return tuple(sorted(approved, key=lambda each: each not in named))


def image_to_publish(run: Run, docker: Engine, base: Base) -> tuple[BuiltImage | None, str]:
    """The build, None where --image names an image that exists; and what the engine calls the image.

    Raises:
        BlockedByEarlierFailure: the Dockerfile names a base that is not approved.
        ImageUnavailable, EngineUnavailable: see `build_image`.
    """
    options = run.options
    if options.image:
        with engine_errors(f"docker image inspect {options.image}"):
            # Its name is read once: what is checked, pushed and scanned is one image, wherever a tag moves meanwhile.
            return None, str(docker.client.images.get(options.image).id)
    _refuse_other_bases(options.image_context, base, run.release.platform)
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
            timeout=options.build_timeout,
        )
    held = docker.built(built.image_id, built.tag)
    return replace(built, image_id=held.image_id), held.engine_id


def _refuse_other_bases(context: Path, base: Base, platform: str) -> None:
    """Before anything is built, or a program is run, on a base that is not approved."""
    # Of a Dockerfile without any FROM the builder itself says best what is wrong.
    found = from_lines(context / "Dockerfile", {"BASE_IMAGE": base.reference}, platform)
    checked = bases_approved(found, base.approved) if found else ACCEPTED
    if not checked.accepted:
        sentence = "nothing was built, and so there is no image to look at: the Dockerfile fails AC6"
        raise BlockedByEarlierFailure(
            sentence,
            checked.rejections,
            criterion=6,
            where="the Dockerfile's FROM lines",
            remedy=ImageUnavailable.usual_remedy,
        )


def build_stand_in(
    docker: Engine,
    root: Path,
    log: Path,
    progress: Callable[[str], None],
    *,
    platform: str = "",
    timeout: float = TIMEOUT_SECONDS,
    without_python: Base | None = None,
) -> Base:
    """Build the stand-in; nothing, where it is built.

    Its common tag is for people to find it. What is built on it names it by its ID: another checkout on this engine
    may build another one under the same tag at any moment.

    Args:
        docker: where it is built.
        root: the folder of pytest.ini.
        log: where the whole output goes.
        progress: is given each step, one line each.
        platform: what it is built for.
        timeout: seconds.
        without_python: the stand-in from which one without Python is made; None builds that with Python.

    Raises:
        ImageUnavailable, EngineUnavailable: see `build_image`.
    """
    tag = WITHOUT_PYTHON if without_python else STAND_IN
    built = build_image(
        root / (_WITHOUT_PYTHON_CONTEXT if without_python else STAND_IN_CONTEXT),
        tag=tag,
        base_image=without_python.reference if without_python else None,
        platform=platform,
        buildkit=docker.buildkit,
        log=log,
        progress=progress,
        timeout=timeout,
    )
    base = _as_approved(docker, docker.built(built.image_id, built.tag), (tag,), "simulated")
    _remove_idle_tags(docker, keep=base.reference)
    return base


def _as_approved(docker: Engine, image: InspectedImage, approved: tuple[str, ...], provenance: str) -> Base:
    """The base by a name that stays: its registry's digest; a tag made of its ID, where no registry knows it.

    In containerd's store an image that was only built or loaded here has a digest to its name too.
    """
    repository = _repository(approved[0])
    believed = provenance == "real" or image.engine_id == image.image_id
    digests = [each for each in image.repo_digests if believed and each.startswith(f"{repository}@")]
    name = digests[0] if digests else _tagged(docker, image, repository)
    return Base(name, tuple(dict.fromkeys((*approved, name))), provenance, image.engine_id)


def _tagged(docker: Engine, image: InspectedImage, repository: str) -> str:
    tag = image.image_id.rpartition(":")[2][:_DIGITS]
    with engine_errors(f"docker tag {image.engine_id} {repository}:{tag}"):
        # BuildKit takes no image ID in a FROM.
        docker.client.api.tag(image.engine_id, repository, tag, force=True)
    return f"{repository}:{tag}"


def _remove_idle_tags(docker: Engine, keep: str) -> None:
    """Remove the tags of stand-ins that no run has built on for a day, and so the images that nothing else uses.

    Every run tags its stand-in anew. An engine that does not say when (Podman) keeps its tags.
    """
    api: Any = docker.client.api
    with suppress(DockerException, RequestException):
        listed = [tag for image in api.images(name=_repository(STAND_IN)) for tag in image["RepoTags"] or ()]
        for tag in listed:
            with suppress(APIError):  # removed by another run meanwhile, or a container is made of it
                if _ID_TAG.fullmatch(tag) and tag != keep and _is_idle(api.inspect_image(tag)):
                    api.remove_image(tag)


def _is_idle(image: Mapping[str, Any]) -> bool:
    tagged = datetime.fromisoformat((image.get("Metadata") or {}).get("LastTagTime") or _NEVER)
    return tagged.year > 1 and datetime.now(UTC) - tagged > _IDLE


def _repository(reference: str) -> str:
    path, _, name = reference.partition("@")[0].rpartition("/")
    return "/".join(filter(None, (path, name.partition(":")[0])))


def _in_its_place(
    run: Run, docker: Engine, approved: tuple[str, ...], refusal: EngineUnavailable | ImageUnavailable
) -> Base:
    missing = ImageUnavailable(
        f"The approved base image {approved[0]} cannot be pulled: {refusal.cause}",
        where=f"docker pull {approved[0]}",
        remedy=f"let the Docker engine of this machine reach {approved[0].partition('/')[0]}, or rehearse with "
        "--target local, which has a stand-in for it",
    )
    if run.target == "aws-rehearsal" and (here := _here(docker, approved[0])):
        run.terminal.progress(f"{approved[0]} cannot be pulled; for this rehearsal the image of that name here serves")
        return _as_approved(docker, here, approved, "simulated")
    if run.publishes:
        raise missing from refusal
    run.terminal.progress(f"{missing.cause}; the scenarios about the base cannot be checked")
    return Base(approved[0], approved, run.provenance, missing=missing)


def _here(docker: Engine, reference: str) -> InspectedImage | None:
    try:
        return docker.image(reference)
    except ImageUnavailable:
        return None
