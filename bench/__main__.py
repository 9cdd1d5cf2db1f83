"""`python -m bench` (`make bench`): measures, and writes bench/RESULTS.md."""

from __future__ import annotations

import argparse

from bench.clock import Memory, medians
from bench.findings import growth
from bench.results import COLLECTING, FILE, GROWTH, MEMORY, Results
from bench.work import (
    by_hand,
    collecting,
    collecting_plain,
    forget,
    gate,
    in_the_image,
    inspection,
    nothing,
    on_the_host,
)

# What is compared, the gate's way first, and what is taken away before each run.
COMPARED = (
    ("inspection, against plain testinfra", inspection, on_the_host, nothing),
    ("inspection, against tests that trust the image's find and grep", inspection, in_the_image, nothing),
    ("whole gate, warm", gate, by_hand, nothing),
    ("whole gate, cold", gate, by_hand, forget),
)


def main() -> None:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="warm runs of each (default: 5; 0: keep the last results)")
    parser.add_argument("--cold", type=int, default=5, help="cold runs of each; removes dangling images (as --runs)")
    options = parser.parse_args()
    results = Results([label for label, *_ in COMPARED])
    results.alone(COLLECTING, f"{collecting():.2f} s; of the plain tests {collecting_plain():.2f} s")
    results.alone(GROWTH, f"{growth():.1f} times the CPU time")
    for label, ours, theirs, before in COMPARED:
        count = options.cold if before is forget else options.runs
        if count and before is nothing:
            ours(), theirs()
        for number, mine, other in medians(count, ours, theirs, before):
            results.compare(label, mine, other, number)
            if ours is gate:
                results.alone(MEMORY, f"{Memory.largest:.0f} MB")
    print(FILE.read_text())


if __name__ == "__main__":
    main()
