"""Whether production went on: the zip function's invocations and errors before and since, from CloudWatch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from gate.aws.calls import pages
from gate.check import ACCEPTED, CheckResult, check, reject
from gate.legacy.snapshot import FunctionSnapshot

_BEFORE = timedelta(hours=24)  # the window with which the time since the baseline is compared
_PERIOD = 60  # seconds, the finest that Lambda's metrics have
# Below this probability, errors are not explained by chance.
_CHANCE = 0.01


@dataclass(frozen=True)
class Traffic:
    """Invocations and errors of a function in one window of time."""

    seconds: float
    invocations: float
    errors: float

    @property
    def error_rate(self) -> float:
        """Errors per invocation, 0 when there was no invocation."""
        return self.errors / self.invocations if self.invocations else 0.0

    def chance_of(self, other: Traffic) -> float:
        """How probable as many errors as the other's, or more, are at this error rate.

        Each invocation fails or not, independently of the others (binomial distribution).
        """
        count, errors, rate = round(other.invocations), round(other.errors), min(self.error_rate, 1.0)
        if errors <= 0 or rate == 1:
            return 1.0
        if rate == 0 or errors > count:
            return 0.0
        fewer = (_weight(count, number, rate) for number in range(errors))
        return max(1 - math.fsum(fewer), 0.0)


def _weight(count: int, number: int, rate: float) -> float:
    """The probability of exactly so many errors; by logarithms, because the factors exceed a float's range."""
    ways = math.lgamma(count + 1) - math.lgamma(number + 1) - math.lgamma(count - number + 1)
    return math.exp(ways + number * math.log(rate) + (count - number) * math.log1p(-rate))


@check(4, known_bad=lambda: (Traffic(86400, 72, 0), Traffic(86400, 72, 9), "f"))
def check_traffic(before: Traffic, since: Traffic, function: str) -> CheckResult:
    """Whether the zip function went on being invoked, without new errors.

    A function that failed now and then before may go on doing so: only errors that its earlier rate does not explain
    count as new.

    Args:
        before: a window that ends at the baseline.
        since: from the baseline until now.
        function: the zip function's name.
    """
    where = f"CloudWatch, AWS/Lambda, FunctionName={function}"
    if not before.invocations:
        return reject(f"CloudWatch shows no invocation of {function} before the release to compare with", where,
                      "name the function that is really invoked (zip_function in pytest.ini)")  # fmt: skip
    if not since.invocations:
        expected = before.invocations / before.seconds * since.seconds
        return reject(
            f"{function} was not invoked in the {since.seconds / 60:.0f} minutes since the baseline;"
            f" at its earlier rate {expected:.1f} invocations would be due",
            where,
            "too early if that is under 2: run again later; else look at its EventBridge rule",
        )
    if before.chance_of(since) < _CHANCE:
        return reject(
            f"{function} has new errors: {since.errors:g} in {since.invocations:g} invocations since the baseline,"
            f" {before.errors:g} in {before.invocations:g} before",
            where,
            "read the function's log from the time of the release on",
        )
    return ACCEPTED


def read_traffic(client: Any, baseline: FunctionSnapshot, now: datetime) -> tuple[Traffic, Traffic]:
    """The function's invocations and errors in the day before the baseline, and since.

    Args:
        client: boto3's CloudWatch client.
        baseline: names the function.
        now: the time of day (UTC).

    Raises:
        AwsRefused: CloudWatch cannot be asked or answers something unreadable.
    """
    taken = baseline.time
    return _window(client, baseline.name, taken - _BEFORE, taken), _window(client, baseline.name, taken, now)


def _window(client: Any, function: str, start: datetime, end: datetime) -> Traffic:
    listing = pages(
        client,
        "get_metric_data",
        f"the metrics of {function}",
        lambda page: [(each["Id"], sum(each["Values"])) for each in page["MetricDataResults"]],
        MetricDataQueries=[_query(metric, function) for metric in ("Invocations", "Errors")],
        StartTime=start,
        EndTime=end,
    )
    sums = {"invocations": 0.0, "errors": 0.0}
    for metric, value in listing:
        sums[metric] += value
    return Traffic((end - start).total_seconds(), sums["invocations"], sums["errors"])


def _query(metric: str, function: str) -> dict[str, Any]:
    dimension = {"Name": "FunctionName", "Value": function}
    named = {"Namespace": "AWS/Lambda", "MetricName": metric, "Dimensions": [dimension]}
    return {"Id": metric.lower(), "MetricStat": {"Metric": named, "Period": _PERIOD, "Stat": "Sum"}}
