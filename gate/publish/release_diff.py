"""The difference of a release to the one before it (AC3), as an earlier run of this target recorded that one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gate.errors import EvidenceDamaged

FACTS = "release-facts.json"
FIRST = "This is the first release that this target has on record."


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

    def __str__(self) -> str:
        init = "unknown" if self.init_seconds is None else f"{self.init_seconds:+.2f} s"
        return (
            f"Against {self.previous_tag} ({self.previous_digest}): {len(self.added)} packages added, "
            f"{len(self.removed)} removed, {len(self.changed)} changed; {self.uncompressed_bytes:+,} bytes "
            f"uncompressed, {self.compressed_bytes:+,} compressed; init {init}."
        )


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


def latest_before(runs: Path, target: str, digest: str) -> ReleaseFacts | None:
    """The facts of the last recorded release of another digest on this target.

    Raises:
        EvidenceDamaged: a record cannot be read.
    """
    for path in sorted(runs.glob(f"*/evidence/{FACTS}"), reverse=True):
        try:
            content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            known = ReleaseFacts(**content["facts"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise EvidenceDamaged(
                f"the facts of an earlier release cannot be read: {error}", where=str(path)
            ) from error
        if content["target"] == target and known.digest != digest:
            return known
    return None


def packages_of(components: Any) -> Mapping[str, str]:
    """Name to version of an SBOM's components."""
    return {f"{c.type}/{c.name}": c.version for c in components}
