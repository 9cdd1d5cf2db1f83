"""Asking ECR for a new scan, and what its refusals mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from botocore.exceptions import ClientError

from gate.aws.errors import error_code, error_message, readable
from gate.aws.retry import RetryingClient
from gate.errors import AwsRefused, ScanUnavailable
from gate.scan.findings import SKEW
from gate.scan.statuses import meaning_of

_REFUSALS = (
    "LimitExceededException",
    "ValidationException",
    "UnsupportedImageTypeException",
    "ImageArchivedException",
    "ImageNotFoundException",
)
_UNSCANNABLE = {"UnsupportedImageTypeException": "UNSUPPORTED_IMAGE", "ImageArchivedException": "IMAGE_ARCHIVED"}


@dataclass(frozen=True)
class Start:
    """What became of the request for a new scan.

    Attributes:
        accepted: a new scan was started.
        refusal: why not, in a few words ("" when accepted).
        earlier_end: when the scan that was there before ended; a new scan's result ends at another time.
        earlier_status: the status that was there before ("" when there was no scan).
        began: when the new scan was asked for, by the earlier of the two clocks (None when not accepted or not told).
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
def start_scan(caller: RetryingClient, repository: str, digest: str, now: datetime | None = None) -> Start | None:
    """Ask for a scan of a digest; None when ECR does not know the image yet.

    Args:
        caller: of ECR.
        repository: the repository's name.
        digest: of the image.
        now: the moment by this machine's clock, if it is to be counted.

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
    return Start(True, earlier_end=end, earlier_status=status, began=_earlier(now, answer))


def _earlier(now: datetime | None, answer: Mapping[str, Any]) -> datetime | None:
    """The earlier of this machine's clock and the service's: neither, if wrong, makes a true rescan look old."""
    headers = (answer.get("ResponseMetadata") or {}).get("HTTPHeaders") or {}
    try:
        told = parsedate_to_datetime(str(headers.get("date")))
    except ValueError:
        return now
    # RFC 9110, "Date/Time Formats": always in UTC, also where it is written without saying so.
    told = told if told.tzinfo else told.replace(tzinfo=UTC)
    return min(now, told) if now else told


def _before(caller: RetryingClient, repository: str, digest: str) -> tuple[datetime | None, str]:
    try:
        page = caller.ask(
            "describe_image_scan_findings",
            needs="imageScanStatus",
            expect=("ScanNotFoundException", "ImageNotFoundException"),
            repositoryName=repository,
            imageId={"imageDigest": digest},
            maxResults=1,
        )
    except ClientError:
        return None, ""
    end = (page.get("imageScanFindings") or {}).get("imageScanCompletedAt")
    return end, str((page.get("imageScanStatus") or {}).get("status") or "")


def _refusal(error: ClientError, digest: str) -> Start | None:
    code = error_code(error)
    if code == "ImageNotFoundException":
        return None
    if code in _UNSCANNABLE:
        meaning = meaning_of(_UNSCANNABLE[code])
        raise ScanUnavailable(
            f"ECR cannot scan {digest}: {meaning.sentence}", where=error_message(error), remedy=meaning.remedy
        ) from error
    if code == "LimitExceededException":
        return Start(False, "ECR scans an image once in 24 hours")
    # Under enhanced scanning a manual scan is refused so: "This feature is disabled".
    if "disabled" in error_message(error).lower():
        return Start(False, "Inspector scans by itself")
    raise AwsRefused(f"StartImageScan was refused: {code}: {error_message(error)}", where=digest) from error
