"""Whether a scanned candidate may be given the release's tags: everything criteria 7 and 9 ask, at once. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from gate.judgement import Judgement
from gate.scan.coverage import Sight, gaps_registered, something_seen
from gate.scan.findings import ScanReport
from gate.scan.judges import applies, complete, counts_true, free_of
from gate.scan.register.entries import Register
from gate.scan.register.judges import coverage_used, disposed_below, exceptions_used, fixed_or_excepted, register_valid
from gate.scan.settings import ScanSettings


def promotable(
    report: ScanReport,
    settings: ScanSettings,
    seen: Sight,
    register: Register,
    *,
    digest: str,
    target: str,
    now: datetime,
) -> Mapping[int, Judgement]:
    """What the judges of criteria 7 and 9 say of a candidate; a refused one is withdrawn and burns no tag."""
    today = now.date()
    scan = (
        applies(settings, report, False)
        + complete(report, digest, now)
        + free_of(report, "CRITICAL", 0)
        + counts_true(report)
        + something_seen(report, seen)
    )
    valid = register_valid(register, today)
    if register.faults:
        # Reason enough, and the one to mend: what such a register fails to say of the findings is its consequence.
        return {7: scan, 9: valid}
    disposed = (
        fixed_or_excepted(report.open, register, target, today, "HIGH")
        + disposed_below(report.open, register, target, today, "HIGH")
        + gaps_registered(seen.gaps, register, target, seen.mode, today)
        + exceptions_used(register, report.open, target, False)
        + coverage_used(register, seen, target)
    )
    return {7: scan, 9: valid + disposed}
