"""Asking ECR for a new scan, and what its refusals mean."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from botocore.exceptions import ClientError

from gate.aws.patience import Caller
from gate.aws.refusals import error_code, error_message, readable
from gate.errors import AwsRefused, ScanUnavailable
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
    """

    accepted: bool
    refusal: str = ""
    earlier_end: datetime | None = None
    earlier_status: str = ""


@readable("StartImageScan")
def start_scan(caller: Caller, repository: str, digest: str) -> Start | None:
    """Ask for a scan of a digest; None when ECR does not know the image yet.

    Raises:
        ScanUnavailable: this image can never be scanned.
        AwsRefused: the call is refused for another reason than ECR's limit or enhanced scanning.
    """
    try:
        end, status = _before(caller, repository, digest)
        caller.ask(
            "start_image_scan",
            needs="imageScanStatus",
            expect=_REFUSALS,
            repositoryName=repository,
            imageId={"imageDigest": digest},
        )
    except ClientError as error:
        return _refusal(error, digest)
    return Start(True, earlier_end=end, earlier_status=status)


def _before(caller: Caller, repository: str, digest: str) -> tuple[datetime | None, str]:
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
