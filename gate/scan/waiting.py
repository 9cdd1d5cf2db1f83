"""Whether a scan that is waited for has ended, and what to say when it does not. Pure."""

from __future__ import annotations

from gate.errors import ScanUnavailable
from gate.scan.moments import when
from gate.scan.pages import Reading
from gate.scan.start import Start
from gate.scan.statuses import Mode, Outcome, meaning_of

# Seconds for which a pushed image or its scan may stay unknown (about a minute, say public issue threads).
SETTLE = 90.0
# Seconds for which ECR may still answer with the scan before the one that was just started.
_LAG = 15.0


def has_ended(reading: Reading, start: Start, earlier: Reading | None, waited: float) -> bool:
    """Whether the scan that was asked for has a settled result.

    A result has a time of completion. Without one, COMPLETE and ACTIVE say only that Inspector has taken the image in:
    the findings come later, however often the answer stays the same (aws-sdk issue 289).

    Raises:
        ScanUnavailable: its status says that there will be none.
    """
    if reading.outcome is Outcome.WAIT:
        return False
    # Right after a scan was started ECR may still answer with what was there before.
    if start.accepted and start.earlier_status == reading.status and waited < _LAG and _earlier_one(reading, start):
        return False
    if reading.outcome is Outcome.NO_RESULT:
        meaning = meaning_of(reading.status)
        told = f" ECR says: {reading.description}" if reading.description else ""
        raise ScanUnavailable(
            f"The scan has no result: its status is {reading.status or 'missing'}, {meaning.sentence}.{told}",
            where=reading.digest,
            remedy=meaning.remedy,
        )
    if reading.completed_at is None or _is_stale(reading, start):
        return False
    if not reading.whole and waited < SETTLE:
        return False  # counts and list come one after the other; what stays so is for the check of the counts
    return reading.mode is Mode.BASIC or reading.equals(earlier)


def _earlier_one(reading: Reading, start: Start) -> bool:
    return reading.completed_at == start.earlier_end


def _is_stale(reading: Reading, start: Start) -> bool:
    """Whether it is the result of another scan than the one that was asked for; Inspector is asked for none."""
    return start.accepted and reading.mode is Mode.BASIC and not start.precedes(reading.completed_at)


def late(digest: str, reading: Reading | None, waited: float, start: Start | None = None) -> ScanUnavailable:
    """The error for a scan that did not end in time: what was seen last, and the way out."""
    if reading is None or reading.outcome is not Outcome.RESULT:
        state = reading.seen if reading else "no scan is known"
        return ScanUnavailable(
            f"The scan of {digest} did not end within {waited:.0f} s: {state}",
            where="DescribeImageScanFindings",
            remedy="run again, with a longer --scan-timeout if the scanner is slow; see that scanning is on",
        )
    return ScanUnavailable(
        f"The scan of {digest} ended without a result within {waited:.0f} s: {_missing(reading, start)}. "
        f"Seen last: {reading.seen}",
        where="DescribeImageScanFindings",
        remedy=_WAYS[reading.mode],
    )


_WAYS = {
    Mode.BASIC: "start the scan again (aws ecr start-image-scan), then run again, with a longer --scan-timeout if the "
    "scanner is slow",
    Mode.ENHANCED: "see in Inspector's coverage (aws inspector2 list-coverage) whether the image has been scanned, "
    "then run again, with a longer --scan-timeout if Inspector is slow",
}


def _missing(reading: Reading, start: Start | None) -> str:
    if reading.completed_at is None:
        return "it tells no time of completion, so nothing says that its findings are there"
    if start and _is_stale(reading, start):
        return f"ECR answers with an earlier scan, and the one that was asked for began at {when(start.began)}"
    if not reading.whole:
        return "it counts other findings than it lists"
    return "its findings still changed from one look to the next"
