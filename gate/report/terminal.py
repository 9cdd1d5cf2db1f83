"""What the person at the terminal sees while the run goes on, and the verdict at its end."""

from __future__ import annotations

import os
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

from gate.causes import Cause, causes
from gate.check import Rejection
from gate.text import plain, visible
from gate.verdict import CRITERIA, NotPart, ScenarioOutcome, Verdict

_MARK = {"passed": "✓", "failed": "✗", "not run": "–", "incomplete": "–"}
_COLOUR = {"passed": "32", "failed": "31", "not run": "33", "incomplete": "33"}
# To the line's beginning, and all of it away.
_CLEAR = "\r\x1b[K"
# In columns; what is wider is wrapped, or cut where it is only about progress.
WIDTH = 120
# In seconds, between two looks at what is waited for: on a terminal its line is rewritten, elsewhere one is added.
REWRITTEN_EVERY, ADDED_EVERY = 1.0, 10.0
SHOWN_NOT_BEGUN = 10
# Of the scenarios that one cause failed, of what follows from it, and of a sentence of these.
SHOWN_SCENARIOS, SHOWN_CONSEQUENCES, SHOWN_LETTERS = 5, 8, 250


class Terminal:
    """Writes past pytest's output capture, to a copy of the terminal's own file descriptor.

    Args:
        stream: where to; the terminal if none is given.
        verbose: a line for each scenario, instead of one for each criterion.
    """

    def __init__(self, stream: TextIO | None = None, *, verbose: bool = False) -> None:
        self._stream = stream or os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
        self._rewrites = self._stream.isatty() and os.environ.get("TERM") != "dumb"
        self._colour = self._rewrites and "NO_COLOR" not in os.environ
        self._verbose = verbose
        self._lock = threading.RLock()
        self._ticker: threading.Timer | None = None
        self._awaited: tuple[str, float] | None = None
        self._due = time.monotonic() + ADDED_EVERY
        self._criterion = self._ended = self._scenarios = 0

    def say(self, line: str, colour: str = "") -> None:
        """Text, now, in lines of at most `WIDTH` columns; what it quotes cannot steer the terminal."""
        for each in visible(line).split("\n"):
            for part in wrapped(each):
                self._write(self._paint(part, colour))

    def commands(self, lines: Iterable[str]) -> None:
        """Commands for the runner of a CI job, which `say` would make harmless; what they quote is theirs to escape."""
        for each in lines:
            self._write("".join(c for c in each if c.isprintable()))

    def progress(self, line: str) -> None:
        """A line about work that goes on, set apart from results."""
        for part in wrapped(f"    … {' '.join(visible(line).split())}"):
            self._write(self._paint(part, "2"))

    def begin(self, scenarios: int) -> None:
        """So many scenarios are going to be checked."""
        self._scenarios = scenarios

    def waiting_for(self, what: str) -> None:
        """Show what is being waited for, and again while it goes on."""
        self._wait(what, time.monotonic())
        if self._rewrites:
            self._show(what, time.monotonic())

    def done_waiting(self) -> None:
        """What was waited for has come."""
        with self._lock:
            if self._rewrites and self._awaited:
                self._stream.write(_CLEAR)
                self._stream.flush()
            self._awaited = None

    @contextmanager
    def parts(self) -> Iterator[Callable[[str], None]]:
        """For what consists of parts: hand out `waiting_for` for them, and then go on waiting for the whole."""
        whole = self._awaited
        try:
            yield self.waiting_for
        finally:
            self.done_waiting()
            if whole:
                self._wait(*whole)

    def _wait(self, what: str, since: float) -> None:
        self.done_waiting()
        with self._lock:
            self._awaited = (what, since)
            if not self._ticker:
                self._tick_later()

    def _tick_later(self) -> None:
        # One thread looks after all the steps that come meanwhile: they are many, and most take no time.
        seconds = REWRITTEN_EVERY if self._rewrites else max(0.0, self._due - time.monotonic())
        self._ticker = threading.Timer(seconds, self._tick)
        self._ticker.daemon = True
        self._ticker.start()

    def _tick(self) -> None:
        with self._lock:
            self._ticker = None
            if self._awaited:
                self._show(*self._awaited)
                self._tick_later()

    def _show(self, what: str, since: float) -> None:
        """What is waited for: over the line before it on a terminal, else in a line of its own."""
        count = f"{self._ended} of {self._scenarios}: " if self._scenarios else ""
        line = _cut(f"    … {count}{visible(what)}", f" ({time.monotonic() - since:.0f} s)")
        with self._lock:
            if self._rewrites:
                columns = os.get_terminal_size(self._stream.fileno()).columns or WIDTH
                self._stream.write(f"{_CLEAR}{self._paint(line[: columns - 1], '2')}")
                self._stream.flush()
            else:
                self._due = time.monotonic() + ADDED_EVERY
                self._write(line)

    def scenario(self, outcome: ScenarioOutcome) -> None:
        """One finished scenario: a line if it failed, and of every scenario in the long form."""
        self._ended += 1
        label = "" if outcome.checked else "  could not be checked"
        if self._verbose:
            label += "" if outcome.provenance == "real" else "  (simulated)"
            if outcome.criterion != self._criterion:
                self._criterion = outcome.criterion
                self.say(f"\nAC{outcome.criterion}  {CRITERIA[outcome.criterion]}", "1")
            self._marked(outcome.status, _cut(f"{visible(outcome.name)}  {outcome.seconds:.1f} s", label))
            if outcome.status == "not run":
                self.say(f"      not run: {outcome.reason}")
        elif outcome.status == "failed" and outcome.checked:
            self._marked("failed", _cut(f"AC{outcome.criterion}  {visible(outcome.name)}"))

    def verdict(
        self,
        verdict: Verdict,
        outcomes: Sequence[ScenarioOutcome],
        headline: str,
        report: str,
        not_part: Sequence[NotPart] = (),
    ) -> None:
        """The last thing on the screen: the criteria, each cause with its way out, then the one word."""
        self.done_waiting()
        self.say("")
        for number in CRITERIA:
            if own := [outcome for outcome in outcomes if outcome.criterion == number]:
                self._criterion_line(number, own, verdict)
        for reason in dict.fromkeys(each.reason for each in not_part):
            left_out = [each for each in not_part if each.reason == reason]
            criteria = ", ".join(f"AC{number}" for number in sorted({each.criterion for each in left_out}))
            self.say(f"  – {reason}: {len(left_out)} scenario{'s' * (len(left_out) > 1)} ({criteria}) left out")
        for cause in causes(outcomes):
            self._cause(cause)
        beside = (*verdict.beside, *_bounded(verdict.not_begun))
        for line in ("", *(f"  {reason}" for reason in beside)) if beside else ():
            self.say(line)
        colour = "1;32" if verdict.exit_code == 0 and verdict.word != "INCOMPLETE" else "1;31"
        first, *rest = wrapped(f"{verdict.word}  {visible(headline)}")
        self._write("\n" + self._paint(verdict.word, colour) + first.removeprefix(verdict.word))
        for line in (*rest, f"report: {report}"):
            self.say(line)

    def _criterion_line(self, number: int, own: Sequence[ScenarioOutcome], verdict: Verdict) -> None:
        passed, failed, not_run = (sum(o.status == status for o in own) for status in ("passed", "failed", "not run"))
        only_aws = sum(o.name in verdict.only_aws for o in own)
        unchecked = sum(not o.checked for o in own)
        besides = [f"{failed - unchecked} failed"] * (failed > unchecked)
        besides += [f"{unchecked} not checked"] * (unchecked > 0)
        besides += [f"{not_run - only_aws} not run"] * (not_run > only_aws)
        besides += [f"{only_aws} more on AWS only"] * bool(only_aws)
        text = f"AC{number}  {passed:2} of {len(own) - only_aws:<2}  {CRITERIA[number]}"
        status = verdict.criteria.get(number, "incomplete")
        self._marked(status, _cut(text, f"  ({', '.join(besides)})" if besides else ""))

    def _marked(self, status: str, text: str) -> None:
        # The mark has a colour of its own within the line.
        self._write(f"  {self._paint(_MARK[status], _COLOUR[status])} {text}")

    def _cause(self, cause: Cause) -> None:
        self.say("")
        unchecked = "" if cause.checked else " could not be checked"
        if len(cause.scenarios) > SHOWN_SCENARIOS:
            self.say(f"✗ {cause.counted}{unchecked}", "1;31")
        else:
            for scenario in cause.scenarios:
                self.say(f"✗ AC{scenario.criterion}  {scenario.name}{unchecked}", "1;31")
        for rejection in cause.rejections:
            self._rejection(rejection)
        if cause.consequences:
            self.say(
                f"  what follows from it ({len(cause.failed_with_it)} more scenarios; the report holds each in full):"
            )
        for each in cause.consequences[:SHOWN_CONSEQUENCES]:
            self.say(f"    – {each.counted}: {plain(each.rejections[0].cause, SHOWN_LETTERS)}")
        if len(cause.consequences) > SHOWN_CONSEQUENCES:
            self.say(f"    – and {len(cause.consequences) - SHOWN_CONSEQUENCES} more")

    def _rejection(self, rejection: Rejection) -> None:
        """Cause, where and what to do, each wrapped; what is to be pasted as it is, however wide."""
        for line in visible(rejection.cause).split("\n"):
            self.say(f"  {line}")
        for label, text in (("where", rejection.where), ("to do", rejection.remedy)):
            if text:
                self.say(f"      {label}: {text}")
        for line in visible(rejection.paste).split("\n") if rejection.paste else ():
            self._write(f"  {line}")

    def _write(self, line: str) -> None:
        with self._lock:
            before = _CLEAR if self._rewrites else ""
            self._stream.write(f"{before}{line}\n")
            self._stream.flush()

    def _paint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour and code else text


def wrapped(line: str) -> list[str]:
    """One line as lines of at most `WIDTH` columns, the later ones further in; a longer word is broken."""
    indent = line[: len(line) - len(line.lstrip(" "))]
    if len(line) <= WIDTH:
        return [line]
    return textwrap.wrap(line, WIDTH, subsequent_indent=indent + "    ", break_on_hyphens=False)


def _cut(line: str, end: str = "") -> str:
    """The line and what stands at its end, in one line of at most `WIDTH` columns."""
    line = " ".join(line.splitlines())
    room = WIDTH - len(end) - 4  # the mark before it
    return (line if len(line) <= room else f"{line[: room - 1]}…") + end


def _bounded(reasons: Sequence[str]) -> Sequence[str]:
    """The reasons, without a flood of scenarios that were not even begun: what kept them from it must stay in sight."""
    if len(reasons) <= SHOWN_NOT_BEGUN:
        return reasons
    return [f"{len(reasons)} scenarios were not begun; the report names them"]
