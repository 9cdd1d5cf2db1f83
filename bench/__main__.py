"""`python -m bench` (`make bench`): measures, and writes bench/RESULTS.md."""

from __future__ import annotations

import argparse

from bench import work
from bench.measure import Observed, medians
from bench.results import ACCEPT, CHANGED, CHECK, COLLECTING, FILE, FRESH, MEMORY, OPENED, PAGE, TEST, Measurements
from bench.scale import WORK, measured

# What is compared, the gate first, whether the caches are emptied before each run, and the largest ratio admitted.
COMPARED = (
    ("inspection, against plain testinfra", work.inspection, work.on_the_host, False, 1.0),
    ("inspection, against tests that trust the image's find and grep", work.inspection, work.in_the_image, False, 1.0),
    ("whole gate, warm", work.gate, work.by_hand, False, 0.5),
    ("whole gate, cold", work.gate, work.by_hand, True, 0.75),
)
# What people wait for, as the README has it.
WAITS = ((FRESH, work.accept_fresh), (ACCEPT, work.accept), (CHANGED, work.accept_changed), (CHECK, work.check))


def main() -> None:
    """Measure and write the results; the last line names what is worse than its limit."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="warm runs of each (default: 5; 0: keep the last results)")
    parser.add_argument("--cold", type=int, default=5, help="cold runs of each; removes dangling images (as --runs)")
    parser.add_argument("--waits", action="store_true", help="also the commands of the README (20 minutes)")
    options = parser.parse_args()
    results = Measurements({label: limit for label, *_, limit in COMPARED}, list(WORK))
    measure_growth(results)
    compare(results, options.runs, options.cold)
    if options.waits:
        measure_waits(results)
    print(FILE.read_text())
    print(f"worse than its limit: {'; '.join(results.worse) or 'nothing'}")


def measure_growth(results: Measurements) -> None:
    """What grows with its input, the collection of the scenarios, and the page."""
    for label, (_, sizes, wanted) in WORK.items():
        results.grows(label, [(size, *measured(label, size)) for size in sizes], wanted)
    results.alone(COLLECTING, work.collecting())
    size, seconds = work.opening()
    results.alone(PAGE, size)
    results.alone(OPENED, seconds)


def compare(results: Measurements, warm_runs: int, cold_runs: int) -> None:
    """The gate against the same work by hand, in turns."""
    for label, gate, other, cold, _ in COMPARED:
        count = cold_runs if cold else warm_runs
        if count and not cold:
            gate(), other()
        for number, of_gate, of_other in medians(count, gate, other, work.empty_caches if cold else None):
            results.compare(label, of_gate, of_other, number)
            results.why(label, Observed.parts, work.steps() if gate is work.inspection else {})
            if gate is work.gate:
                results.alone(MEMORY, Observed.largest)


def measure_waits(results: Measurements) -> None:
    """The commands of the README, and where the time of `make test` goes."""
    for label, wait in WAITS:
        Observed.parts = ""
        results.alone(label, wait())
        results.why(label, Observed.parts)
    results.alone(TEST, work.test())
    results.why(TEST, "", work.slowest_folders())


if __name__ == "__main__":
    main()
