"""The terminal: what is waited for is told once it takes long, and nothing foreign steers it."""

import io
import time
from contextlib import suppress

import pytest

from gate.check import NoGo
from gate.errors import GateError
from gate.image.files import readable_by_all
from gate.image.tree import Entry, Tree
from gate.run import terminal as rooms
from gate.run.outcome import failure_of
from gate.run.terminal import Terminal
from gate.verdict import ScenarioOutcome, Verdict

# A name that a file in an image may have: it clears the screen, turns the reading direction, and adds a verdict.
NAME = "/var/x\x1b[2J\x1b]0;title\x07\u202e\r\n\nGO  everything passed\x9b31m"


@pytest.fixture
def screen(monkeypatch):
    """What a terminal shows whose patience is a fiftieth of a second."""
    monkeypatch.setattr(rooms, "FIRST_LINE_AFTER", 0.02)
    monkeypatch.setattr(rooms, "NEXT_LINE_AFTER", 0.06)
    return io.StringIO()


def test_parts_that_take_no_time_say_nothing(screen):
    """A cached build has forty steps and no line."""
    terminal = Terminal(screen)
    with terminal.parts() as waiting_for:
        for number in range(40):
            waiting_for(f"step {number}")
    time.sleep(0.1)
    assert screen.getvalue() == ""


def test_a_part_that_takes_long_is_named_and_then_the_whole_again(screen):
    """A step of a build; afterwards the claim's own step is waited for, until that has passed."""
    terminal = Terminal(screen)
    terminal.waiting_for("the whole")
    with terminal.parts() as waiting_for:
        waiting_for("quick")
        waiting_for("long")
        _until(screen, "long")
    _until(screen, "the whole")
    terminal.done_waiting()
    told = screen.getvalue()
    time.sleep(0.1)
    assert screen.getvalue() == told
    assert "quick" not in told


def test_what_fails_in_a_part_is_waited_for_no_longer(screen):
    """A build that fails leaves no line behind it."""
    terminal = Terminal(screen)
    with suppress(OSError), terminal.parts() as waiting_for:
        waiting_for("a step")
        raise OSError
    time.sleep(0.1)
    assert screen.getvalue() == ""


def test_a_name_in_the_image_cannot_steer_the_terminal_or_add_a_line():
    """A check quotes a file's name: its message keeps its own three lines."""
    no = NoGo(readable_by_all(Tree({NAME: Entry(NAME, "file", 0o600)}, {})))
    cause, where, remedy = failure_of(no).message.split("\n")
    assert (cause + where + remedy).isprintable()
    assert "GO  everything" in cause
    assert (where[:11], remedy[:11]) == ("    where: ", "    to do: ")


def test_what_could_not_be_had_cannot_steer_it_either():
    """The engine's or a registry's own words in an error."""
    message = failure_of(GateError("refused: \x1b[31mred", where="a\nb", remedy="c\r\nd")).message
    assert message.split("\n") == ["refused: red", "    where: a b", "    to do: c d"]


def test_whatever_is_said_is_visible():
    """Progress, the reason of a claim, the reasons of a verdict: none of it reaches the terminal as it came."""
    screen = io.StringIO()
    terminal = Terminal(screen)
    terminal.progress(NAME)
    failed = ScenarioOutcome("a claim", 1, "failed", NAME)
    terminal.scenario(ScenarioOutcome("another", 2, "not run", NAME))
    terminal.verdict(Verdict("NO-GO", 1, (NAME,), {}, ()), [failed], NAME, NAME)
    assert all(line.isprintable() for line in screen.getvalue().split("\n"))


def test_many_claims_with_one_cause_take_one_line():
    """Each had its line when it ended: at the end the causes must stay on one screen."""
    screen = io.StringIO()
    waiting = [ScenarioOutcome(f"claim {n}", n, "failed", "nothing was pushed", checked=False) for n in range(2, 9)]
    checked = ScenarioOutcome("a claim", 1, "failed", "no Chromedriver")
    Terminal(screen).verdict(Verdict("NO-GO", 1, (), {}, ()), [*waiting, checked], "repo", "report.html")
    said = screen.getvalue().split("\n")
    assert said[1:3] == ["✗ AC1  a claim", "  no Chromedriver"]
    assert said[4:6] == ["✗ 7 claims in AC2, AC3, AC4, AC5, AC6, AC7, AC8 could not be checked", "  nothing was pushed"]


def _until(screen, words):
    deadline = time.monotonic() + 5
    while words not in screen.getvalue():
        assert time.monotonic() < deadline, screen.getvalue()
        time.sleep(0.005)
