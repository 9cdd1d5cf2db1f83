"""bench/RESULTS.md. What is not measured in a run keeps its row, with its date and commit."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType

from bench.measure import ROOT
from bench.scale import exponent

FILE = ROOT / "bench" / "RESULTS.md"
COLLECTING = "`pytest features/ --collect-only`"
MEMORY = "resident memory of the suite at its largest"
PAGE, OPENED = "the page of 100,000 findings and 2,000 records", "the same page, opened in the image's Chrome"
ACCEPT, CHANGED, FRESH = "`make accept`", "`make accept` after a change of src/", "`make accept` in a new clone"
CHECK, TEST = "`make check`", "`make test`"
# Figures that stand alone: unit and limit.
ALONE = {
    **{COLLECTING: ("s", 1.0), MEMORY: ("MB", 300.0), PAGE: ("MB", 5.0), OPENED: ("s", 2.0)},
    **{ACCEPT: ("s", 25.0), CHANGED: ("s", 40.0), FRESH: ("s", 270.0), CHECK: ("s", 60.0), TEST: ("s", 600.0)},
}
# The exponent of linear growth, with what a measurement of seconds may be off; memory at the largest size, in MiB.
EXPONENT, MEBIBYTES = 1.1, 300.0
# Before the label of a row: where the gate's time goes.
_TIME_OF = "time of "
_HELD = {True: "held", False: "**not held**"}


class Measurements:
    """The rows of the file; it is written after each measurement, so that an interrupted bench keeps its results.

    Args:
        compared: the labels of the comparisons in their order, each with the largest ratio that is admitted.
        growing: the labels of what grows, in their order.
    """

    def __init__(self, compared: dict[str, float], growing: Sequence[str]) -> None:
        self._compared, self._growing = compared, tuple(growing)
        rows = [line for line in FILE.read_text().splitlines() if line.startswith("| ")]
        labels = {*compared, *ALONE, *growing, *(_TIME_OF + label for label in (*compared, *ALONE))}
        self._rows = {label: row for row in rows if (label := row.strip("| ").partition(" | ")[0]) in labels}

    @property
    def worse(self) -> list[str]:
        """The rows of the file that are worse than their limit."""
        return [label for label, row in self._rows.items() if _HELD[False] in row]

    def compare(self, label: str, gate: float, other: float, runs: int) -> None:
        """Two medians in seconds."""
        ratio, limit = gate / other, self._compared[label]
        held = f"{limit:.2f}, {_HELD[ratio <= limit]}"
        self._note(label, f"{gate:.1f} s", f"{other:.1f} s", f"{ratio:.2f}", held, str(runs))

    def why(self, label: str, parts: str, alone: Mapping[str, float] = MappingProxyType({})) -> None:
        """Where the time of a row went: as the gate's last run said, and steps alone, in seconds."""
        steps = ", ".join(f"{name} {seconds:.1f}" for name, seconds in alone.items())
        self._note(_TIME_OF + label, "; each alone: ".join(filter(None, (parts, steps))))

    def alone(self, label: str, measured: float) -> None:
        """A figure with a limit."""
        unit, limit = ALONE[label]
        self._note(label, f"{measured:.2f} {unit}", f"{limit:g} {unit}, {_HELD[measured <= limit]}")

    def grows(self, label: str, points: Sequence[tuple[int, float, float]], wanted: int) -> None:
        """What grows: size, CPU seconds and MiB of each measurement, the smallest first; and the wanted size."""
        (small, *least), (before, *less), (large, *most) = points[0], points[-2], points[-1]
        slope = exponent([point[:2] for point in points])
        seconds, mebibytes = (
            b + (b - a) / (large - before) * (wanted - large) for a, b in zip(less, most, strict=True)
        )
        said = [f"{large:,}: {most[0]:.1f} s, {most[1]:.0f} MiB"]
        if wanted > large:
            said.append(f"extended to {wanted:,}: {seconds:.0f} s, {mebibytes:.0f} MiB")
        held = _HELD[slope <= EXPONENT and mebibytes <= MEBIBYTES]
        self._note(label, f"{small:,}: {least[0]:.1f} s", "; ".join(said), f"{slope:.2f}", held)

    def _note(self, label: str, *cells: str) -> None:
        self._rows[label] = f"| {' | '.join((label, *cells, _now()))} |"
        FILE.write_text(self._text())

    def _text(self) -> str:
        return f"""# Measurements

Written by `make bench`; {os.cpu_count()} cores {platform.machine()}, Linux {platform.release()}.
By hand is `bench/by_hand.sh`: the same commands, one after the other; plain testinfra is `bench/plain`, which reads
the files on the host as the gate does, or with the image's own programs. Medians; the two take turns. Cold is
without images, layer cache, blobs and SBOM; downloads are kept. A load above the
number of cores makes every time longer, most of all that of work on several cores at once, as the gate's is.

| what | gate | the other | ratio | limit | runs | measured |
|---|---|---|---|---|---|---|
{self._table(self._compared)}

Growth is the CPU time of one process (`bench/scale.py`); the exponent is the slope of its logarithm: 1 is linear, and
up to {EXPONENT:g} is taken for it. Memory may be {MEBIBYTES:.0f} MiB. What would take too long to make is extended in
a straight line from the two largest sizes that were measured, and says so.

| what grows | smallest | largest | exponent | limits | measured |
|---|---|---|---|---|---|
{self._table(self._growing)}

| what | measured | limit | measured at |
|---|---|---|---|
{self._table(ALONE)}
{self._reasons()}"""

    def _reasons(self) -> str:
        """Where the time goes of what is slower than its limit."""
        reasons = self._table(_TIME_OF + label for label in (*self._compared, *ALONE) if label in self.worse)
        if not reasons:
            return ""
        return f"""
## Why a limit is not held

Where the time went, in seconds: of a run of the gate, as it timed its parts itself; of `make test`, in its three
processes together, by the folder of the tests.

| what | parts | measured |
|---|---|---|
{reasons}
"""

    def _table(self, labels: Iterable[str]) -> str:
        return "\n".join(self._rows[label] for label in labels if label in self._rows)


def _now() -> str:
    revision = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(revision, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC at {commit}, load {os.getloadavg()[0]:.1f}"
