"""What a manifest says: media types, sizes, and what it refers to (OCI image specification 1.0, Docker v2.2)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from localaws.ecr.errors import EcrError, invalid

DOCKER = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
OCI = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
INDEXES = frozenset({DOCKER_LIST, OCI_INDEX})
KNOWN = frozenset({DOCKER, DOCKER_LIST, OCI, OCI_INDEX})


@dataclass(frozen=True)
class Manifest:
    """A manifest as it was pushed.

    Attributes:
        artifact: media type of the configuration ("" for an index).
        size: bytes of compressed layers and configuration, as the manifest states them.
        children: digests of the manifests that an index names.
    """

    digest: str
    media_type: str
    artifact: str
    size: int
    children: tuple[str, ...]
    body: bytes


def read(body: bytes, media_type: str | None = None) -> Manifest:
    """Read a manifest; the media type is the caller's, else the manifest's own, else by its shape.

    Raises:
        EcrError: InvalidParameterException.
    """
    try:
        data = json.loads(body)
        declared = media_type or data.get("mediaType") or (OCI_INDEX if "manifests" in data else OCI)
        if declared not in KNOWN:
            raise invalid(f"Invalid parameter at 'ImageManifest': the media type {declared!r} is not supported")
        return _read(body, declared, data)
    except (ValueError, KeyError, TypeError, AttributeError) as damage:
        raise invalid(
            f"Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax' ({damage!r})"
        ) from damage


def _read(body: bytes, media_type: str, data: dict[str, Any]) -> Manifest:
    digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
    if media_type in INDEXES:
        children = tuple(str(child["digest"]) for child in data["manifests"])
        return Manifest(digest, media_type, "", 0, children, body)
    size = int(data["config"]["size"]) + sum(int(layer["size"]) for layer in data["layers"])
    return Manifest(digest, media_type, str(data["config"]["mediaType"]), size, (), body)


def check_digest(manifest: Manifest, claimed: str | None) -> None:
    """Refuse a manifest that is not the one its digest names."""
    if claimed and claimed != manifest.digest:
        raise EcrError(
            "ImageDigestDoesNotMatchException",
            f"The provided digest {claimed} does not match the digest {manifest.digest} calculated by Amazon ECR",
        )
