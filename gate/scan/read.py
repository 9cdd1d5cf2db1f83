"""The reader of ECR scans: a tag is resolved to its digest, a scan is asked for, waited for and read whole."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from botocore.exceptions import ClientError

from gate.aws.patience import Caller, Timekeeper
from gate.errors import GateError, ScanUnavailable
from gate.scan.findings import Coverage, ScanReport
from gate.scan.inspector import read_coverage
from gate.scan.moments import when
from gate.scan.pages import Reading, read_pages
from gate.scan.reasons import reason_of
from gate.scan.settings import ScanSettings, read_settings
from gate.scan.start import Start, start_scan
from gate.scan.statuses import Mode
from gate.scan.waiting import SETTLE, has_ended, late

TIMEOUT = 900.0
FRESH = timedelta(hours=24)
_INTERVAL = 5.0


def silent(_: str) -> None:
    """Tell nobody."""


class Scanner:
    """Reads the scans of one repository. What it has read once in a run it does not ask again in that run.

    Args:
        ecr: a boto3 ECR client.
        inspector: a boto3 Inspector2 client; asked only under enhanced scanning.
        repository: the repository's name.
        timeout: seconds to wait for a scan to end (`--scan-timeout`).
        time: the clock and the sleep.
        progress: is told each wait in a few words.
    """

    def __init__(
        self,
        ecr: Any,
        inspector: Any,
        repository: str,
        *,
        timeout: float = TIMEOUT,
        time: Timekeeper | None = None,
        progress: Callable[[str], None] = silent,
    ) -> None:
        self.repository = repository
        self.timeout = timeout
        self._time = time or Timekeeper()
        self._progress = progress
        self._ecr = Caller(ecr, self._time, progress)
        self._inspector = Caller(inspector, self._time, progress)
        self._settings: ScanSettings | None = None
        self._starts: dict[str, Start] = {}
        self._reports: dict[tuple[str, str], ScanReport | GateError] = {}

    def settings(self) -> ScanSettings:
        """The scanning configuration (asked once in a run)."""
        self._settings = self._settings or read_settings(self._ecr, self.repository)
        return self._settings

    def resolve(self, tag: str) -> str:
        """The digest that a tag names now.

        Raises:
            ScanUnavailable: no image has the tag, also not after a while.
        """

        def details() -> list[dict[str, Any]] | None:
            try:
                answer = self._ecr.ask(
                    "describe_images",
                    needs="imageDetails",
                    expect=("ImageNotFoundException",),
                    repositoryName=self.repository,
                    imageIds=[{"imageTag": tag}],
                )
            except ClientError:
                return None
            return answer.get("imageDetails") or None

        images = self._settle(details, f"No image in {self.repository} has the tag {tag}")
        return str(images[0].get("imageDigest") or "")

    def scan(self, tag: str) -> ScanReport:
        """The finished scan of the image that the tag names now.

        Raises:
            ScanUnavailable: there is none; the sentence says why.
            AwsRefused: ECR or Inspector refused a call.
        """
        return self._once(("", tag), lambda: self.scan_digest(self.resolve(tag), tag))

    def scan_digest(self, digest: str, tag: str = "") -> ScanReport:
        """The finished scan of a digest; see `scan`."""
        return self._once((digest, tag), lambda: self._scan(digest, tag))

    def _once(self, key: tuple[str, str], work: Callable[[], ScanReport]) -> ScanReport:
        # A refusal is remembered too: nine scenarios must not wait nine times for the same time-out.
        if key not in self._reports:
            try:
                self._reports[key] = work()
            except GateError as error:
                self._reports[key] = error
        known = self._reports[key]
        if isinstance(known, GateError):
            raise known
        return known

    def _scan(self, digest: str, tag: str) -> ScanReport:
        settings = self.settings()
        if digest not in self._starts:
            absent = f"ECR does not know the image {digest} in {self.repository}"
            self._starts[digest] = self._settle(lambda: self._start(digest), absent)
        start = self._starts[digest]
        reading, inspector = self._await(digest, start, settings.mode)
        report = ScanReport(
            digest=reading.digest,
            tag=tag,
            mode=reading.mode,
            status=reading.status,
            completed_at=reading.completed_at,
            vulnerability_source_updated_at=reading.source_updated_at,
            findings=reading.findings,
            counts=reading.counts,
            pages=reading.pages,
            read_at=self._time.now(),
            provenance=_provenance(start, reading),
            frequency=settings.frequency,
            inspector=inspector,
        )
        return self._recent(report, start)

    def _recent(self, report: ScanReport, start: Start) -> ScanReport:
        """Let only a new, a continuous or a recent result pass."""
        age = report.read_at - report.completed_at if report.completed_at else FRESH
        basic = report.mode is Mode.BASIC
        # Whether Inspector does watch what it is configured to watch is for the checks to say, with its reason.
        watched = not basic and report.frequency == "CONTINUOUS_SCAN"
        if (start.accepted and basic) or watched or age < FRESH:
            return report
        raise ScanUnavailable(
            f"The image was not scanned again ({start.refusal}), and the existing result is not under 24 hours old: "
            f"it is of {when(report.completed_at)}",
            where=report.digest,
            remedy="run again when ECR allows a new scan" if basic else "set the frequency CONTINUOUS_SCAN",
        )

    def _start(self, digest: str) -> Start | None:
        return start_scan(self._ecr, self.repository, digest, self._time.now())

    def _await(self, digest: str, start: Start, configured: Mode) -> tuple[Reading, Coverage | None]:
        """The settled reading, and under enhanced scanning Inspector's coverage of the image."""
        began = self._time.monotonic()
        earlier: Reading | None = None
        while True:
            reading = self._read(digest, configured)
            waited = self._time.monotonic() - began
            if reading is not None and has_ended(reading, start, earlier, waited):
                covered = self._covered(digest) if reading.mode is Mode.ENHANCED else None
                if covered is None or not reason_of(covered.reason).passing or waited >= self.timeout:
                    return reading, covered
            if waited >= self.timeout or (reading is None and waited >= SETTLE):
                raise late(digest, reading, waited, start)
            earlier = reading
            state = reading.status if reading else "no scan yet"
            self._progress(f"scan of {digest[:19]}: {state}, {waited:.0f} of at most {self.timeout:.0f} s")
            quick = waited < _INTERVAL and configured is Mode.BASIC
            self._time.sleep(1.0 if quick else _INTERVAL)

    def _covered(self, digest: str) -> Coverage:
        return read_coverage(self._inspector, self.repository, digest)

    def _read(self, digest: str, configured: Mode) -> Reading | None:
        try:
            return read_pages(self._ecr, self.repository, digest, configured)
        except ClientError:  # ScanNotFound, ImageNotFound: every other code is a GateError by now
            return None

    def _settle(self, look: Callable[[], Any], absent: str) -> Any:
        """Wait a bounded time for something just pushed to be known."""
        began = self._time.monotonic()
        while (found := look()) is None:
            if self._time.monotonic() - began >= min(SETTLE, self.timeout):
                raise ScanUnavailable(
                    absent, where=f"waited {SETTLE:.0f} s", remedy="publish the release first, or correct the tag"
                )
            self._progress(f"{absent} yet; looking again in {_INTERVAL:.0f} s")
            self._time.sleep(_INTERVAL)
        return found


def _provenance(start: Start, reading: Reading) -> str:
    if reading.mode is Mode.ENHANCED:
        return f"continuous result of {when(reading.completed_at)}"
    if start.accepted:
        return "rescanned"
    return f"not rescanned, result of {when(reading.completed_at)} ({start.refusal})"
