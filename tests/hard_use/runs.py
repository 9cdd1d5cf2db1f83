"""Real acceptance runs, each with folders of its own, and what they leave on the machine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docker import DockerClient

from gate.engine.leftovers import OWNER
from gate.evidence.run_record import TITLE
from tests.screen import unwrapped

ROOT = Path(__file__).resolve().parents[2]
# Far beyond what any run here takes: a run that is not over by then hangs.
END_SECONDS = 300
_MARK = "RELEASE_GATE_HARD_USE"


@dataclass
class Started:
    """A run that was started: its process, what it says, and a mark that all its children inherit."""

    process: subprocess.Popen[bytes]
    reader: subprocess.Popen[bytes]
    said: Path
    mark: str

    def text(self) -> str:
        """All that it has said so far."""
        return self.said.read_text(errors="replace")

    def end(self, number: signal.Signals | None = None) -> int:
        """Its exit code, after a signal if one is given.

        Raises:
            AssertionError: it does not end.
        """
        if number:
            self.process.send_signal(number)
        try:
            code = self.process.wait(END_SECONDS)
            self.reader.wait(END_SECONDS)  # whatever of it lives on holds the other end
            return code
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(f"the run did not end within {END_SECONDS} s:\n{self.text()[-3000:]}") from None

    def processes(self) -> list[str]:
        """What still runs of it, as command lines."""
        return [command for command in map(self._command, Path("/proc").glob("[0-9]*")) if command]

    def _command(self, process: Path) -> str:
        try:
            if self.mark.encode() not in (process / "environ").read_bytes():
                return ""
            return (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError, PermissionError):  # gone, or not ours
            return ""


class Gate:
    """The gate with a reports folder and a local state of its own; everything in it is one person's.

    Args:
        folder: what its runs write goes there.
        root: the repository.
        release: the folder of another release than the repository's own.
    """

    def __init__(self, folder: Path, root: Path = ROOT, release: Path | None = None) -> None:
        self.folder, self.root = folder, root
        self.usual = ("--release-folder", str(release)) if release else ()
        self.reports = folder / "reports"
        self._number = 0

    def start(self, *arguments: str, largest_file: int | None = None, **environment: str) -> Started:
        """Begin `pytest features/` with these arguments, and perhaps a limit in bytes on every file it writes."""
        self._number += 1
        said, mark = self.folder / f"said-{self._number}.txt", uuid.uuid4().hex
        ours = {"reports": self.reports, "local_state": self.folder / "state", "cache_dir": self.folder / "cache"}
        overrides = [part for name, value in ours.items() for part in ("-o", f"{name}={value}")]
        # Python would keep bytecode that is cut at the limit, and every later run would fail at it.
        limit = ["prlimit", f"--fsize={largest_file}", "env", "PYTHONDONTWRITEBYTECODE=1"] if largest_file else []
        command = [*limit, sys.executable, "-m", "pytest", "features/", *overrides, *self.usual, *arguments]
        # What it says goes through a pipe: the limit is on its evidence, not on what we read of it.
        with said.open("wb") as output:
            reader = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=output)
        environment = {**os.environ, **environment, _MARK: mark}
        process = subprocess.Popen(
            command, cwd=self.root, env=environment, stdout=reader.stdin, stderr=subprocess.STDOUT
        )
        reader.stdin.close()
        return Started(process, reader, said, mark)

    def run(self, *arguments: str, **environment: str) -> tuple[int, str]:
        """A whole run: its exit code and what it said."""
        started = self.start(*arguments, **environment)
        return started.end(), unwrapped(started.text())

    def results(self, kind: str = "partial") -> Results:
        """What the last run of this kind left."""
        return Results(self.reports if kind == "full" else self.reports / kind)

    def begun(self, run: Started, kind: str = "partial") -> None:
        """Wait until a run has taken the folder over from the one before."""
        deadline = time.monotonic() + END_SECONDS
        while self.results(kind).word != "INCOMPLETE":
            assert run.process.poll() is None, f"the run ended before it began:\n{run.text()}"
            assert time.monotonic() < deadline, f"the run did not begin:\n{run.text()}"
            time.sleep(0.02)


@dataclass(frozen=True)
class Results:
    """The folder that a run writes to."""

    folder: Path

    @property
    def verdict(self) -> dict[str, Any]:
        """verdict.json; empty while there is none."""
        path = self.folder / "verdict.json"
        found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        return found

    @property
    def word(self) -> str:
        """The verdict in a word; "" while there is none."""
        return str(self.verdict.get("verdict", ""))

    @property
    def statuses(self) -> dict[str, str]:
        """Each scenario that was part of the run, and what became of it."""
        scenarios = (scenario for criterion in self.verdict["criteria"].values() for scenario in criterion["scenarios"])
        return {scenario["name"]: scenario["status"] for scenario in scenarios}

    @property
    def evidence(self) -> dict[str, dict[str, Any]]:
        """Every record, by its file.

        Raises:
            ValueError: one of them is no JSON.
        """
        every = {path.name: json.loads(path.read_text()) for path in sorted((self.folder / "evidence").glob("*.json"))}
        return {name: record for name, record in every.items() if isinstance(record, dict) and "scenario" in record}

    @property
    def titles(self) -> dict[str, list[str]]:
        """What was recorded for each scenario."""
        found: dict[str, list[str]] = {}
        for record in self.evidence.values():
            if record["title"] != TITLE:
                found.setdefault(record["scenario"], []).append(record["title"])
        return {scenario: sorted(titles) for scenario, titles in found.items()}


def owned_by(engine: DockerClient, pid: int) -> list[str]:
    """What the engine still holds of a process: containers, networks, volumes and images."""
    api = engine.api
    found = {
        "container": api.containers(all=True, filters={"label": OWNER}),
        "network": api.networks(filters={"label": OWNER}),
        "volume": api.volumes(filters={"label": OWNER})["Volumes"] or [],
        "image": api.images(filters={"label": OWNER}),
    }
    labels = ((kind, each.get("Labels") or {}) for kind, every in found.items() for each in every)
    return [f"{kind} of {held[OWNER]}" for kind, held in labels if held[OWNER].split(":")[1] == str(pid)]
