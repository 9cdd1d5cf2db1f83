"""`python -m bench` (`make bench`): measures, and writes bench/RESULTS.md."""

from __future__ import annotations

import argparse

from bench import work
from bench.measure import Memory, medians
from bench.results import COLLECTING, FILE, GROWTH, MEMORY, Measurements

# What is compared, the gate first, and whether the caches are emptied before each run.
COMPARED = (
    ("inspection, against plain testinfra", work.inspection, work.on_the_host, False),
    ("inspection, against tests that trust the image's find and grep", work.inspection, work.in_the_image, False),
    ("whole gate, warm", work.gate, work.by_hand, False),
    ("whole gate, cold", work.gate, work.by_hand, True),
)


def main() -> None:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="warm runs of each (default: 5; 0: keep the last results)")
    parser.add_argument("--cold", type=int, default=5, help="cold runs of each; removes dangling images (as --runs)")
    options = parser.parse_args()
    results = Measurements([label for label, *_ in COMPARED])
    results.alone(COLLECTING, f"{work.collecting():.2f} s; of the plain tests {work.collecting_plain():.2f} s")
    results.alone(GROWTH, f"{work.growth():.1f} times the CPU time")
    for label, gate, other, cold in COMPARED:
        count = options.cold if cold else options.runs
        if count and not cold:
            gate(), other()
        for number, of_gate, of_other in medians(count, gate, other, work.empty_caches if cold else None):
            results.compare(label, of_gate, of_other, number)
            if gate is work.gate:
                results.alone(MEMORY, f"{Memory.largest:.0f} MB")
    print(FILE.read_text())


if __name__ == "__main__":
    main()
