"""What a run leaves on disk: verdict.json, the sealed evidence, the report, and a dated copy of full runs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gate.evidence.store import write_whole
from gate.report.html import mend
from gate.verdict import CRITERIA, ScenarioOutcome, Verdict, criterion_status, decide

if TYPE_CHECKING:
    from gate.run.plugin import Run

REPORT, JUNIT, VERDICT = "report.html", "junit.xml", "verdict.json"
# A GO rests on a scan; the story's policy asks for one that is at most a day old.
VALID_FOR = timedelta(hours=24)
KEPT_RUNS = 20


@dataclass(frozen=True)
class Results:
    """The verdict of a run and the document that states it."""

    verdict: Verdict
    document: dict[str, Any]


def begin(run: Run) -> None:
    """Clear what the last run of this kind left, and say on disk that this one has not ended.

    Whoever finds the folder after a crash must not read yesterday's GO in it.
    """
    for name in (REPORT, JUNIT):
        (run.folder / name).unlink(missing_ok=True)
    shutil.rmtree(run.store.folder, ignore_errors=True)
    run.store.folder.mkdir(parents=True)
    reason = "the run has not ended; if none is going on, it was cut short"
    write_verdict(run.folder, document(run, Verdict("INCOMPLETE", 1, (reason,), {}, ())))


def state_release(run: Run) -> dict[str, Any]:
    """Write what is known of the release into verdict.json, and read it back from the disk."""
    unfinished = Verdict("INCOMPLETE", 1, ("the run has not ended",), {}, ())
    write_verdict(run.folder, document(run, unfinished))
    written: dict[str, Any] = json.loads((run.folder / VERDICT).read_text(encoding="utf-8"))["release"]
    return written


def conclude(run: Run) -> Results:
    """Decide, and state it."""
    verdict = decide(
        tuple(run.outcomes),
        target=run.options.target,
        kind=run.kind,
        expected=run.expected,
        proofs=run.proofs,
        trouble=tuple(run.trouble),
        endpoint_is_aws=run.facts.get("endpoint_is_aws", True),
    )
    return Results(verdict, document(run, verdict))


def finish(run: Run) -> None:
    """Seal the evidence, write verdict.json over it, and keep a dated copy of a full run."""
    if run.results is None:
        return
    mend(run.folder / REPORT)
    index = run.store.seal()
    files = [{"file": f"evidence/{name}", "sha256": digest} for name, digest in index.items()]
    write_verdict(run.folder, {**run.results.document, "evidence": files})
    if run.kind == "full":
        keep(run)


def document(run: Run, verdict: Verdict) -> dict[str, Any]:
    """verdict.json as design.md's public contract describes it."""
    scanned = run.facts.get("scan_completed_at")
    facts = run.facts
    return {
        "verdict": verdict.word,
        "reasons": list(verdict.reasons),
        "target": run.options.target,
        "kind": run.kind,
        "release": {
            name: facts.get(name) for name in ("digest", "tags", "size_bytes", "uncompressed_bytes", "image_id")
        },
        "criteria": {str(n): _criterion(n, run.outcomes, run.options.target) for n in CRITERIA},
        "only_aws": list(verdict.only_aws),
        "judges": {"said_no": sum(p.said_no for p in run.proofs), "of": len(run.proofs)},
        "started": run.started.isoformat(timespec="seconds"),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "valid_until": (scanned + VALID_FOR).isoformat(timespec="seconds")
        if verdict.word == "GO" and scanned
        else None,
        "evidence": [],
    }


def _valid_until(verdict: Verdict, scanned: datetime | None) -> str | None:
    return (scanned + VALID_FOR).isoformat(timespec="seconds") if verdict.word == "GO" and scanned else None


def _criterion(number: int, outcomes: Iterable[ScenarioOutcome], target: str) -> dict[str, Any]:
    own = [o for o in outcomes if o.criterion == number]
    scenarios = [
        {"name": o.name, "status": o.status, "reason": o.reason, "provenance": o.provenance, "only_aws": o.only_aws}
        for o in own
    ]
    return {"status": criterion_status(own, target), "scenarios": scenarios}


def write_verdict(folder: Path, content: dict[str, Any]) -> None:
    """Write verdict.json, whole or not at all."""
    write_whole(folder / VERDICT, (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode())


def keep(run: Run) -> None:
    """Complete the dated copy of a full run; the oldest beyond the last twenty go.

    A run that VALIDATION.md refers to is never deleted.
    """
    target = run.store.kept.parent
    for name in (REPORT, JUNIT, VERDICT):
        if (run.folder / name).exists():
            shutil.copy2(run.folder / name, target / name)
    referred = _referred(run.root / "VALIDATION.md")
    for old in sorted(p for p in target.parent.iterdir() if p.is_dir())[:-KEPT_RUNS]:
        if old.name not in referred:
            shutil.rmtree(old)


def _referred(validation: Path) -> str:
    return validation.read_text() if validation.exists() else ""
