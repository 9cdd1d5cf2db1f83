"""What CloudTrail and CloudWatch recorded of the zip function around and since its baseline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from gate.legacy.snapshot import FunctionSnapshot
from gate.legacy.traffic import Traffic, read_traffic
from gate.legacy.trail import TrailEvent, read_trail

_MARGIN = timedelta(minutes=5)  # the baseline's own reading must fall into the window
_BEFORE = timedelta(hours=24)  # the window with which the time since is compared


@dataclass(frozen=True)
class ZipHistory:
    """CloudTrail's and CloudWatch's records of the zip function.

    Attributes:
        cloudtrail: boto3's client.
        cloudwatch: boto3's client.
        now: the time of day, in UTC.
    """

    cloudtrail: Any
    cloudwatch: Any
    now: Callable[[], datetime]

    def trail(self, baseline: FunctionSnapshot) -> tuple[TrailEvent, ...]:
        """The management events about the function and its rules since just before the baseline."""
        return read_trail(self.cloudtrail, baseline, _taken(baseline) - _MARGIN, self.now())

    def traffic(self, baseline: FunctionSnapshot) -> tuple[Traffic, Traffic]:
        """Invocations and errors in the day before the baseline, and since."""
        taken = _taken(baseline)
        before = read_traffic(self.cloudwatch, baseline.name, taken - _BEFORE, taken)
        return before, read_traffic(self.cloudwatch, baseline.name, taken, self.now())


def _taken(baseline: FunctionSnapshot) -> datetime:
    return datetime.fromisoformat(baseline.taken_at)
