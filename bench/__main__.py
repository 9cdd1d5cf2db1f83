"""`python -m bench` (`make bench`): measures, and writes bench/RESULTS.md."""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
from datetime import UTC, datetime

from bench.clock import ROOT, Memory, medians
from bench.findings import growth
from bench.work import by_hand, collecting, forget, gate, in_the_image, inspection, nothing, on_the_host

RESULTS = ROOT / "bench" / "RESULTS.md"
# What is compared, the gate's way first, and what is taken away before each run.
COMPARED = (
    ("inspection, against plain testinfra", inspection, on_the_host, nothing),
    ("inspection, against tests that trust the image's find and grep", inspection, in_the_image, nothing),
    ("whole gate, warm", gate, by_hand, nothing),
    ("whole gate, cold", gate, by_hand, forget),
)


def main() -> None:
    """Measure and write the results; what is not measured this time keeps its row."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="warm runs of each (default: 5)")
    parser.add_argument("--cold", type=int, default=5, help="cold runs of each; removes dangling images (default: 5)")
    options = parser.parse_args()
    rows = _kept()
    alone = (collecting(), growth())
    for label, ours, theirs, before in COMPARED:
        count = options.cold if before is forget else options.runs
        if count and before is nothing:
            ours(), theirs()
        for number, mine, other in medians(count, ours, theirs, before):
            rows[label] = f"{mine:.1f} s | {other:.1f} s | {mine / other:.2f} | {number} | {_now()} |"
            write(rows, *alone)
    print(RESULTS.read_text())


def _kept() -> dict[str, str]:
    """The rows of comparisons that were measured before."""
    cells = (line.strip("| ").split(" | ", 1) for line in RESULTS.read_text().splitlines() if line.startswith("| "))
    return {label: f"{rest} |" for label, rest in cells if label in {each[0] for each in COMPARED}}


def _now() -> str:
    revision = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(revision, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC at {commit}, load {os.getloadavg()[0]:.1f}"


def write(rows: dict[str, str], collected: float, grown: float) -> None:
    """bench/RESULTS.md, after each run: an interrupted bench keeps what it has."""
    table = "\n".join(f"| {label} | {rows[label]}" for label, *_ in COMPARED if label in rows)
    text = f"""# Measurements

Written by `make bench`; {os.cpu_count()} cores {platform.machine()}, Linux {platform.release()}.
By hand is `bench/by_hand.sh`: the same questions, asked one after the other; plain testinfra is `bench/plain`, which
reads the files on the host as the gate does, or with the image's own programs. Medians; the two take turns. Cold is
without images, layer cache, blobs and SBOM; what was downloaded stays.

| what | gate | the other | ratio | runs | measured |
|---|---|---|---|---|---|
{table}

| what | measured | limit |
|---|---|---|
| `pytest features/ --collect-only` | {collected:.2f} s | 1 s |
| resident memory of the suite at its largest | {Memory.largest:.0f} MB | 200 MB |
| judging 10,000 findings against 1,000 | {grown:.1f} times the CPU time | 10 times is linear |
"""
    RESULTS.write_text(text)


if __name__ == "__main__":
    main()
