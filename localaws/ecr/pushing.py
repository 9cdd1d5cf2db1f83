"""Storing a manifest in a repository, by a push over /v2/ or by PutImage."""

from __future__ import annotations

from localaws.ecr import identifiers, lifecycle, manifest, mutability, replication, signing
from localaws.ecr.errors import EcrError, invalid
from localaws.ecr.manifest import Manifest
from localaws.ecr.operations import ApiCall, Ecr, Parameters, operation
from localaws.ecr.state import ImageState, RepositoryState


@operation("PutImage")
def put_image(call: ApiCall) -> Parameters:
    """Store a manifest, or give an existing image another tag."""
    wanted, tag = call.parameters, call.parameters.get("imageTag")
    pushed = manifest.read(wanted["imageManifest"].encode(), wanted.get("imageManifestMediaType"))
    manifest.check_digest(pushed, wanted.get("imageDigest"))
    identifiers.check_tag(tag)
    image = push(call.ecr, wanted["repositoryName"], pushed, tag, registry=wanted.get("registryId"), again=False)
    identity = {"imageDigest": image.digest, **({"imageTag": tag} if tag else {})}
    text = {"imageManifest": wanted["imageManifest"], "imageManifestMediaType": pushed.media_type}
    return {"image": {**call.identity, "imageId": identity, **text}}


def push(
    ecr: Ecr, name: str, pushed: Manifest, tag: str | None, *, registry: str | None = None, again: bool = True
) -> ImageState:
    """Store a manifest if ECR's rules allow it.

    Args:
        ecr: the registry.
        name: the repository.
        pushed: the manifest.
        tag: the tag to set; None for a push by digest.
        registry: the registry id that the caller named.
        again: whether an identical push is accepted (over /v2/) or an error (PutImage).

    Raises:
        EcrError: InvalidParameterException, ImageTagAlreadyExistsException, ImageAlreadyExistsException,
            LayersNotFoundException, ReferencedImagesNotFoundException, RepositoryNotFoundException.
    """
    identifiers.check_tag(tag)
    with ecr.store.reading_repository(name, registry):
        pass  # raises if there is none
    _check_blobs(ecr, name, pushed)
    # Under one lock, so that the tag cannot move between the check and the change.
    with ecr.store.changing_repository(name, registry) as repository:
        mutability.refuse_overwriting(repository, tag)
        if not again:
            _refuse_existing(repository, pushed, tag)
        size = _size_of_index(repository, pushed) if pushed.children else pushed.size
        ecr.blobs.put_manifest(name, pushed.digest, pushed.media_type, pushed.body)
        image = repository.images.get(pushed.digest) or _enter(ecr, repository, pushed, size)
        _move_tag(repository, image, tag)
    if not image.subject:
        ecr.scans.on_push(name, image)
    _apply_behaviours(ecr, name, image)
    return image


def _apply_behaviours(ecr: Ecr, name: str, image: ImageState) -> None:
    """Sign the image and apply the lifecycle policy, where that is switched on."""
    behaviours = ecr.behaviours()
    body = signing.signature(ecr, name, image, always=behaviours.managed_signing)
    if body is not None:
        push(ecr, name, manifest.read(body), None)
    if behaviours.lifecycle_at_work:
        with ecr.store.changing() as account:
            lifecycle.apply(account.repositories[name], ecr.clock().timestamp())


def _check_blobs(ecr: Ecr, name: str, pushed: Manifest) -> None:
    """Refuse a manifest whose blobs are missing or have another size than it states."""
    for blob in pushed.blobs:
        size = ecr.blobs.size(name, blob.digest)
        if size is None:
            raise EcrError(
                "LayersNotFoundException",
                f"The layers with digests '[{blob.digest}]' required for pushing image into repository with name "
                f"'{name}' in the registry with id '{ecr.account}' do not exist",
            )
        if size != blob.size:
            raise invalid(
                f"Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'the size of {blob.digest} is "
                f"{size}, the manifest says {blob.size}'"
            )


def _enter(ecr: Ecr, repository: RepositoryState, pushed: Manifest, size: int) -> ImageState:
    image = ImageState(
        digest=pushed.digest,
        media_type=pushed.media_type,
        artifact=pushed.artifact,
        size=size,
        pushed_at=ecr.clock().timestamp(),
        children=list(pushed.children),
        subject=pushed.subject,
        replicas=replication.replicas(ecr, repository.name),
    )
    repository.images[image.digest] = image
    return image


def _move_tag(repository: RepositoryState, image: ImageState, tag: str | None) -> None:
    if tag is None or tag in image.tags:
        return
    former = repository.tagged(tag)
    if former is not None:
        former.tags.remove(tag)
    image.tags.append(tag)


def _refuse_existing(repository: RepositoryState, pushed: Manifest, tag: str | None) -> None:
    image = repository.images.get(pushed.digest)
    if image is not None and (tag is None or tag in image.tags):
        raise EcrError(
            "ImageAlreadyExistsException",
            f"Image with digest '{pushed.digest}' and tag '{tag or 'null'}' already exists in the repository with name "
            f"'{repository.name}'",
        )


def _size_of_index(repository: RepositoryState, pushed: Manifest) -> int:
    missing = [child for child in pushed.children if child not in repository.images]
    if missing:
        raise EcrError(
            "ReferencedImagesNotFoundException",
            f"The images with digests '{', '.join(missing)}' referenced by the index do not exist in the repository "
            f"with name '{repository.name}'",
        )
    return max(repository.images[child].size for child in pushed.children)
