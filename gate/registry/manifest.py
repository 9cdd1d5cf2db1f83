"""What the registry holds under a digest, and whether Lambda admits it. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

from gate.check import ACCEPTED, CheckResult, check, reject

DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
SCHEMA_1 = "application/vnd.docker.distribution.manifest.v1+prettyjws"
ACCEPTED_BY_US = (DOCKER_MANIFEST, OCI_MANIFEST, DOCKER_LIST, OCI_INDEX, SCHEMA_1)

# Lambda, "Create a Lambda function using a container image": Docker v2 schema 2 or OCI, not mixed, gzip layers.
_ADMITTED = {
    DOCKER_MANIFEST: (
        "application/vnd.docker.container.image.v1+json",
        "application/vnd.docker.image.rootfs.diff.tar.gzip",
    ),
    OCI_MANIFEST: (
        "application/vnd.oci.image.config.v1+json",
        "application/vnd.oci.image.layer.v1.tar+gzip",
    ),
}
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_REBUILD = "build one plain image for the release's platform: `docker build --provenance=false --sbom=false …`"


@dataclass(frozen=True)
class StoredManifest:
    """A manifest as the registry answers it, byte for byte.

    Attributes:
        digest: the digest under which the registry holds it.
        media_type: the media type that the registry gives it.
        body: the manifest itself.
    """

    digest: str
    media_type: str
    body: str


@dataclass(frozen=True)
class Blob:
    """A config or a layer that a manifest names; size in (compressed) bytes."""

    media_type: str
    digest: str
    size: int


@dataclass(frozen=True)
class ImageManifest:
    """An image manifest, read."""

    media_type: str
    config: Blob
    layers: tuple[Blob, ...]


class UnreadableManifest(ValueError):
    """The body is not an image manifest; the message says why, as the end of a sentence."""


def read_manifest(stored: StoredManifest) -> ImageManifest:
    """Read an image manifest (OCI image-spec "manifest.md"; Docker "image manifest version 2, schema 2").

    Raises:
        UnreadableManifest: it is not JSON, an index, or lacks a config, layers, digests or sizes.
    """
    try:
        document = json.loads(stored.body)
    except (ValueError, RecursionError) as error:
        raise UnreadableManifest(f"is not JSON ({error})") from error
    if not isinstance(document, dict):
        raise UnreadableManifest("is not a JSON object")
    stated = document.get("mediaType", stored.media_type)
    if stated != stored.media_type:
        raise UnreadableManifest(f"calls itself {stated!r}, while the registry calls it {stored.media_type!r}")
    layers = document.get("layers")
    if not isinstance(layers, list) or not layers:
        raise UnreadableManifest("lists no layers")
    return ImageManifest(stored.media_type, _blob(document.get("config")), tuple(_blob(layer) for layer in layers))


def _blob(raw: Any) -> Blob:
    if not isinstance(raw, dict):
        raise UnreadableManifest(f"holds {raw!r} where a descriptor belongs")
    media_type, digest, size = raw.get("mediaType"), raw.get("digest"), raw.get("size")
    if not isinstance(media_type, str) or not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        raise UnreadableManifest(f"holds a descriptor without media type or sha256 digest: {raw!r}")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise UnreadableManifest(f"gives {digest} the size {size!r}")
    return Blob(media_type, digest, size)


def _known_bad_index() -> tuple[StoredManifest, str]:
    body = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": OCI_INDEX,
            "manifests": [
                {"platform": {"os": "linux", "architecture": "amd64"}},
                {"annotations": {"vnd.docker.reference.type": "attestation-manifest"}},
            ],
        }
    )
    return StoredManifest("sha256:" + hashlib.sha256(body.encode()).hexdigest(), OCI_INDEX, body), "linux/amd64"


@check(2, known_bad=_known_bad_index)
def check_admission(stored: StoredManifest, platform: str, wanted: str = "linux/amd64") -> CheckResult:
    """Whether Lambda creates a function from this image.

    Args:
        stored: the manifest as the registry holds it.
        platform: os/architecture that the image's config states.
        wanted: the one platform that the release is for.
    """
    where = f"the manifest {stored.digest} in the registry"
    if stored.media_type in (OCI_INDEX, DOCKER_LIST):
        return _index(stored, wanted, where)
    if stored.media_type not in _ADMITTED:
        return reject(f"Lambda does not admit a manifest of media type {stored.media_type!r}", where, _REBUILD)
    try:
        manifest = read_manifest(stored)
    except UnreadableManifest as error:
        return reject(f"The manifest cannot be read: it {error}", where, _REBUILD)
    if platform == wanted:
        return _blobs(manifest, where)
    said = f"The image is built for {platform or 'no stated platform'}, the release is for {wanted}"
    return _blobs(manifest, where) + reject(said, where, f"build with `docker build --platform {wanted}`")


def _index(stored: StoredManifest, wanted: str, where: str) -> CheckResult:
    kind = "an OCI index" if stored.media_type == OCI_INDEX else "a manifest list"
    attested = "attestation-manifest" in stored.body
    return reject(
        f"The tag names {kind}{' with BuildKit attestations' if attested else ''} and not one image:"
        f" Lambda refuses the media type {stored.media_type}, and ECR cannot scan it",
        where,
        f"build with `--provenance=false --sbom=false` for one platform (`--platform {wanted}`) and push again",
    )


def _blobs(manifest: ImageManifest, where: str) -> CheckResult:
    config, layer = _ADMITTED[manifest.media_type]
    result = ACCEPTED
    if manifest.config.media_type != config:
        result += reject(
            f"Lambda does not admit a config of media type {manifest.config.media_type!r}", where, _REBUILD
        )
    for number, each in enumerate(manifest.layers, start=1):
        if each.media_type != layer:
            result += reject(
                f"Layer {number} ({each.digest}) {_what_is_wrong(each.media_type)}: Lambda admits only {layer}",
                where,
                "build with gzip compression (BuildKit: `compression=gzip,force-compression=true`)",
            )
    return result


def _what_is_wrong(media_type: str) -> str:
    if media_type.endswith("zstd"):
        return f"is compressed with zstd ({media_type})"
    if "foreign" in media_type or "nondistributable" in media_type:
        return f"is a foreign layer ({media_type})"
    return f"has the media type {media_type!r}"


def _known_bad_bytes() -> tuple[StoredManifest]:
    return (StoredManifest("sha256:" + "0" * 64, OCI_MANIFEST, "{}"),)


@check(2, known_bad=_known_bad_bytes)
def check_bytes(stored: StoredManifest) -> CheckResult:
    """Whether the manifest's bytes are those that its digest names."""
    actual = "sha256:" + hashlib.sha256(stored.body.encode()).hexdigest()
    if actual == stored.digest:
        return ACCEPTED
    return reject(f"The registry answers {stored.digest} with a manifest whose digest is {actual}", "BatchGetImage",
                  "trust nothing of it: look for what stands between the gate and ECR")  # fmt: skip


def _known_bad_config() -> tuple[StoredManifest, str]:
    blob = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": "sha256:" + "a" * 64, "size": 1}
    body = json.dumps({"config": blob, "layers": [blob]})
    return StoredManifest("sha256:" + "c" * 64, OCI_MANIFEST, body), "sha256:" + "b" * 64


@check(2, known_bad=_known_bad_config)
def check_same_config(stored: StoredManifest, checked: str) -> CheckResult:
    """Whether the registry's manifest names the config of the image that was checked.

    Args:
        stored: the manifest as the registry holds it.
        checked: the digest of the checked image's config (its image ID in the classic store).
    """
    where = f"the manifest {stored.digest} in the registry"
    try:
        held = read_manifest(stored).config.digest
    except UnreadableManifest as error:
        return reject(f"The manifest cannot be read: it {error}", where, _REBUILD)
    if held == checked:
        return ACCEPTED
    return reject(
        f"The registry holds another image than the one that was checked: its config is {held}, checked was {checked}",
        where,
        "find out who pushed in between, then run the release again",
    )
