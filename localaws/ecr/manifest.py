"""Reading a manifest: media types, sizes, and what it refers to (OCI image specification 1.1, Docker v2.2)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from localaws.ecr.errors import EcrError, invalid
from localaws.ecr.identifiers import is_digest

DOCKER = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
OCI = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
INDEXES = frozenset({DOCKER_LIST, OCI_INDEX})
KNOWN = frozenset({DOCKER, DOCKER_LIST, OCI, OCI_INDEX})
_WHERE = "Invalid parameter at 'ImageManifest' failed to satisfy constraint"


@dataclass(frozen=True)
class Descriptor:
    """A blob or manifest that a manifest names; the size is in bytes."""

    media_type: str
    digest: str
    size: int


@dataclass(frozen=True)
class Manifest:
    """A pushed manifest.

    Attributes:
        artifact: the artifact's type, else the media type of the configuration.
        size: bytes of compressed layers and configuration, as the manifest states them.
        blobs: configuration and layers; of an index, none.
        children: digests of the manifests that an index names.
        subject: the digest of the manifest that this one refers to, "" for none.
    """

    digest: str
    media_type: str
    artifact: str
    size: int
    children: tuple[str, ...]
    body: bytes
    blobs: tuple[Descriptor, ...] = ()
    subject: str = ""
    annotations: dict[str, str] = field(default_factory=dict)


def read(body: bytes, media_type: str | None = None) -> Manifest:
    """Read a manifest; the caller or the manifest itself must state its media type.

    Raises:
        EcrError: InvalidParameterException.
    """
    try:
        data = json.loads(body)
        return _read(body, _media_type(data, media_type), data)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise invalid(f"{_WHERE}: 'Invalid JSON syntax' ({error!r})") from error


def _media_type(data: dict[str, Any], stated: str | None) -> str:
    given = (stated or "").partition(";")[0].strip().lower()
    own = data.get("mediaType")
    if own is not None and given and own != given:
        raise invalid(f"{_WHERE}: 'the manifest calls itself {own!r}, the request calls it {given!r}'")
    declared = given or own
    if declared is None:
        raise invalid(
            "Invalid parameter at 'imageManifestMediaType': the manifest has no field mediaType, so it is required"
        )
    if declared not in KNOWN:
        raise invalid(f"{_WHERE}: 'the media type {declared!r} is not supported'")
    return str(declared)


def _read(body: bytes, media_type: str, data: dict[str, Any]) -> Manifest:
    digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
    if data.get("schemaVersion") != 2:  # noqa: PLR2004  the one version of both formats
        raise invalid(f"{_WHERE}: 'schemaVersion has to be 2'")
    subject = _descriptor(data["subject"]).digest if data.get("subject") is not None else ""
    annotations = dict(data.get("annotations") or {})
    artifact = str(data.get("artifactType") or "")
    if media_type in INDEXES:
        children = [_descriptor(child) for child in data["manifests"]]
        if not children:
            raise invalid(f"{_WHERE}: 'an index has to name one manifest at least'")
        named = tuple(child.digest for child in children)
        return Manifest(digest, media_type, artifact, 0, named, body, (), subject, annotations)
    config, layers = _descriptor(data["config"]), [_descriptor(layer) for layer in data["layers"]]
    size = config.size + sum(layer.size for layer in layers)
    kind, blobs = artifact or config.media_type, (config, *layers)
    return Manifest(digest, media_type, kind, size, (), body, blobs, subject, annotations)


def _descriptor(raw: dict[str, Any]) -> Descriptor:
    media_type, digest, size = raw["mediaType"], raw["digest"], raw["size"]
    if not isinstance(media_type, str) or not isinstance(digest, str) or not is_digest(digest):
        raise invalid(f"{_WHERE}: 'a descriptor needs a media type and a sha256 digest, and is {raw!r:.200}'")
    if isinstance(size, bool) or not isinstance(size, int) or size < 0:
        raise invalid(f"{_WHERE}: 'the size of {digest} is {size!r}'")
    return Descriptor(media_type, digest, size)


def check_digest(manifest: Manifest, claimed: str | None) -> None:
    """Refuse a manifest that does not have the claimed digest."""
    if claimed and claimed != manifest.digest:
        raise EcrError(
            "ImageDigestDoesNotMatchException",
            f"The provided digest {claimed} does not match the digest {manifest.digest} calculated by Amazon ECR",
        )
