"""The scans of the release, the register that they are held against, and the nights before."""

from __future__ import annotations

from gate.registry.desk import ReleaseDesk
from gate.run.plugin import Run
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


def register(run: Run) -> Register:
    """The register of exceptions, beside the Dockerfile."""
    return load(run.options.image_context / REGISTER)


def scan_history(run: Run) -> tuple[ScanRecord, ...]:
    """Every recorded scan of this target, oldest first."""
    return tuple(each for each in read_all(run.scans) if each.target == run.place)


def last_night(run: Run, history: tuple[ScanRecord, ...]) -> ScanRecord | None:
    """The last recorded scan from before this run began, of its digest if there is one, or --previous; else None."""
    if run.options.previous:
        return read(run.options.previous)
    return last_before(history, run.started, run.store.digest)


def record_scan(run: Run, event: str) -> None:
    """Add the scan of what is published to the recorded ones."""
    report = run.facts.get("scan_report")
    if report is not None:
        tags = (run.release.release_tag, run.release.rolling_tag)
        keep(record_of(report, register(run), event=event, tags=tags, target=run.place), run.scans)
