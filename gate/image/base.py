"""The approved base image, and whether the image was built on it. Layers are compared, not FROM lines. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

from gate.check import ACCEPTED, CheckResult, check, reject
from gate.errors import GateError

# The label of the stand-in base, which never counts as the approved one.
STAND_IN_LABEL = "release-gate.stand-in"
STAND_IN_PYTHON = "3.11"


@dataclass(frozen=True)
class Base:
    """The approved base as this target has it.

    Attributes:
        reference: the name for the build: with a digest, or a tag made of the image ID, which is never moved.
        approved: the names that a FROM may have.
        provenance: "real", or "simulated" for a stand-in.
        image_id: the image ID that the base's build or pull returned; the candidate must descend from it.
        helper: an image with a Python that serves the sandbox of a release that has none; "" where its own does.
        missing: why the base could not be obtained; only the scenarios that need it fail.
    """

    reference: str
    approved: tuple[str, ...]
    provenance: str
    image_id: str = ""
    helper: str = ""
    missing: GateError | None = None

    @property
    def found(self) -> str:
        """The image ID.

        Raises:
            GateError: the base could not be obtained.
        """
        if self.missing is not None:
            raise self.missing
        return self.image_id or self.reference


@check(1, known_bad=lambda: (("sha256:x", "sha256:b"), ("sha256:a",), "base:1"))
def descends_from(layers: Sequence[str], base_layers: Sequence[str], base: str) -> CheckResult:
    """The image's lowest layers are all of the base's, in their order (OCI image spec, rootfs.diff_ids)."""
    if not base_layers:
        return reject(f"the base image {base} has no layers, so descent from it cannot be shown",
                      "rootfs.diff_ids of the base's configuration", "pull or build the base again")  # fmt: skip
    pairs = zip(layers, base_layers, strict=False)
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    if shared == len(base_layers):
        return ACCEPTED
    return reject(
        f"the image does not descend from the approved base {base}: "
        f"{shared} of the base's {len(base_layers)} layers are its lowest ones",
        where="rootfs.diff_ids of the image's configuration",
        remedy=f"build FROM {base}, and pull it first: an older copy of the base is a different base",
    )


@check(1, known_bad=lambda: ({STAND_IN_LABEL: "true"}, (), "public.ecr.aws/lambda/python:3.11", "simulated"))
def genuine(labels: Mapping[str, str], repo_digests: Sequence[str], base: str, provenance: str) -> CheckResult:
    """The run pulled the base from its registry: it has a digest there, and no label of a stand-in.

    The digest alone proves nothing: in containerd's store, and in Podman's, `docker tag` makes one of any image.
    """
    named = base.partition("@")[0]
    tag = named.rpartition("/")[2].partition(":")[1:]  # a colon further left precedes a port
    repository = named.removesuffix("".join(tag))
    if labels.get(STAND_IN_LABEL):
        return reject(f"the base {base} is a stand-in", "the base's labels", f"pull {base} from its registry")
    if provenance != "real":
        return reject(f"the run did not pull the base {base} from {repository}",
                      where=", ".join(repo_digests), remedy=f"let the run pull {base}: docker pull {base}")  # fmt: skip
    if not any(digest.startswith(f"{repository}@sha256:") for digest in repo_digests):
        return reject(f"the base {base} has no registry digest: it was not pulled from {repository}",
                      where=", ".join(repo_digests), remedy=f"docker pull {base}")  # fmt: skip
    return ACCEPTED


@check(1, known_bad=lambda: ("sha256:a", "sha256:b"))
def same_image(built: str, checked: str) -> CheckResult:
    """The image that was built is the one that is checked."""
    if built and built == checked:
        return ACCEPTED
    return reject(f"the build left {built or 'no image'}, and the candidate image is {checked}",
                  "the log of the build", "run again; nothing else may build or tag this name meanwhile")  # fmt: skip
