"""The reader of ECR scans: a tag is resolved to its digest, a scan is asked for, waited for and read whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError

from gate.aws.retry import RetryingClient, TimeSource
from gate.errors import GateError, ScanUnavailable
from gate.scan.inspector import read_coverage, with_exploits
from gate.scan.pages import read_pages
from gate.scan.report import FRESH, InspectorCoverage, ScanReport
from gate.scan.scan_request import SETTLE, ScanRequest, has_ended, late, request_scan
from gate.scan.settings import ScanSettings, read_settings
from gate.scan.statuses import Mode, reason_of
from gate.text import format_time

TIMEOUT = 900.0
_INTERVAL = 5.0


class ScanReader:
    """Reads the scans of one repository. What it has read once in a run it does not ask again in that run.

    Args:
        inspector: asked only under enhanced scanning.
        account: the registry's; Inspector's delegated administrator is told of the same digest in other accounts too.
        timeout: seconds to wait for a scan to end (`--scan-timeout`).
        time: the clock and the sleep.
        progress: is given each wait in a few words.
    """

    def __init__(
        self,
        ecr: Any,
        inspector: Any,
        repository: str,
        *,
        account: str = "",
        timeout: float = TIMEOUT,
        time: TimeSource | None = None,
        progress: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.repository, self.account = repository, account
        self.timeout = timeout
        self._time = time or TimeSource()
        self._progress = progress
        self._ecr = RetryingClient(ecr, self._time, progress)
        self._inspector = RetryingClient(inspector, self._time, progress)
        self._settings: ScanSettings | None = None
        self._requests: dict[str, ScanRequest] = {}
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
        return self._cached(("", tag), lambda: self.scan_digest(self.resolve(tag), tag))

    def scan_digest(self, digest: str, tag: str = "") -> ScanReport:
        """The finished scan of a digest; see `scan`."""
        return self._cached((digest, tag), lambda: self._scan(digest, tag))

    def _cached(self, key: tuple[str, str], work: Callable[[], ScanReport]) -> ScanReport:
        # An error is kept too: nine scenarios must not wait nine times for the same time-out.
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
        if digest not in self._requests:
            absent = f"ECR does not know the image {digest} in {self.repository}"
            self._requests[digest] = self._settle(
                lambda: request_scan(self._ecr, self.repository, digest, self._time.now()), absent
            )
        request = self._requests[digest]
        answer, inspector = self._wait(digest, request, settings.mode)
        provenance = _provenance(request, answer)
        report = replace(answer, tag=tag, provenance=provenance, frequency=settings.frequency, inspector=inspector)
        _refuse_old(report, request)
        return with_exploits(self._inspector, self.repository, report) if report.mode is Mode.ENHANCED else report

    def _wait(self, digest: str, request: ScanRequest, configured: Mode) -> tuple[ScanReport, InspectorCoverage | None]:
        """The settled answer, and under enhanced scanning Inspector's coverage of the image."""
        began = self._time.monotonic()
        earlier: ScanReport | None = None
        while True:
            answer = self._read(digest, configured)
            waited = self._time.monotonic() - began
            if answer is not None and has_ended(answer, request, earlier, waited):
                enhanced = answer.mode is Mode.ENHANCED
                covered = read_coverage(self._inspector, self.repository, digest, self.account) if enhanced else None
                if covered is None or not reason_of(covered.reason).passing or waited >= self.timeout:
                    return answer, covered
            if waited >= self.timeout or (answer is None and waited >= SETTLE):
                raise late(digest, answer, waited, request)
            earlier = answer
            state = answer.status if answer else "no scan yet"
            self._progress(f"scan of {digest[:19]}: {state}, {waited:.0f} of at most {self.timeout:.0f} s")
            quick = waited < _INTERVAL and configured is Mode.BASIC
            self._time.sleep(1.0 if quick else _INTERVAL)

    def _read(self, digest: str, configured: Mode) -> ScanReport | None:
        try:
            return read_pages(self._ecr, self.repository, digest, configured, self._time.now())
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


def _refuse_old(report: ScanReport, request: ScanRequest) -> None:
    """Refuse a result that is neither of a new scan, nor kept current by Inspector, nor recent."""
    age = report.read_at - report.completed_at if report.completed_at else FRESH
    basic = report.mode is Mode.BASIC
    # Whether Inspector does keep current what it is configured to is for the checks to say, with its reason.
    continuous = not basic and report.frequency == "CONTINUOUS_SCAN"
    if not (request.accepted and basic) and not continuous and age >= FRESH:
        raise ScanUnavailable(
            f"The image was not scanned again ({request.refusal}), and the existing result is not under 24 hours old: "
            f"it is of {format_time(report.completed_at)}",
            where=report.digest,
            remedy="run again when ECR allows a new scan" if basic else "set the frequency CONTINUOUS_SCAN",
        )


def _provenance(request: ScanRequest, answer: ScanReport) -> str:
    if answer.mode is Mode.ENHANCED:
        return f"continuous result of {format_time(answer.completed_at)}"
    if request.accepted:
        return "rescanned"
    return f"not rescanned, result of {format_time(answer.completed_at)} ({request.refusal})"
