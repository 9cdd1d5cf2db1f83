"""The scan of a candidate on its way to promotion: read, judged, and recorded whatever the judgement is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from gate.judgement import Judgement
from gate.scan.coverage import sight
from gate.scan.promotion import promotable
from gate.scan.records import keep, record_of

if TYPE_CHECKING:
    from gate.candidate import Candidate
    from gate.run.plugin import Run
    from gate.scan.read import Scanner
    from gate.scan.register.entries import Register

# Answers a rung of the ladder by its name, made now if it was not needed before.
Rungs = Callable[[str], Any]


def scan_candidate(run: Run, digest: str, rungs: Rungs) -> Judgement:
    """Everything that AC7 and AC9 ask of a digest before it may carry the release's tags.

    The scan is recorded as that of a candidate, or of a withdrawn one: the chain from found to mitigated starts there.
    """
    scanner: Scanner = rungs("scan_reader")
    register: Register = rungs("register")
    image: Candidate = rungs("candidate")
    run.store.digest = digest
    report = scanner.scan_digest(digest)
    asked = f"aws ecr describe-image-scan-findings --image-id imageDigest={digest}"
    run.store.record("scan of the candidate", report, asked=asked, criterion=7, provenance=run.provenance)
    judgement = promotable(
        report,
        scanner.settings(),
        sight(image.sbom.components, report.mode, image.watched),
        register,
        digest=digest,
        target=run.rules,
        now=datetime.now(UTC),
    )
    event = "candidate" if judgement.accepted else "withdrawn"
    tags = (run.release.candidate_tag,)
    keep(record_of(report, register, event=event, tags=tags, target=run.place), run.scans)
    return judgement
