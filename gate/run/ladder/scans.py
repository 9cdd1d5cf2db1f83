"""The scans of the release, the register that they are held against, and the nights before."""

from __future__ import annotations

from gate.registry.desk import ReleaseDesk
from gate.registry.publication import Publication
from gate.run.model import Run
from gate.scan.findings import ScanReport
from gate.scan.nights import last_before
from gate.scan.read import Scanner
from gate.scan.records import ScanRecord, keep, read, read_all, record_of
from gate.scan.register.entries import Register
from gate.scan.register.reading import load

REGISTER = "exceptions.yaml"


def scanner(run: Run, found: ReleaseDesk) -> Scanner:
    """Reads the scans of the repository."""
    return Scanner(
        found.client("ecr"),
        found.client("inspector2"),
        run.release.repository,
        timeout=run.options.scan_timeout,
        progress=run.terminal.progress,
    )


def scan_of(run: Run, found: ReleaseDesk, reader: Scanner, release: Publication) -> ScanReport:
    """The finished scan of the judged digest; asking for it is one of the steps of a run that releases."""
    if not run.publishes:
        run.facts.scan_report = reader.scan_digest(release.digest)
        return run.facts.scan_report
    with found.diary.step(found.typed.start_scan(release.digest)) as tell:
        run.facts.scan_report = report = reader.scan_digest(release.digest)
        tell(f"done: {report.status}, {len(report.open)} findings")
    return report


def register(run: Run) -> Register:
    """The register of exceptions, beside the Dockerfile."""
    run.facts.register = load(run.options.image_context / REGISTER)
    return run.facts.register


def scan_history(run: Run) -> tuple[ScanRecord, ...]:
    """Every recorded scan of this target, oldest first."""
    return tuple(each for each in read_all(run.scans) if each.target == run.place)


def last_night(run: Run, history: tuple[ScanRecord, ...]) -> ScanRecord | None:
    """The last recorded scan from before this run began, of its digest if there is one, or --previous; else None."""
    if run.options.previous:
        return read(run.options.previous)
    return last_before(history, run.started, run.store.digest)


def record_scan(run: Run) -> None:
    """Add the scan of the judged digest to the recorded ones, once all is known about it."""
    report = run.facts.scan_report
    if report is not None:
        event, tags = event_of(run), tags_of(run)
        keep(record_of(report, register(run), event=event, tags=tags, target=run.place), run.scans)


def event_of(run: Run) -> str:
    """The event of this run's scan: rescanned, released, withdrawn; candidate if no more is known than that."""
    if run.kind == "rescan":
        return "rescanned"
    if run.facts.publication:
        return "released"
    refused = any(outcome.status == "failed" and outcome.criterion in {7, 9} for outcome in run.outcomes)
    return "withdrawn" if refused else "candidate"


def tags_of(run: Run) -> tuple[str, ...]:
    """The tags that name the scanned digest by what this run knows."""
    release = run.release
    return (release.release_tag, release.rolling_tag) if run.facts.publication else (release.candidate_tag,)
