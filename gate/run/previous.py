"""The release before this one, as an earlier run of this target recorded it, and the difference to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gate.errors import EvidenceDamaged
from gate.publish.release_diff import ReleaseDiff, ReleaseFacts, compare

FACTS = "release-facts.json"
FIRST = "This is the first release that this target has on record."


@dataclass(frozen=True)
class ReleaseDifference:
    """The difference to the release before, and the sentence that the notes say about it."""

    diff: ReleaseDiff | None
    sentence: str


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


def difference(previous: ReleaseFacts | None, current: ReleaseFacts) -> ReleaseDifference:
    """The difference, and its sentence."""
    if previous is None:
        return ReleaseDifference(None, FIRST)
    diff = compare(previous, current)
    init = "unknown" if diff.init_seconds is None else f"{diff.init_seconds:+.2f} s"
    sentence = (
        f"Against {diff.previous_tag} ({diff.previous_digest}): {len(diff.added)} packages added, "
        f"{len(diff.removed)} removed, {len(diff.changed)} changed; {diff.uncompressed_bytes:+,} bytes uncompressed, "
        f"{diff.compressed_bytes:+,} compressed; init {init}."
    )
    return ReleaseDifference(diff, sentence)


def packages_of(components: Any) -> Mapping[str, str]:
    """Name to version of an SBOM's components."""
    return {f"{c.type}/{c.name}": c.version for c in components}
