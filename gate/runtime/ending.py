"""How a run that did not answer came to its end, in words for a person. Pure."""

from __future__ import annotations

import signal

from gate.runtime.report import Footprint, Outcome


def cause_of_end(outcome: Outcome, footprint: Footprint) -> str:
    """The rest of a sentence that begins with what was run."""
    if footprint.oom_killed:
        return f"was killed for want of memory ({footprint.memory_mb} MB)"
    if outcome == "late":
        return "did not answer in time, and was stopped"
    return f"ended with {_exit(footprint.exit_code)}"


def _exit(code: int | None) -> str:
    # The engine reports death by a signal as 128 + its number (bash(1), EXIT STATUS).
    if code is not None and code > 128 and code - 128 in set(signal.Signals):  # noqa: PLR2004
        return f"exit code {code} ({signal.Signals(code - 128).name})"
    return f"exit code {code}" if code is not None else "no exit code"


def last_words(footprint: Footprint) -> str:
    """The last line of the logs that says something."""
    lines = [line.strip() for line in footprint.logs.splitlines() if line.strip()]
    return f"its last words: {lines[-1][:300]}" if lines else "it wrote nothing"
