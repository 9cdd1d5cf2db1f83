"""Listing what refers to a manifest (OCI distribution specification 1.1, "Listing Referrers"; ListImageReferrers)."""

from __future__ import annotations

import json
from typing import Any

from localaws.ecr import manifest
from localaws.ecr.errors import invalid
from localaws.ecr.identifiers import is_digest
from localaws.ecr.operations import ApiCall, Ecr, Parameters, operation, page
from localaws.ecr.state import ImageState, RepositoryState

_DEFAULT, _MOST = 20, 50


@operation("ListImageReferrers")
def list_referrers(call: ApiCall) -> Parameters:
    """The referrers of a digest, filtered by type and status."""
    wanted, chosen = call.parameters["subjectId"]["imageDigest"], call.parameters.get("filter", {})
    if not is_digest(wanted):
        raise invalid("Invalid parameter at 'subjectId' failed to satisfy constraint: 'must be a sha256 digest'")
    status, types = chosen.get("artifactStatus", "ACTIVE"), chosen.get("artifactTypes")
    with call.reading() as repository:
        found = [(image, described(call.ecr, repository, image)) for image in of(repository, wanted)]
    listed = [
        {**described_, "artifactStatus": image.status}
        for image, described_ in found
        if status in (image.status, "ANY") and (types is None or image.artifact in types)
    ]
    entries, rest = page(listed, call.parameters, default=_DEFAULT, most=_MOST)
    return {"referrers": entries, **rest}


def index(ecr: Ecr, repository: RepositoryState, digest: str, artifact_type: str | None) -> bytes:
    """The referrers of a digest in the registry protocol, without the archived: an index, empty if there are none."""
    active = [image for image in of(repository, digest) if image.status == "ACTIVE"]
    found = [image for image in active if artifact_type in (None, image.artifact)]
    entries = [described(ecr, repository, image) for image in found]
    return json.dumps({"schemaVersion": 2, "mediaType": manifest.OCI_INDEX, "manifests": entries}).encode()


def of(repository: RepositoryState, digest: str) -> list[ImageState]:
    """The images that refer to this digest, oldest first."""
    found = [image for image in repository.images.values() if image.subject == digest]
    return sorted(found, key=lambda image: (image.pushed_at, image.digest))


def described(ecr: Ecr, repository: RepositoryState, image: ImageState) -> dict[str, Any]:
    """A referrer's descriptor; artifact type and annotations are the manifest's."""
    body = ecr.blobs.manifest(repository.name, image.digest)
    described_ = {"mediaType": image.media_type, "digest": image.digest, "size": len(body)}
    annotations = manifest.read(body, image.media_type).annotations
    return {
        **described_,
        **({"artifactType": image.artifact} if image.artifact else {}),
        **({"annotations": annotations} if annotations else {}),
    }
