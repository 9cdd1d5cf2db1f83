"""The scan of a candidate on its way to promotion: read, judged, and recorded whatever the judgement is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from gate.judgement import ACCEPTED, Judgement
from gate.scan.coverage import sight
from gate.scan.promotion import promotable
from gate.scan.records import keep, record_of
from gate.withheld import Withheld

if TYPE_CHECKING:
    from gate.candidate import Candidate
    from gate.run.model import Run
    from gate.scan.read import Scanner
    from gate.scan.register.entries import Register

# Answers a rung of the ladder by its name, made now if it was not needed before.
Rungs = Callable[[str], Any]


def scan_candidate(run: Run, digest: str, rungs: Rungs) -> Judgement:
    """Everything that AC7 and AC9 ask of a digest before it may carry the release's tags.

    The scan is recorded as that of a candidate, or of a withdrawn one: the chain from found to mitigated starts there.

    Raises:
        Withheld: the candidate may not carry them.
        GateError: the scan, or what it is held against, could not be had.
    """
    scanner: Scanner = rungs("scan_reader")
    register: Register = rungs("register")
    image: Candidate = rungs("candidate")
    run.store.digest = digest
    report = scanner.scan_digest(digest)
    asked = f"aws ecr describe-image-scan-findings --image-id imageDigest={digest}"
    run.store.record("scan of the candidate", report, asked=asked, criterion=7, provenance=run.provenance)
    said = promotable(
        report,
        scanner.settings(),
        sight(image.sbom.components, report.mode, image.watched),
        register,
        digest=digest,
        target=run.rules,
        now=datetime.now(UTC),
    )
    refused = [criterion for criterion, judgement in said.items() if not judgement.accepted]
    event = "withdrawn" if refused else "candidate"
    tags = (run.release.candidate_tag,)
    keep(record_of(report, register, event=event, tags=tags, target=run.place), run.scans)
    if refused:
        run.facts.withdrawn = digest
        raise _withheld(run, digest, refused, said)
    return ACCEPTED


def _withheld(run: Run, digest: str, refused: list[int], said: Mapping[int, Judgement]) -> Withheld:
    failed = " and ".join(f"AC{criterion}" for criterion in refused)
    sentence = f"the candidate {digest} was pushed and scanned, and was not promoted: its scan fails {failed}"
    tags = f"{run.release.release_tag} and {run.release.rolling_tag}"
    remedy = f"mend what the claims of {failed} name, and release again; {tags} name what they named before"
    return Withheld(said, sentence, remedy=remedy)
