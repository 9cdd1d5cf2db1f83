"""What is known of a release from how it was built and published, by this run or by an earlier one.

Among it the difference to the release before (AC3), as an earlier run of this target recorded that one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gate.check import NoGo
from gate.errors import EvidenceDamaged, GateError
from gate.image.build import BuiltImage
from gate.legacy.snapshot import FunctionSnapshot
from gate.publish.earlier_runs import BASELINE, publishing_run
from gate.publish.pipeline import Pipeline

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


def build_of(pipeline: Pipeline) -> BuiltImage:
    """The build that made the candidate: this run's, or that of the run that published it.

    Raises:
        EvidenceDamaged: there is no record of one.
    """
    if built := pipeline.candidate.built:
        return built
    if pipeline.run.publishes:
        raise EvidenceDamaged("the image was given, not built, so nothing shows that the Dockerfile makes it")
    return publishing_run(pipeline.run, pipeline.published.digest).build


def zip_baseline(pipeline: Pipeline) -> FunctionSnapshot:
    """The zip function before anything was pushed: this run's baseline, or that of the run that published.

    A release that is refused on its way has taken its baseline first; whether it was published is checked by AC2.

    Raises:
        EvidenceDamaged: there is none, or the record of it is not as it was left.
        GateError, NoGo: the release ended before one was taken.
    """
    run = pipeline.run
    if not run.publishes:
        return FunctionSnapshot.load(publishing_run(run, pipeline.published.digest).evidence / BASELINE)
    kept = run.store.folder / BASELINE
    try:
        _ = pipeline.registry_image
    except (GateError, NoGo):
        if not kept.exists():
            raise
    return FunctionSnapshot.load(kept)


def previous_release(pipeline: Pipeline) -> ReleaseDiff | None:
    """The difference to the release before, None if there is none; this one's facts are kept for the next."""
    run, release, image = pipeline.run, pipeline.published, pipeline.candidate
    facts = ReleaseFacts(
        run.release.release_tag,
        release.digest,
        {f"{each.type}/{each.name}": each.version for each in image.sbom.components},
        release.compressed_bytes,
        release.uncompressed_bytes,
        image.handler_run.init.seconds,
    )
    before = latest_before(run.reports / "runs", run.target, release.digest)
    found = compare(before, facts) if before else None
    run.facts.difference = str(found or FIRST)
    run.store.attach(FACTS, json.dumps({"target": run.target, "facts": asdict(facts)}, indent=1).encode())
    return found
