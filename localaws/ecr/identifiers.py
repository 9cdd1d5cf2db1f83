"""Tags and digests: their grammar, and ECR's errors for those that name no image.

Sources: OCI distribution specification 1.1, "Pulling manifests" (the grammar of a tag); the service model's
`ImageFailureCode`; ECR's messages as its users quote them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from localaws.ecr.errors import EcrError, invalid
from localaws.ecr.state import ImageState, RepositoryState

_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class ImageFailure(Exception):
    """Why an identifier names no image.

    Attributes:
        code: one of the model's `ImageFailureCode`.
        reason: the message.
    """

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def is_digest(text: str) -> bool:
    """Whether it is a digest that ECR accepts."""
    return _DIGEST.fullmatch(text) is not None


def check_tag(tag: str | None) -> None:
    """Refuse an invalid tag.

    Raises:
        EcrError: InvalidParameterException.
    """
    if tag is not None and not _TAG.fullmatch(tag):
        raise _unlike("imageTag", _TAG)


def locate(repository: RepositoryState, wanted: Mapping[str, Any]) -> ImageState:
    """The image that an ImageIdentifier names, by digest, tag, or both.

    Raises:
        ImageFailure: with the model's code.
    """
    digest, tag = wanted.get("imageDigest"), wanted.get("imageTag")
    if digest is None and tag is None:
        raise ImageFailure("MissingDigestAndTag", "Invalid request parameters: both tag and digest cannot be null")
    if digest is not None and not is_digest(digest):
        expected = "[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+"
        raise ImageFailure(
            "InvalidImageDigest", f"Invalid request parameters: image digest should satisfy the regex '{expected}'"
        )
    if tag is not None and not _TAG.fullmatch(tag):
        raise ImageFailure("InvalidImageTag", f"Invalid request parameters: image tag should satisfy '{_TAG.pattern}'")
    image = repository.images.get(digest) if digest else repository.tagged(tag or "")
    if image is None:
        raise ImageFailure("ImageNotFound", "Requested image not found")
    if tag and tag not in image.tags:
        raise ImageFailure("ImageTagDoesNotMatchDigest", f"The tag '{tag}' does not name the digest '{digest}'")
    return image


def image(repository: RepositoryState, wanted: Mapping[str, Any], account: str) -> ImageState:
    """The image that a call about one image names.

    Raises:
        EcrError: ImageNotFoundException, or InvalidParameterException for an invalid identifier.
    """
    try:
        return locate(repository, wanted)
    except ImageFailure as failure:
        if failure.code not in ("ImageNotFound", "ImageTagDoesNotMatchDigest"):
            raise invalid(failure.reason) from failure
        raise not_found(repository, wanted.get("imageDigest"), wanted.get("imageTag"), account) from failure


def not_found(repository: RepositoryState, digest: str | None, tag: str | None, account: str) -> EcrError:
    """ECR's error for an image that does not exist."""
    return EcrError(
        "ImageNotFoundException",
        f"The image with imageId {{imageDigest:'{digest or 'null'}', imageTag:'{tag or 'null'}'}} does not "
        f"exist within the repository with name '{repository.name}' in the registry with id '{account}'",
    )


def _unlike(parameter: str, pattern: re.Pattern[str]) -> EcrError:
    return invalid(
        f"Invalid parameter at '{parameter}' failed to satisfy constraint: "
        f"'must satisfy regular expression '{pattern.pattern}''"
    )
