"""What belongs to a night beside its scenarios: one that did not happen, and whom to tell when one is not clean."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import tempfile
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from gate.errors import WrongUse
from gate.run.model import Upkeep
from gate.text import plain

if TYPE_CHECKING:
    from pathlib import Path

    from gate.run.model import Run
    from gate.scan.records import ScanRecord

# Nights are a day apart; a scheduler may be late by some hours.
LONGEST_GAP = timedelta(hours=36)
HOOK_SECONDS = 60
_SAID = 300


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
