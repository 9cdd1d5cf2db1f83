"""What a release changes against the one before it (AC3). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class ReleaseFacts:
    """What is compared between releases.

    Attributes:
        tag: the release tag.
        digest: the digest it names.
        packages: name (or package URL without version) → version, of everything in the image.
        compressed_bytes: as ECR counts.
        uncompressed_bytes: on disk.
        init_seconds: the handler's init in the sandbox, None if it was not measured.
    """

    tag: str
    digest: str
    packages: Mapping[str, str]
    compressed_bytes: int
    uncompressed_bytes: int
    init_seconds: float | None = None


@dataclass(frozen=True)
class ReleaseDiff:
    """The difference, the later release minus the earlier one; packages in order of name."""

    previous_tag: str
    previous_digest: str
    added: Mapping[str, str]
    removed: Mapping[str, str]
    changed: Mapping[str, tuple[str, str]]
    compressed_bytes: int
    uncompressed_bytes: int
    init_seconds: float | None


def compare(previous: ReleaseFacts, current: ReleaseFacts) -> ReleaseDiff:
    """The difference between two releases."""
    was, is_ = previous.packages, current.packages
    measured = previous.init_seconds is not None and current.init_seconds is not None
    return ReleaseDiff(
        previous_tag=previous.tag,
        previous_digest=previous.digest,
        added={name: is_[name] for name in sorted(set(is_) - set(was))},
        removed={name: was[name] for name in sorted(set(was) - set(is_))},
        changed={name: (was[name], is_[name]) for name in sorted(set(was) & set(is_)) if was[name] != is_[name]},
        compressed_bytes=current.compressed_bytes - previous.compressed_bytes,
        uncompressed_bytes=current.uncompressed_bytes - previous.uncompressed_bytes,
        init_seconds=round((current.init_seconds or 0) - (previous.init_seconds or 0), 3) if measured else None,
    )
