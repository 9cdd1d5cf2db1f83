"""What decides how an image is built: the release, and nothing of what is around the build."""

from __future__ import annotations

from collections.abc import Mapping

# Settings of the docker CLI, of buildx and of BuildKit's client begin so ("Environment variables" of each).
# All but those below change what is built, where, or how it is told.
_SETTINGS = ("DOCKER_", "BUILDX_", "BUILDKIT_", "EXPERIMENTAL_BUILDKIT_")
# The engine that the gate asks as well, and where logins and buildx's own records are kept.
_KEPT = frozenset(
    {
        "DOCKER_HOST",
        "DOCKER_TLS",
        "DOCKER_TLS_VERIFY",
        "DOCKER_CERT_PATH",
        "DOCKER_CONFIG",
        "DOCKER_AUTH_CONFIG",
        "BUILDX_CONFIG",
    }
)
_OURS = {
    # Lambda admits no index, and an attestation makes one of any image. A builder that knows no attestations takes no
    # notice of this.
    "BUILDX_NO_DEFAULT_ATTESTATIONS": "1",
    # The engine's own builder, at the address that the gate itself uses; not one that was made or chosen before.
    "BUILDX_BUILDER": "default",
    "DOCKER_CONTEXT": "default",
    # One line for each step, which is how they are told.
    "BUILDKIT_PROGRESS": "plain",
    # The base is held by its ID or digest, which no notary can know of an image that was only built here.
    "DOCKER_CONTENT_TRUST": "0",
}


def environment(surroundings: Mapping[str, str], *, platform: str, buildkit: bool) -> dict[str, str]:
    """The environment of a build: whatever is exported around it, the same image comes of it.

    Args:
        surroundings: the environment of this process.
        platform: what is built for, as os/architecture; "" for what the engine itself is.
        buildkit: whether the engine has BuildKit; without, the classic builder is asked for, for the CLI takes
            BuildKit for granted on Linux.
    """
    kept = {name: value for name, value in surroundings.items() if not _decides(name)}
    wanted = {} if buildkit else {"DOCKER_BUILDKIT": "0"}
    wanted |= {"DOCKER_DEFAULT_PLATFORM": platform} if platform else {}
    return {**kept, **_OURS, **wanted}


def _decides(name: str) -> bool:
    # SOURCE_DATE_EPOCH: buildx hands it on, and the image's times follow it.
    return name == "SOURCE_DATE_EPOCH" or (name.startswith(_SETTINGS) and name not in _KEPT)
