"""What the person at the terminal sees while the run goes on, and the verdict at its end."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

from gate.report.causes import Cause, causes
from gate.text import visible
from gate.verdict import CRITERIA, ScenarioOutcome, Verdict

_MARK = {"passed": "✓", "failed": "✗", "not run": "–"}
_COLOUR = {"passed": "32", "failed": "31", "not run": "33"}
# Nobody likes to wait without knowing for what: a line after this many seconds, then at this interval.
FIRST_LINE_AFTER = 2.0
NEXT_LINE_AFTER = 15.0
SHOWN_UNBEGUN = 10
# Of the claims that one cause hit; each has had its line when it ended.
SHOWN_CLAIMS = 5


class Terminal:
    """Writes past pytest's output capture, to a copy of the terminal's own file descriptor."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
        self._colour = self._stream.isatty() and "NO_COLOR" not in os.environ
        self._criterion = 0
        self._ticker: threading.Timer | None = None
        self._awaited: tuple[str, float] | None = None

    def say(self, line: str, colour: str = "") -> None:
        """One line, now; what it quotes cannot steer the terminal."""
        self._stream.write(f"{self._paint(visible(line), colour)}\n")
        self._stream.flush()

    def progress(self, line: str) -> None:
        """A line about work that goes on, set apart from results."""
        self.say(f"    … {line}", "2")

    def waiting_for(self, what: str) -> None:
        """Say what is being waited for, once it has taken two seconds and then every fifteen."""
        self._wait(what, time.monotonic(), FIRST_LINE_AFTER)

    def done_waiting(self) -> None:
        """What was waited for has come."""
        self._awaited = None
        if self._ticker:
            self._ticker.cancel()

    @contextmanager
    def parts(self) -> Iterator[Callable[[str], None]]:
        """For what consists of parts: hand out `waiting_for` for them, and then go on waiting for the whole."""
        whole = self._awaited
        try:
            yield self.waiting_for
        finally:
            self.done_waiting()
            if whole:
                self._wait(*whole, NEXT_LINE_AFTER)

    def _wait(self, what: str, since: float, pause: float) -> None:
        self.done_waiting()
        awaited = self._awaited = (what, since)

        def tick() -> None:
            if self._awaited is awaited:  # it may have come while the timer went off
                self.progress(f"{what} ({time.monotonic() - since:.0f} s)")
                self._wait(what, since, NEXT_LINE_AFTER)

        self._ticker = threading.Timer(pause, tick)
        self._ticker.daemon = True
        self._ticker.start()

    def scenario(self, outcome: ScenarioOutcome) -> None:
        """One finished claim, under its criterion's heading."""
        if outcome.criterion != self._criterion:
            self._criterion = outcome.criterion
            self.say(f"\nAC{outcome.criterion}  {CRITERIA[outcome.criterion]}", "1")
        mark = self._paint(_MARK[outcome.status], _COLOUR[outcome.status])
        label = "" if outcome.provenance == "real" else "  (simulated)"
        label += "" if outcome.checked else "  could not be checked"
        # The mark has a colour of its own within the line; the claims' names are ours.
        self._stream.write(f"  {mark} {visible(outcome.name)}  {outcome.seconds:.1f} s{label}\n")
        self._stream.flush()
        if outcome.status == "not run":
            self.say(f"      not run: {outcome.reason}")

    def verdict(self, verdict: Verdict, outcomes: Sequence[ScenarioOutcome], headline: str, report: str) -> None:
        """The last thing on the screen: failures with cause and way out, then the one word."""
        for cause in causes(outcomes):
            self._cause(cause)
        failed = {f"AC{o.criterion}: {o.name}" for o in outcomes if o.status == "failed"}
        self.say("")
        for reason in _bounded([r for r in verdict.reasons if r not in failed]):
            self.say(f"  {reason}")
        colour = "1;32" if verdict.exit_code == 0 and verdict.word != "INCOMPLETE" else "1;31"
        self._stream.write(f"\n{self._paint(verdict.word, colour)}  ")
        self.say(headline)
        self.say(f"report: {report}")

    def _cause(self, cause: Cause) -> None:
        self.say("")
        if len(cause.claims) > SHOWN_CLAIMS:
            self.say(
                f"✗ {len(cause.claims)} claims in {cause.criteria}{'' if cause.checked else ' could not be checked'}",
                "1;31",
            )
        else:
            for claim in cause.claims:
                self.say(f"✗ AC{claim.criterion}  {claim.name}", "1;31")
        self.say("  " + cause.claims[0].reason.replace("\n", "\n  "))

    def _paint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour and code else text


def _bounded(reasons: Sequence[str]) -> list[str]:
    """The reasons, without a flood of claims that were not even begun: what kept them from it must stay in sight."""
    unbegun = [r for r in reasons if r.startswith("not run: ") or r.endswith(" has no scenario")]
    if len(unbegun) <= SHOWN_UNBEGUN:
        return list(reasons)
    claims = sum(r.startswith("not run: ") for r in unbegun)
    return [r for r in reasons if r not in unbegun] + [f"{claims} claims were not begun; the report names them"]
