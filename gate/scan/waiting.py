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

    Raises:
        ScanUnavailable: its status says that there will be none.
    """
    if reading.outcome is Outcome.WAIT:
        return False
    # Right after a scan was started ECR may still answer with what was there before.
    if start.accepted and start.earlier_status == reading.status and waited < _LAG and _stale(reading, start):
        return False
    if reading.outcome is Outcome.NO_RESULT:
        meaning = meaning_of(reading.status)
        told = f" ECR says: {reading.description}" if reading.description else ""
        raise ScanUnavailable(
            f"The scan has no result: its status is {reading.status or 'missing'}, {meaning.sentence}.{told}",
            where=reading.digest,
            remedy=meaning.remedy,
        )
    if start.accepted and _stale(reading, start) and reading.mode is Mode.BASIC:
        return False
    # An enhanced scan can be COMPLETE before its findings are there: two equal readings are asked for.
    return reading.mode is Mode.BASIC or reading.equals(earlier)


def _stale(reading: Reading, start: Start) -> bool:
    return reading.completed_at == start.earlier_end


def late(digest: str, reading: Reading | None, waited: float) -> ScanUnavailable:
    """The error for a scan that did not end in time."""
    state = f"status {reading.status}, completed at {when(reading.completed_at)}" if reading else "no scan is known"
    return ScanUnavailable(
        f"The scan of {digest} did not end within {waited:.0f} s: {state}",
        where="DescribeImageScanFindings",
        remedy="run again, with a longer --scan-timeout if the scanner is slow; see that scanning is on",
    )
