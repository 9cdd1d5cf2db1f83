"""The state of the registry, without blobs: repositories, images, tags, settings, scans."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class ImageState:
    """One pushed manifest.

    Attributes:
        size: bytes of the compressed layers and the configuration; for an index, of its largest manifest.
        pushed_at: seconds since the epoch, UTC.
        artifact: the configuration's media type, ECR's `artifactMediaType`.
        children: digests of the manifests that an index names.
        subject: the digest of the manifest that this one refers to, "" for none.
        status: ACTIVE or ARCHIVED.
        archived_at: seconds since the epoch.
        replicas: the destinations that replication rules named when it was pushed, as region and account.
        signing_failed: whether ECR could not sign it.
    """

    digest: str
    media_type: str
    artifact: str
    size: int
    pushed_at: float
    tags: list[str] = field(default_factory=list)
    children: list[str] = field(default_factory=list)
    subject: str = ""
    status: str = "ACTIVE"
    archived_at: float | None = None
    replicas: list[list[str]] = field(default_factory=list)
    signing_failed: bool = False


@dataclass
class ScanState:
    """The newest scan of a digest in one repository.

    Attributes:
        status: as in ECR's `imageScanStatus`.
        requested_at: seconds since the epoch; the 24-hour limit counts from here.
        completed_at: seconds since the epoch; None until it is complete.
        advisories_at: how old the vulnerability data is: seconds since the epoch.
        enhanced: whether it is a scan of enhanced scanning.

    Its findings are in another file: there may be many, and every change writes the whole state.
    """

    status: str
    description: str
    requested_at: float
    enhanced: bool = False
    completed_at: float | None = None
    advisories_at: float | None = None


@dataclass
class RepositoryState:
    """One repository; `policy` and `lifecycle` are the texts as set, `evaluated_at` is when rules were last applied."""

    name: str
    created_at: float
    mutability: str = "MUTABLE"
    filters: list[str] = field(default_factory=list)
    scan_on_push: bool = False
    encryption: dict[str, str] = field(default_factory=lambda: {"encryptionType": "AES256"})
    policy: str | None = None
    lifecycle: str | None = None
    evaluated_at: float = 0.0
    tags: dict[str, str] = field(default_factory=dict)
    images: dict[str, ImageState] = field(default_factory=dict)
    scans: dict[str, ScanState] = field(default_factory=dict)

    def tagged(self, tag: str) -> ImageState | None:
        """The image that a tag names now."""
        return next((image for image in self.images.values() if tag in image.tags), None)


@dataclass
class RegistryState:
    """The registry of one account in one region."""

    repositories: dict[str, RepositoryState] = field(default_factory=dict)
    scan_type: str = "BASIC"
    scan_rules: list[dict[str, Any]] = field(default_factory=list)
    signing_rules: list[dict[str, Any]] = field(default_factory=list)
    replication_rules: list[dict[str, Any]] = field(default_factory=list)


def read(data: dict[str, Any]) -> RegistryState:
    """The account that `dataclasses.asdict` wrote."""
    repositories = {name: _repository(value) for name, value in data["repositories"].items()}
    return RegistryState(**{**data, "repositories": repositories})


def _repository(data: dict[str, Any]) -> RepositoryState:
    images = {digest: ImageState(**value) for digest, value in data["images"].items()}
    scans = {digest: ScanState(**value) for digest, value in data["scans"].items()}
    return RepositoryState(**{**data, "images": images, "scans": scans})
