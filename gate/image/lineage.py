"""Whether an image descends from its approved base: proven by its layers, not by what a FROM line says. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gate.check import ACCEPTED, CheckResult, check, reject

# The stand-in base says so itself; it can never count as the approved one.
STAND_IN_LABEL = "release-gate.stand-in"


@check(6, known_bad=lambda: ("linux/arm64", "linux/amd64"))
def platform_is(found: str, wanted: str) -> CheckResult:
    """Lambda starts an image of the function's own architecture only (Lambda, "Container images")."""
    if found == wanted:
        return ACCEPTED
    return reject(
        f"the image is built for {found}, and the function runs on {wanted}",
        where="Os and Architecture of the image's configuration",
        remedy=f"build with `docker build --platform {wanted}`, on any machine",
    )


@check(1, known_bad=lambda: (("sha256:x", "sha256:b"), ("sha256:a",), "base:1"))
def descends_from(layers: Sequence[str], base_layers: Sequence[str], base: str) -> CheckResult:
    """The image's lowest layers are all of the base's, in their order (OCI image spec, rootfs.diff_ids)."""
    if not base_layers:
        return reject(f"the base image {base} has no layers, so descent from it proves nothing",
                      "rootfs.diff_ids of the base's configuration", "pull or build the base again")  # fmt: skip
    shared = 0
    for own, other in zip(layers, base_layers, strict=False):
        if own != other:
            break
        shared += 1
    if shared == len(base_layers):
        return ACCEPTED
    return reject(
        f"the image does not descend from the approved base {base}: "
        f"{shared} of the base's {len(base_layers)} layers are its lowest ones",
        where="rootfs.diff_ids of the image's configuration",
        remedy=f"build FROM {base}, and pull it first: an older copy of the base counts as another base",
    )


@check(1, known_bad=lambda: ({STAND_IN_LABEL: "true"}, (), "public.ecr.aws/lambda/python:3.11", "simulated"))
def genuine(labels: Mapping[str, str], repo_digests: Sequence[str], base: str, provenance: str) -> CheckResult:
    """The base came from its registry: it was pulled, has a digest there, and does not say that it is a stand-in.

    The digest alone proves nothing: in containerd's store, and in Podman's, `docker tag` makes one of any image.
    """
    named = base.partition("@")[0]
    tag = named.rpartition("/")[2].partition(":")[1:]  # a colon further left stands before a port
    repository = named.removesuffix("".join(tag))
    if labels.get(STAND_IN_LABEL):
        return reject(f"the base {base} is a stand-in", "the base's labels", f"pull {base} from its registry")
    if provenance != "real":
        return reject(f"the base {base} was not pulled from {repository} in this run",
                      where=", ".join(repo_digests), remedy=f"let the run pull {base}: docker pull {base}")  # fmt: skip
    if not any(digest.startswith(f"{repository}@sha256:") for digest in repo_digests):
        return reject(f"no registry digest is known of the base {base}: it was not pulled from {repository}",
                      where=", ".join(repo_digests), remedy=f"docker pull {base}")  # fmt: skip
    return ACCEPTED


@check(1, known_bad=lambda: ("sha256:a", "sha256:b"))
def same_image(built: str, checked: str) -> CheckResult:
    """The image that was built is the one that is checked."""
    if built and built == checked:
        return ACCEPTED
    return reject(f"the build left {built or 'no image'}, and the candidate image is {checked}",
                  "the log of the build", "run again; nothing else may build or tag this name meanwhile")  # fmt: skip
