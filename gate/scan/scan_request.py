"""Asking ECR for a new scan, what its refusals mean, and whether an answer is the result of the scan asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from botocore.exceptions import ClientError

from gate.aws.calls import readable
from gate.aws.errors import error_code, error_message
from gate.aws.retry import RetryingClient
from gate.errors import AwsRefused, ScanUnavailable
from gate.scan.pages import scan_page
from gate.scan.report import SKEW, ScanReport
from gate.scan.statuses import Mode, Outcome, meaning_of
from gate.text import format_time

_REFUSALS = (
    "LimitExceededException",
    "ValidationException",
    "UnsupportedImageTypeException",
    "ImageArchivedException",
    "ImageNotFoundException",
)
# Seconds for which a pushed image or its scan may stay unknown (about a minute, say public issue threads).
SETTLE = 90.0
# Seconds for which ECR may still answer with the scan before the one that was just started.
_LAG = 15.0
_UNSCANNABLE = {"UnsupportedImageTypeException": "UNSUPPORTED_IMAGE", "ImageArchivedException": "IMAGE_ARCHIVED"}


@dataclass(frozen=True)
class ScanRequest:
    """What became of the request for a new scan.

    Attributes:
        accepted: a new scan was started.
        refusal: why not, in a few words ("" when accepted).
        earlier_end: when the scan that was there before ended; a new scan's result ends at another time.
        earlier_status: the status that was there before ("" when there was no scan).
        began: when the new scan was asked for, by the earlier of the two clocks (None when not accepted or unknown).
    """

    accepted: bool
    refusal: str = ""
    earlier_end: datetime | None = None
    earlier_status: str = ""
    began: datetime | None = None

    def precedes(self, completed: datetime | None) -> bool:
        """Whether a result of this moment can be that of the scan that was asked for: it ends after it began."""
        if completed is None or (self.earlier_end is not None and completed <= self.earlier_end):
            return False
        return self.began is None or completed >= self.began - SKEW


@readable("StartImageScan")
def request_scan(
    caller: RetryingClient, repository: str, digest: str, now: datetime | None = None
) -> ScanRequest | None:
    """Ask for a scan of a digest, at this moment by this machine's clock; None when ECR does not know the image yet.

    Raises:
        ScanUnavailable: this image can never be scanned.
        AwsRefused: the call is refused for another reason than ECR's limit or enhanced scanning.
    """
    try:
        end, status = _before(caller, repository, digest)
        answer = caller.ask(
            "start_image_scan",
            needs="imageScanStatus",
            expect=_REFUSALS,
            repositoryName=repository,
            imageId={"imageDigest": digest},
        )
    except ClientError as error:
        return _refusal(error, digest)
    return ScanRequest(True, earlier_end=end, earlier_status=status, began=_earlier(now, answer))


def _earlier(now: datetime | None, answer: Mapping[str, Any]) -> datetime | None:
    """The earlier of this machine's clock and the service's, so that a wrong one makes no new scan look old."""
    headers = (answer.get("ResponseMetadata") or {}).get("HTTPHeaders") or {}
    try:
        service = parsedate_to_datetime(str(headers.get("date")))
    except ValueError:
        return now
    # RFC 9110, "Date/Time Formats": always in UTC, also where it is written without saying so.
    service = service if service.tzinfo else service.replace(tzinfo=UTC)
    return min(now, service) if now else service


def _before(caller: RetryingClient, repository: str, digest: str) -> tuple[datetime | None, str]:
    try:
        page = scan_page(caller, repository, digest, maxResults=1)
    except ClientError:
        return None, ""
    end = (page.get("imageScanFindings") or {}).get("imageScanCompletedAt")
    return end, str((page.get("imageScanStatus") or {}).get("status") or "")


def _refusal(error: ClientError, digest: str) -> ScanRequest | None:
    code = error_code(error)
    if code == "ImageNotFoundException":
        return None
    if code in _UNSCANNABLE:
        meaning = meaning_of(_UNSCANNABLE[code])
        raise ScanUnavailable(
            f"ECR cannot scan {digest}: {meaning.sentence}", where=error_message(error), remedy=meaning.remedy
        ) from error
    if code == "LimitExceededException":
        return ScanRequest(False, "ECR scans an image once in 24 hours")
    # Under enhanced scanning a manual scan is refused so: "This feature is disabled".
    if "disabled" in error_message(error).lower():
        return ScanRequest(False, "Inspector scans by itself")
    raise AwsRefused(f"StartImageScan was refused: {code}: {error_message(error)}", where=digest) from error


def has_ended(answer: ScanReport, request: ScanRequest, earlier: ScanReport | None, waited: float) -> bool:
    """Whether the scan that was asked for has a settled result.

    A result has a time of completion. Without one, COMPLETE and ACTIVE say only that Inspector has taken the image in:
    the findings come later, however often the answer stays the same (aws-sdk issue 289).

    Raises:
        ScanUnavailable: its status says that there will be none.
    """
    if answer.outcome is Outcome.WAIT:
        return False
    # Right after a scan was started ECR may still answer with what was there before.
    same_end = answer.completed_at == request.earlier_end
    if request.accepted and request.earlier_status == answer.status and waited < _LAG and same_end:
        return False
    if answer.outcome is Outcome.NO_RESULT:
        meaning = meaning_of(answer.status)
        words = f" ECR says: {answer.description}" if answer.description else ""
        raise ScanUnavailable(
            f"The scan has no result: its status is {answer.status or 'missing'}, {meaning.sentence}.{words}",
            where=answer.digest,
            remedy=meaning.remedy,
        )
    if answer.completed_at is None or _is_stale(answer, request):
        return False
    if not answer.whole and waited < SETTLE:
        return False  # counts and list do not come together; a difference that stays is for the check `counts_match`
    return answer.mode is Mode.BASIC or (earlier is not None and answer.has_result_of(earlier))


def _is_stale(answer: ScanReport, request: ScanRequest) -> bool:
    """Whether it is the result of another scan than the one that was asked for; Inspector is asked for none."""
    return request.accepted and answer.mode is Mode.BASIC and not request.precedes(answer.completed_at)


def late(digest: str, answer: ScanReport | None, waited: float, request: ScanRequest | None = None) -> ScanUnavailable:
    """The error for a scan that did not end in time: what was seen last, and the way out."""
    if answer is None or answer.outcome is not Outcome.RESULT:
        state = answer.summary if answer else "no scan is known"
        return ScanUnavailable(
            f"The scan of {digest} did not end within {waited:.0f} s: {state}",
            where="DescribeImageScanFindings",
            remedy="run again, with a longer --scan-timeout if the scanner is slow; see that scanning is on",
        )
    return ScanUnavailable(
        f"The scan of {digest} ended without a result within {waited:.0f} s: {_missing(answer, request)}. "
        f"Seen last: {answer.summary}",
        where="DescribeImageScanFindings",
        remedy=_WAYS[answer.mode],
    )


_WAYS = {
    Mode.BASIC: "start the scan again (aws ecr start-image-scan), then run again, with a longer --scan-timeout if the "
    "scanner is slow",
    Mode.ENHANCED: "see in Inspector's coverage (aws inspector2 list-coverage) whether the image has been scanned, "
    "then run again, with a longer --scan-timeout if Inspector is slow",
}


def _missing(answer: ScanReport, request: ScanRequest | None) -> str:
    if answer.completed_at is None:
        return "it has no time of completion, so its findings may still be to come"
    if request and _is_stale(answer, request):
        return f"ECR answers with an earlier scan, and the one that was asked for began at {format_time(request.began)}"
    if not answer.whole:
        return "it counts other findings than it lists"
    return "its findings still changed from one answer to the next"
