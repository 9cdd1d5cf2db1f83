"""bench/RESULTS.md. What is not measured in a run keeps its row, with its date and commit."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime

from bench.measure import ROOT

FILE = ROOT / "bench" / "RESULTS.md"
COLLECTING = "`pytest features/ --collect-only`"
MEMORY = "resident memory of the suite at its largest"
GROWTH = "checking 10,000 findings against 1,000"
_LIMITS = {COLLECTING: "1 s", MEMORY: "200 MB", GROWTH: "10 times is linear"}


class Measurements:
    """The rows of the file; it is written after each measurement, so that an interrupted bench keeps its results.

    Args:
        compared: the labels of the comparisons, in their order.
    """

    def __init__(self, compared: Sequence[str]) -> None:
        self._compared = compared
        rows = [line for line in FILE.read_text().splitlines() if line.startswith("| ")]
        labels = {*compared, *_LIMITS}
        self._rows = {label: row for row in rows if (label := row.strip("| ").partition(" | ")[0]) in labels}

    def compare(self, label: str, gate: float, other: float, runs: int) -> None:
        """Two medians in seconds."""
        self._note(label, f"{gate:.1f} s", f"{other:.1f} s", f"{gate / other:.2f}", str(runs), _now())

    def alone(self, label: str, measured: str) -> None:
        """A figure with a limit."""
        self._note(label, measured, _LIMITS[label])

    def _note(self, label: str, *cells: str) -> None:
        self._rows[label] = f"| {' | '.join((label, *cells))} |"
        FILE.write_text(self._text())

    def _text(self) -> str:
        return f"""# Measurements

Written by `make bench`; {os.cpu_count()} cores {platform.machine()}, Linux {platform.release()}.
By hand is `bench/by_hand.sh`: the same commands, one after the other; plain testinfra is `bench/plain`, which reads
the files on the host as the gate does, or with the image's own programs. Medians; the two take turns. Cold is
without images, layer cache, blobs and SBOM; downloads are kept.

| what | gate | the other | ratio | runs | measured |
|---|---|---|---|---|---|
{self._table(self._compared)}

| what | measured | limit |
|---|---|---|
{self._table(tuple(_LIMITS))}
"""

    def _table(self, labels: Sequence[str]) -> str:
        return "\n".join(self._rows[label] for label in labels if label in self._rows)


def _now() -> str:
    revision = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(revision, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC at {commit}, load {os.getloadavg()[0]:.1f}"
