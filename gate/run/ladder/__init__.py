"""The ladder of a run: each rung is made once, from the rungs below it, when a claim first needs it."""

from gate.run.ladder.ages import accepted_ends, base_that_ships, chrome_pin, newest_chrome
from gate.run.ladder.image import build_of, candidate, engine
from gate.run.ladder.release import (
    BASELINE,
    baseline_before,
    end_promotion,
    in_registry,
    previous_release,
    publication,
    still_true,
)
from gate.run.ladder.scans import REGISTER, last_night, record_scan, register, scan_history, scan_of, scanner
from gate.run.ladder.target import account, canaries, desk, local_state, telling
from gate.run.notes import write as write_notes
from gate.run.promotions import read_all as promotions

__all__ = [
    "BASELINE",
    "REGISTER",
    "accepted_ends",
    "account",
    "base_that_ships",
    "baseline_before",
    "build_of",
    "canaries",
    "candidate",
    "chrome_pin",
    "desk",
    "end_promotion",
    "engine",
    "in_registry",
    "last_night",
    "local_state",
    "newest_chrome",
    "previous_release",
    "promotions",
    "publication",
    "record_scan",
    "register",
    "scan_history",
    "scan_of",
    "scanner",
    "still_true",
    "telling",
    "write_notes",
]
