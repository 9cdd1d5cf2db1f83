"""What belongs to a night beside its claims: one that did not happen, whom to tell, and the nights in a picture."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gate.errors import WrongUse
from gate.scan.findings import Severity
from gate.text import plain

if TYPE_CHECKING:
    from gate.run.model import Run
    from gate.scan.records import ScanRecord

# Nights are a day apart; a scheduler may be late by some hours.
LONGEST_GAP = timedelta(hours=36)
HOOK_SECONDS = 60
# Of the picture: how many scans, and how many letters the longest line has.
SHOWN_NIGHTS, WIDEST = 14, 60
_SAID = 300


@dataclass(frozen=True)
class Upkeep:
    """What pytest.ini says about the life of the reports; it decides about no claim.

    Attributes:
        keep_runs: how many full runs stay in reports/runs/.
        keep_nights: how many nights stay in reports/rescan/scans/.
        on_not_clean: the command that is given the path of verdict.json after a night that is not CLEAN; () for none.
    """

    keep_runs: int = 20
    keep_nights: int = 400
    on_not_clean: tuple[str, ...] = ()


def upkeep(keep_runs: str, keep_nights: str, on_not_clean: str) -> Upkeep:
    """The values of the keys of the same names.

    Raises:
        WrongUse: a number is none, or the command's quotes do not match.
    """
    for key, text in (("keep_runs", keep_runs), ("keep_nights", keep_nights)):
        if not text.isascii() or not text.isdigit() or int(text) < 1:
            raise WrongUse(f"{key} must be a whole number above 0, and is {plain(text)!r}", where="pytest.ini")
    try:
        command = shlex.split(on_not_clean)
    except ValueError as error:
        raise WrongUse(f"on_not_clean is no command line: {error}", where="pytest.ini") from error
    return Upkeep(int(keep_runs), int(keep_nights), tuple(command))


def missed(records: Iterable[ScanRecord], began: datetime) -> str:
    """That no night was recorded for longer than nights are apart, as a sentence; "" when none was missed.

    Args:
        records: the recorded scans of the run's target; a first night has none.
        began: when this night began.
    """
    last = max((each.at for each in records if each.at < began), default=None)
    if last is None or began - last <= LONGEST_GAP:
        return ""
    hours = (began - last).total_seconds() / 3600
    return (
        f"no night was recorded since {last:%Y-%m-%d %H:%M} UTC, {hours:.0f} hours before this one: see whether the "
        "schedule is still on, and whether earlier nights are brought back to reports/rescan/scans/"
    )


def tell(run: Run, verdict: Path) -> None:
    """Run the command of `on_not_clean` after a night that is not CLEAN; its failure is said and changes no verdict."""
    command = run.upkeep.on_not_clean
    if run.kind != "rescan" or not command or (run.results and run.results.verdict.word == "CLEAN"):
        return
    failure = call([*command, str(verdict)], run.root)
    outcome = f"failed: {failure}" if failure else "was run"
    run.terminal.say(f"on_not_clean: {plain(command[0])} {outcome}")


def call(command: list[str], folder: Path, seconds: float = HOOK_SECONDS) -> str:
    """Run a command without a shell; returns why it failed, "" when it ended with 0.

    What it starts is ended with it when the time is over.
    """
    with tempfile.TemporaryFile() as said:
        try:
            process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=said,
                                       stderr=subprocess.STDOUT, start_new_session=True)  # fmt: skip
        except OSError as refused:
            return f"it cannot be started: {refused.strerror}"
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return f"it did not end within {seconds:.0f} s"
        said.seek(0)
        words = plain(said.read(10_000).decode("utf-8", "replace").strip()[-_SAID:])
    return f"exit code {code}{f': {words}' if words else ''}" if code else ""


def picture(scans: Path, target: str) -> str:
    """The last recorded scans of a target as Markdown: a line for each, a letter for each open finding.

    It needs no package beyond the standard library: the page of a CI job is written without any. "" without a scan.

    Raises:
        ValueError, KeyError, TypeError, AttributeError, OSError: a record cannot be read.
    """
    every = (json.loads(path.read_text(encoding="utf-8")) for path in sorted(scans.glob("*.json")))
    shown = [each for each in every if each["target"] == target][-SHOWN_NIGHTS:]
    counts = [_counts(each["findings"]) for each in shown]
    most = max((sum(each.values()) for each in counts), default=0)
    if not shown:
        return ""
    scale = min(1.0, WIDEST / max(most, 1))
    lines = [
        f"{plain(record['at'])[:16]} {plain(record['digest'])[7:15]} {_bar(each, scale)}  {_said(each)}"
        for record, each in zip(shown, counts, strict=True)
    ]
    return "\n".join(["### Findings over the nights", "", "```text", *lines, "```", ""])


def _counts(findings: Iterable[Mapping[str, Any]]) -> dict[Severity, int]:
    # As `gate.scan.records` ranks them: a finding without an identifier counts as critical.
    ranks = [Severity.of(each["severity"]) if each["id"] else Severity.CRITICAL for each in findings]
    return {severity: ranks.count(severity) for severity in sorted(Severity, reverse=True) if severity in ranks}


def _bar(counts: Mapping[Severity, int], scale: float) -> str:
    # Rounded up, so that a single finding is never lost.
    return "".join(severity.name[0] * ceil(number * scale) for severity, number in counts.items()) or "·"


def _said(counts: Mapping[Severity, int]) -> str:
    return ", ".join(f"{number} {severity.name.lower()}" for severity, number in counts.items()) or "none"
