"""What a run does beside its scenarios: removes old runs and nights, tells of a night that is missing or not clean."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from gate.errors import EvidenceDamaged, WrongUse
from gate.publish.publication import ACCEPTED, FILE
from gate.scan.records import ScanRecord, read_all
from gate.text import plain

if TYPE_CHECKING:
    from gate.run.model import Run

# Nights are a day apart; a scheduler may be late by some hours.
LONGEST_GAP = timedelta(hours=36)
HOOK_SECONDS = 60
_SAID = 300
_NOTES = "VALIDATION.md"
_NIGHT = "-rescanned-"


@dataclass
class Upkeep:
    """What pytest.ini says about the life of the reports; it decides about no scenario.

    Attributes:
        keep_runs: how many full runs stay in reports/runs/.
        keep_nights: how many nights stay in reports/rescan/scans/.
        on_not_clean: the command that is given the path of verdict.json after a night that is not CLEAN; () for none.
        old: what goes before the run is sealed: dated folders of runs, or the files of nights.
    """

    keep_runs: int = 20
    keep_nights: int = 400
    on_not_clean: tuple[str, ...] = ()
    old: tuple[Path, ...] = ()

    def note(self, run: Run) -> None:
        """Find what is old, and say what a reader of the page should know beside the scenarios."""
        self.old = self._old_files(run)
        if self.old:
            what = f"{len(self.old)} older {'nights' if run.kind == 'rescan' else 'runs'}"
            up_to = self.old[-1].name.partition("-")[0]
            run.facts.remarks.append(
                f"{what} (up to {up_to}) were removed, as keep_runs and keep_nights in pytest.ini ask"
            )
        if run.kind != "rescan" or run.target == "local":  # a rehearsal has no schedule
            return
        with suppress(EvidenceDamaged):  # the scenarios that compare nights say so
            if sentence := missed(read_all(run.scans, run.target), run.started):
                run.facts.warnings.append(sentence)

    def _old_files(self, run: Run) -> tuple[Path, ...]:
        """What is beyond the limits and needed by nothing: runs after a run that is kept, nights after a night."""
        if run.store.kept != run.store.folder:
            return _old_runs(run, self.keep_runs)
        return _old_nights(run.scans, self.keep_nights) if run.kind == "rescan" else ()

    def remove_old(self, run: Run) -> None:
        """Before the seal, so that it lists what is there; what cannot be removed stays, and is said."""
        try:
            for path in self.old:
                if path.is_dir():
                    shutil.rmtree(path)
                else:
                    path.unlink(missing_ok=True)
        except OSError as refused:
            run.terminal.say(f"an older run or night could not be removed: {refused}")

    def tell(self, run: Run, verdict: Path) -> None:
        """Run the command after a night that is not CLEAN; its failure is said and changes no verdict."""
        command = self.on_not_clean
        if run.kind != "rescan" or not command or (run.results and run.results.verdict.word == "CLEAN"):
            return
        failure = call([*command, str(verdict)], run.root)
        outcome = f"failed: {failure}" if failure else "was run"
        run.terminal.say(f"on_not_clean: {plain(command[0])} {outcome}")


def read_upkeep(keep_runs: str, keep_nights: str, on_not_clean: str) -> Upkeep:
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


def _old_runs(run: Run, most: int) -> tuple[Path, ...]:
    folders = sorted(path for path in (run.reports / "runs").iterdir() if path.is_dir() and not path.is_symlink())
    beyond = folders[:-most]
    if not beyond:
        return ()
    notes = (run.root / _NOTES, *(run.reports / part / _NOTES for part in ("", "partial", "promotion", "rescan")))
    referred = "".join(path.read_text(encoding="utf-8") for path in notes if path.exists())
    needed = set(_needed(folders))
    return tuple(each for each in beyond if each not in needed and each.name not in referred)


def _needed(folders: list[Path]) -> Iterator[Path]:
    """The runs that later ones rest on.

    Of each release: the last run that released it (how it was built, the zip function's baseline, its packages, the
    GO on which it can be promoted again), the last one that was refused or cut short, and the last promotion by name.
    What cannot be read may be any of these.
    """
    last: dict[tuple[object, ...], Path] = {}
    for folder in folders:
        record = folder / "evidence" / FILE
        if not record.exists():
            continue
        try:
            said = json.loads(record.read_text(encoding="utf-8"))
            about = tuple(said[name] for name in ("place", "repository", "release_tag"))
            last[(*about, said["state"] == ACCEPTED, bool(said.get("by_name")))] = folder
        except (OSError, ValueError, KeyError, TypeError):
            yield folder
    yield from last.values()


def _old_nights(scans: Path, most: int) -> tuple[Path, ...]:
    """The oldest nights; the last of each image stays, with which its next scan is compared.

    Scans of a release or of a candidate are no nights: they show how a finding was mitigated.
    """
    nights = sorted(path for path in scans.glob(f"*{_NIGHT}*.json") if path.is_file())
    last = {path.name.partition(_NIGHT)[2]: path for path in nights}
    return tuple(path for path in nights[:-most] if path not in last.values())
