"""How checking grows with the number of findings."""

from __future__ import annotations

import statistics
import time
from datetime import UTC, datetime

from gate.scan.findings import Finding, ScanReport, tally
from gate.scan.result_checks import complete, counts_true, free_of
from gate.scan.statuses import Mode

NOW = datetime(2026, 1, 2, tzinfo=UTC)
DIGEST = "sha256:" + "a" * 64


def growth(small: int = 1_000, large: int = 10_000) -> float:
    """The CPU time of checking `large` findings against `small`: 10 is linear.

    The median of nine rounds, in each of which both take about as long, side by side: the machine's speed wanders.
    """
    times = large // small
    return statistics.median(times * _seconds(large) / sum(_seconds(small) for _ in range(times)) for _ in range(9))


def _seconds(number: int) -> float:
    report = _report(number)
    began = time.process_time()
    complete(report, DIGEST, NOW)
    free_of(report, "CRITICAL", 0)
    counts_true(report)
    return time.process_time() - began


def _report(number: int) -> ScanReport:
    findings = tuple(
        Finding(f"CVE-2026-{n}", "openssl", "3.0.1", "3.0.2", "CRITICAL", 9.8, "a title", "", Mode.BASIC, entry=n)
        for n in range(number)
    )
    counts = tuple(tally(findings).items())
    return ScanReport(DIGEST, "v1.0.0", Mode.BASIC, "COMPLETE", NOW, NOW, findings, counts, 10, NOW, "rescanned")
