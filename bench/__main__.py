"""`python -m bench` (`make bench`): measures, and writes bench/RESULTS.md."""

from __future__ import annotations

import argparse

from bench import work
from bench.measure import Observed, medians
from bench.results import COLLECTING, FILE, MEMORY, OPENED, PAGE, Measurements
from bench.scale import WORK, measured

# What is compared, the gate first, whether the caches are emptied before each run, and the largest ratio admitted.
COMPARED = (
    ("inspection, against plain testinfra", work.inspection, work.on_the_host, False, 1.0),
    ("inspection, against tests that trust the image's find and grep", work.inspection, work.in_the_image, False, 1.0),
    ("whole gate, warm", work.gate, work.by_hand, False, 0.5),
    ("whole gate, cold", work.gate, work.by_hand, True, 0.75),
)


def main() -> None:
    """Measure and write the results; the last line names what is worse than its limit."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="warm runs of each (default: 5; 0: keep the last results)")
    parser.add_argument("--cold", type=int, default=5, help="cold runs of each; removes dangling images (as --runs)")
    options = parser.parse_args()
    results = Measurements({label: limit for label, *_, limit in COMPARED}, list(WORK))
    for label, (_, sizes, wanted) in WORK.items():
        results.grows(label, [(size, *measured(label, size)) for size in sizes], wanted)
    results.alone(COLLECTING, work.collecting())
    size, seconds = work.opening()
    results.alone(PAGE, size)
    results.alone(OPENED, seconds)
    for label, gate, other, cold, _ in COMPARED:
        count = options.cold if cold else options.runs
        if count and not cold:
            gate(), other()
        for number, of_gate, of_other in medians(count, gate, other, work.empty_caches if cold else None):
            results.compare(label, of_gate, of_other, number)
            results.why(label, Observed.parts, work.steps() if gate is work.inspection else {})
            if gate is work.gate:
                results.alone(MEMORY, Observed.largest)
    print(FILE.read_text())
    print(f"worse than its limit: {'; '.join(results.worse) or 'nothing'}")


if __name__ == "__main__":
    main()
