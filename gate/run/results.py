"""What a run leaves on disk: verdict.json, the sealed evidence, the report, and a dated copy of full runs."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gate.aws.endpoints import check_endpoints, check_recorded_clients
from gate.causes import causes
from gate.errors import WrongUse
from gate.evidence.run_record import CONFIGURATION, TITLE, RunRecord, run_record_in
from gate.evidence.seal import APART, notes_seal, own_files, seal_folder
from gate.evidence.store import ENVELOPE, SEAL, STATEMENT, readable, write_whole
from gate.publish.promotion_record import settle
from gate.registry.permitted_calls import check_changes, check_zip_calls
from gate.report.html import mend
from gate.report.sarif import SARIF, Place, SourceFiles, sarif
from gate.report.validation_md import write as write_notes
from gate.run.environment import proxies_and_certificates
from gate.run.model import Results
from gate.verdict import Verdict

if TYPE_CHECKING:
    from gate.run.model import Run

REPORT, JUNIT, VERDICT = "report.html", "junit.xml", "verdict.json"
# What building says; a run that builds nothing leaves none.
LOGS = ("build.log", "base-build.log")
# What verdict.json says of the release, by its names in the public contract.
_STATED = ("digest", "tags", "size_bytes", "uncompressed_bytes", "image_id")
CALL_LOG = "every AWS call of the run"
ENDPOINTS = "where every AWS client of the run asked"


def begin(run: Run) -> None:
    """Clear what the last run of this kind left, and say on disk that this one has not ended.

    Whoever finds the folder after a crash must not read yesterday's GO in it.
    """
    try:
        # The verdict goes first: on a full disk yesterday's must not outlive today's beginning.
        for name in (VERDICT, REPORT, SARIF, JUNIT, SEAL, STATEMENT, ENVELOPE, *LOGS):
            (run.folder / name).unlink(missing_ok=True)
        if run.store.folder.exists():
            shutil.rmtree(run.store.folder)
        run.store.folder.mkdir(parents=True)
        _write_incomplete(run, "the run has not ended; if none is going on, it was cut short")
    except OSError as refused:
        raise WrongUse(f"the folder {run.folder} cannot be written: {refused.strerror}") from refused


def withdraw(run: Run, reason: str) -> None:
    """Take back whatever verdict is on the disk, because the run could not be concluded."""
    for folder in {run.folder, run.store.kept.parent}:
        for name in (VERDICT, SARIF, SEAL, STATEMENT, ENVELOPE):
            (folder / name).unlink(missing_ok=True)
    with suppress(OSError):  # a full disk: no verdict is no GO either
        _write_incomplete(run, reason)


def _write_incomplete(run: Run, reason: str) -> None:
    content = document(run_record_of(run), Verdict("INCOMPLETE", 1, (reason,), {}, ()))
    for folder in {run.folder, run.store.kept.parent}:
        write_verdict(folder, content)


def state_release(run: Run) -> dict[str, Any]:
    """Write what is known of the release into verdict.json, and read it back from the disk."""
    unfinished = Verdict("INCOMPLETE", 1, ("the run has not ended",), {}, ())
    write_verdict(run.folder, document(run_record_of(run), unfinished))
    written: dict[str, Any] = json.loads((run.folder / VERDICT).read_text(encoding="utf-8"))["release"]
    return written


def run_record_of(run: Run) -> RunRecord:
    """All that the verdict follows from."""
    facts = run.facts
    scanned = facts.scan_report.current_at if facts.scan_report else None
    return RunRecord(
        target=run.options.target,
        kind=run.kind,
        endpoint_is_aws=run.endpoint_is_aws,
        expected=run.expected,
        outcomes=tuple(run.outcomes),
        proofs=run.proofs,
        trouble=tuple(run.errors),
        release={name: getattr(facts, name) or None for name in _STATED},
        started=run.started.isoformat(timespec="seconds"),
        scan_completed_at=scanned.isoformat() if scanned else None,
        overridden=run.overridden,
        not_part=run.not_part,
        remarks=(*facts.warnings, *facts.remarks),
    )


def _note_endpoints(run: Run) -> None:
    """Record where each client asked, those made last as well, and what stands between this machine and them."""
    seen = [{"service": each.name, "region": each.region, "url": each.shown, "AWS's own": each.is_aws}
            for each in run.endpoint_recorder.endpoints]  # fmt: skip
    answer = {"endpoints": seen, "on the way": proxies_and_certificates(os.environ)}
    run.store.record(ENDPOINTS, answer, asked="botocore's events of each client", provenance=run.provenance)


def conclude(run: Run) -> Results:
    """Record everything that the verdict follows from, and decide from the record, as a later verification does."""
    _record_calls(run)
    if run.options.target == "aws":
        _note_endpoints(run)
    _record_configuration(run)
    run.errors += run.clock.objections()
    record = run.store.record(TITLE, run_record_of(run), asked="python -m gate.evidence", provenance=run.provenance)
    run_record = run_record_in(record.answer)
    verdict = run_record.verdict()
    settle(run, verdict)
    return Results(verdict, document(run_record, verdict))


def _record_calls(run: Run) -> None:
    """Record every AWS call, those after AC2 and AC4 were checked as well; all are checked once more."""
    calls, release = run.call_log.calls, run.release
    if not calls:
        return
    run.store.record(CALL_LOG, calls, asked="every AWS call of this run, through botocore's events",
                     provenance=run.provenance)  # fmt: skip
    result = check_changes(calls, release.repository)
    if release.zip_function:
        result += check_zip_calls(calls, release.zip_function)
    result += check_recorded_clients((call.service for call in calls), run.endpoint_recorder.endpoints)
    result += check_endpoints(run.endpoint_recorder.endpoints, run.publishes)
    run.errors += [str(rejection) for rejection in result.rejections]


def _record_configuration(run: Run) -> None:
    """Record what the run decided by; a run that was given no configuration has none to record."""
    if run.configuration is None:
        return
    versions = {**run.configuration.versions, "Docker engine": run.engine}
    run.store.record(CONFIGURATION, replace(run.configuration, versions=versions), provenance="real",
                     asked="pytest.ini, features/scenarios.lock, the command line, the environment, git")  # fmt: skip


def finish(run: Run, results: Results) -> None:
    """Write verdict.json over the evidence, then the notes, the seal over all files, and the statement over the seal.

    A dated copy of a full run is kept.
    """
    mend(run.folder / REPORT)
    index = run.store.seal()
    files = [{"file": f"evidence/{name}", "sha256": digest} for name, digest in index.items()]
    write_verdict(run.folder, {**results.document, "evidence": files})
    _write_sarif(run, results)
    notes = write_notes(run)
    sealed = notes_seal(run.folder, notes.path, notes.key, notes.section())
    seal_folder(run.folder, run.scans, sealed, datetime.now(UTC))
    # The libraries that state and sign take half a second to import: not while tests are collected.
    from gate.evidence.statement import attest

    stated = attest(run.folder, run.release.repository_uri, run.key)
    if run.key:
        run.terminal.progress(stated)
    if run.store.kept != run.store.folder:
        keep(run)


def sources(run: Run) -> SourceFiles:
    """The files of the repository, among them each scenario's."""
    scenarios = {name: Place(f"features/{each.feature}", each.line)
              for each in run.scenarios for name in each.titles.values()}  # fmt: skip
    return SourceFiles(run.root, run.options.image_context, run.reports, scenarios)


def _write_sarif(run: Run, results: Results) -> None:
    told = causes(run.outcomes)
    beside = results.document["beside" if told else "reasons"]
    log = sarif(told, sources(run), results.verdict.word, beside)
    write_whole(run.folder / SARIF, readable(log))


def document(run_record: RunRecord, verdict: Verdict) -> dict[str, Any]:
    """verdict.json: what a release pipeline reads."""
    finished = datetime.now(UTC).isoformat(timespec="seconds")
    return {**run_record.stated(verdict), "finished": finished, "evidence": []}


def write_verdict(folder: Path, content: dict[str, Any]) -> None:
    """Write verdict.json, whole or not at all."""
    write_whole(folder / VERDICT, readable(content))


def keep(run: Run) -> None:
    """Complete the dated copy of a run."""
    target = run.store.kept.parent
    for name in (*own_files(run.folder, APART), SEAL, STATEMENT, ENVELOPE):
        # What is no plain file is not sealed either.
        if (run.folder / name).is_file() and not (run.folder / name).is_symlink():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(run.folder / name, target / name)
