"""Images: described, listed, fetched and deleted."""

from __future__ import annotations

from collections.abc import Iterator

from localaws.ecr import identifiers
from localaws.ecr.errors import invalid
from localaws.ecr.identifiers import ImageFailure
from localaws.ecr.operations import ApiCall, Ecr, Parameters, operation, page
from localaws.ecr.state import ImageState, RepositoryState

_IN_INDEX = "ImageReferencedByManifestList"


@operation("DescribeImages")
def describe(call: ApiCall) -> Parameters:
    """The named images, or all of them."""
    wanted = call.parameters
    if wanted.get("imageIds") and wanted.keys() & {"maxResults", "nextToken"}:
        raise invalid("Invalid parameter: 'maxResults' and 'nextToken' cannot be used together with 'imageIds'")
    with call.reading() as repository:
        if wanted.get("imageIds"):
            images = [identifiers.image(repository, each, call.ecr.account) for each in wanted["imageIds"]]
        else:
            images = [image for image in _by_time(repository) if _passes(image, wanted.get("filter", {}))]
        once = {image.digest: image for image in images}.values()
        details = [described(call.ecr, repository, image) for image in once]
    entries, rest = page(details, wanted)
    return {"imageDetails": entries, **rest}


@operation("ListImages")
def list_images(call: ApiCall) -> Parameters:
    """The identities of all images: one for each tag, one for each image without."""
    with call.reading() as repository:
        chosen = [image for image in _by_time(repository) if _passes(image, call.parameters.get("filter", {}))]
        identities = [identity for image in chosen for identity in _identities(image)]
    entries, rest = page(identities, call.parameters)
    return {"imageIds": entries, **rest}


@operation("BatchGetImage")
def batch_get(call: ApiCall) -> Parameters:
    """The manifests of the named images, and the failures."""
    images: list[Parameters] = []
    failures: list[Parameters] = []
    with call.reading() as repository:
        for wanted, image in _found(call, repository, failures):
            text = call.ecr.blobs.manifest(repository.name, image.digest).decode()
            identity = {**wanted, "imageDigest": image.digest}
            about = {"imageId": identity, "imageManifest": text, "imageManifestMediaType": image.media_type}
            images.append({**call.identity, **about})
    return {"images": images, "failures": failures}


@operation("BatchDeleteImage")
def batch_delete(call: ApiCall) -> Parameters:
    """Remove images by digest, or tags; removing its last tag removes an image."""
    deleted: list[Parameters] = []
    failures: list[Parameters] = []
    with call.changing() as repository:
        for wanted, image in _found(call, repository, failures):
            if _removes_image(image, wanted) and _is_in_index(repository, image):
                failures.append({"imageId": wanted, "failureCode": _IN_INDEX, "failureReason": _in_index(image)})
                continue
            deleted += _delete(repository, image, wanted)
    return {"imageIds": deleted, "failures": failures}


@operation("BatchCheckLayerAvailability")
def check_layers(call: ApiCall) -> Parameters:
    """Which layers the repository has."""
    with call.reading() as repository:
        name = repository.name
    layers, failures = [], []
    for digest in call.parameters["layerDigests"]:
        if not identifiers.is_digest(digest):
            reason = "Invalid request parameters: layer digest should be a sha256 digest"
            failures.append({"layerDigest": digest, "failureCode": "InvalidLayerDigest", "failureReason": reason})
            continue
        size = call.ecr.blobs.size(name, digest)
        there = {"layerAvailability": "UNAVAILABLE" if size is None else "AVAILABLE", "layerSize": size or 0}
        layers.append({"layerDigest": digest, **there})
    return {"layers": layers, "failures": failures}


def delete(ecr: Ecr, name: str, digest: str) -> None:
    """Remove one image with all its tags, for the registry protocol.

    Raises:
        EcrError: ImageNotFoundException, or InvalidParameterException if an index names it.
    """
    with ecr.store.changing_repository(name) as repository:
        image = identifiers.image(repository, {"imageDigest": digest}, ecr.account)
        if _is_in_index(repository, image):
            raise invalid(_in_index(image))
        _delete(repository, image, {"imageDigest": digest})


def described(ecr: Ecr, repository: RepositoryState, image: ImageState) -> Parameters:
    """An image as DescribeImages answers it; as on AWS, without a summary of its scan."""
    details: Parameters = {
        **ecr.identity(repository.name),
        "imageDigest": image.digest,
        "imageSizeInBytes": image.size,
        "imagePushedAt": image.pushed_at,
        "imageManifestMediaType": image.media_type,
        "imageStatus": image.status,
    }
    if image.archived_at is not None:
        details["lastArchivedAt"] = image.archived_at
    if image.subject:
        details["subjectManifestDigest"] = image.subject
    if image.tags:
        details["imageTags"] = list(image.tags)
    if image.artifact:
        details["artifactMediaType"] = image.artifact
    return details


def _identities(image: ImageState) -> list[Parameters]:
    return [{"imageDigest": image.digest, "imageTag": tag} for tag in image.tags] or [{"imageDigest": image.digest}]


def _by_time(repository: RepositoryState) -> list[ImageState]:
    return sorted(repository.images.values(), key=lambda image: (image.pushed_at, image.digest))


def _passes(image: ImageState, chosen: Parameters) -> bool:
    tagged = chosen.get("tagStatus", "ANY")
    return chosen.get("imageStatus", "ACTIVE") in (image.status, "ANY") and (
        tagged == "ANY" or (tagged == "TAGGED") == bool(image.tags)
    )


def _delete(repository: RepositoryState, image: ImageState, wanted: Parameters) -> list[Parameters]:
    if _removes_image(image, wanted):
        del repository.images[image.digest]
        repository.scans.pop(image.digest, None)
        return _identities(image)
    image.tags.remove(wanted["imageTag"])
    return [{"imageDigest": image.digest, "imageTag": wanted["imageTag"]}]


def _removes_image(image: ImageState, wanted: Parameters) -> bool:
    return "imageDigest" in wanted or image.tags == [wanted["imageTag"]]


def _is_in_index(repository: RepositoryState, image: ImageState) -> bool:
    return any(image.digest in other.children for other in repository.images.values())


def _in_index(image: ImageState) -> str:
    return f"Requested image {image.digest} is referenced by an index and cannot be deleted"


def _found(
    call: ApiCall, repository: RepositoryState, failures: list[Parameters]
) -> Iterator[tuple[Parameters, ImageState]]:
    """The named images that exist; the others are added to the failures."""
    for wanted in call.parameters["imageIds"]:
        try:
            image = identifiers.locate(repository, wanted)
        except ImageFailure as failure:
            failures.append({"imageId": wanted, "failureCode": failure.code, "failureReason": failure.reason})
            continue
        yield wanted, image
