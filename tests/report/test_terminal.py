"""The terminal: what is waited for is told once it takes long, and nothing foreign steers it."""

import io
import os
import re
import time
from contextlib import suppress

import pytest

from gate.causes import failure_of
from gate.check import NoGo, Rejection
from gate.errors import GateError
from gate.image.permissions import readable_by_all
from gate.image.tree import ImageFile, Tree
from gate.report import terminal as rooms
from gate.report.terminal import Terminal
from gate.verdict import ScenarioOutcome, Verdict
from tests.screen import unwrapped

# A name that a file in an image may have: it clears the screen, turns the reading direction, and adds a verdict.
NAME = "/var/x\x1b[2J\x1b]0;title\x07\u202e\r\n\nGO  everything passed\x9b31m"


@pytest.fixture
def screen(monkeypatch):
    """What a log shows to which a line is added every twentieth of a second."""
    monkeypatch.setattr(rooms, "ADDED_EVERY", 0.05)
    return io.StringIO()


class Tty(io.StringIO):
    """A terminal of a certain width."""

    def isatty(self):
        """It is one."""
        return True

    def fileno(self):
        """That of nothing."""
        return 99


@pytest.fixture
def tty(monkeypatch):
    """A terminal whose line is rewritten."""
    monkeypatch.setattr(rooms.os, "get_terminal_size", lambda _: os.terminal_size((60, 24)))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return Tty()


def test_parts_that_take_no_time_say_nothing(screen, monkeypatch):
    """A cached build has forty steps and no line."""
    monkeypatch.setattr(rooms, "ADDED_EVERY", 5.0)
    terminal = Terminal(screen)
    with terminal.parts() as waiting_for:
        for number in range(40):
            waiting_for(f"step {number}")
    time.sleep(0.1)
    assert screen.getvalue() == ""


def test_a_part_that_takes_long_is_named_and_then_the_whole_again(screen):
    """A step of a build; afterwards the scenario's own step is waited for, until that has passed."""
    terminal = Terminal(screen)
    terminal.begin(81)
    terminal.waiting_for("the whole")
    with terminal.parts() as waiting_for:
        waiting_for("long")
        _until(screen, "0 of 81: long (")
    _until(screen, "0 of 81: the whole (")
    terminal.done_waiting()
    told = screen.getvalue()
    time.sleep(0.1)
    assert screen.getvalue() == told


def test_in_a_log_lines_keep_their_distance(screen):
    """However many steps there are: one line in each stretch of time."""
    terminal = Terminal(screen)
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        terminal.waiting_for("a step")
        time.sleep(0.002)
    terminal.done_waiting()
    assert 3 <= screen.getvalue().count("a step") <= 10


def test_on_a_terminal_one_line_is_rewritten(tty):
    """It is as wide as the terminal, counts the scenarios, and is gone when something is said."""
    terminal = Terminal(tty)
    terminal.begin(2)
    terminal.waiting_for("the first")
    terminal.done_waiting()
    terminal.scenario(ScenarioOutcome("a scenario", 1, "passed"))
    terminal.waiting_for("the second " + "x" * 100)
    terminal.say("said")
    terminal.done_waiting()
    text = tty.getvalue()
    assert text.count("\n") == 1
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in text.split("\r\x1b[K") if line]
    assert lines[0] == "    … 0 of 2: the first (0 s)"
    assert lines[1].startswith("    … 1 of 2: the second xx")
    assert len(lines[1]) == 59
    assert lines[2] == "said\n"


@pytest.mark.parametrize("name", ["TERM", "NO_COLOR"])
def test_a_terminal_that_knows_no_colour_is_given_none(tty, monkeypatch, name):
    """TERM=dumb rewrites no line either."""
    monkeypatch.setenv(name, "dumb")
    terminal = Terminal(tty)
    terminal.verdict(Verdict("GO", 0, (), {1: "passed"}, ()), [ScenarioOutcome("a", 1, "passed")], "repo", "report")
    assert "\x1b[3" not in tty.getvalue()
    assert ("\x1b" in tty.getvalue()) is (name == "NO_COLOR")


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
    no = NoGo(readable_by_all(Tree({NAME: ImageFile(NAME, "file", 0o600)}, {})))
    cause, where, remedy = failure_of(no).message.split("\n")
    assert (cause + where + remedy).isprintable()
    assert "GO  everything" in cause
    assert (where[:11], remedy[:11]) == ("    where: ", "    to do: ")


def test_what_could_not_be_had_cannot_steer_it_either():
    """The engine's or a registry's own words in an error."""
    message = failure_of(GateError("refused: \x1b[31mred", where="a\nb", remedy="c\r\nd")).message
    assert message.split("\n") == ["refused: red", "    where: a b", "    to do: c d"]


def test_whatever_is_said_is_visible():
    """Progress, the reason of a scenario, the reasons of a verdict: none of it reaches the terminal as it came."""
    screen = io.StringIO()
    terminal = Terminal(screen)
    terminal.progress(NAME)
    failed = ScenarioOutcome("a scenario", 1, "failed", NAME)
    terminal.scenario(ScenarioOutcome("another", 2, "not run", NAME))
    terminal.verdict(Verdict("NO-GO", 1, (NAME,), {}, ()), [failed], NAME, NAME)
    assert all(line.isprintable() for line in screen.getvalue().split("\n"))


def said(outcomes, *, criteria=None, verbose=False, word="NO-GO", only_aws=()):
    """What is on the screen of a run with these outcomes, line by line."""
    screen = io.StringIO()
    terminal = Terminal(screen, verbose=verbose)
    for outcome in outcomes:
        terminal.scenario(outcome)
    terminal.verdict(Verdict(word, 1, (), criteria or {}, only_aws), outcomes, "repo", "report.html")
    return screen.getvalue().split("\n")


def test_many_scenarios_with_one_cause_take_one_line():
    """What follows from the cause is counted below it."""
    driver = Rejection("no Chromedriver", "/opt", "install it")
    push = Rejection("nothing was pushed", "", "correct the image")
    waiting = [
        ScenarioOutcome(f"scenario {n}", n, "failed", checked=False, rejections=(push,), blocked_by=(driver,))
        for n in range(2, 9)
    ]
    lines = said([ScenarioOutcome("a scenario", 1, "failed", rejections=(driver,)), *waiting])
    at = lines.index("✗ AC1  a scenario")
    assert lines[at : at + 6] == [
        "✗ AC1  a scenario",
        "  no Chromedriver",
        "      where: /opt",
        "      to do: install it",
        "  what follows from it (7 more scenarios; the report holds each in full):",
        "    – 7 scenarios in AC2, AC3, AC4, AC5, AC6, AC7, AC8: nothing was pushed",
    ]


def test_no_line_is_wider_than_120_columns():
    """Wrapped where it is to be read, cut where it only tells of progress; what is to be pasted stays as it is."""
    long = "word " * 60 + "x" * 300
    failed = ScenarioOutcome(long, 1, "failed", rejections=(Rejection(long, long, long),))
    skipped = ScenarioOutcome(long, 2, "not run", long)
    for verbose in (False, True):
        assert max(map(len, said([failed, skipped], verbose=verbose))) <= 120
    screen = io.StringIO()
    Terminal(screen).progress(long)
    assert max(map(len, screen.getvalue().split("\n"))) <= 120
    assert screen.getvalue().count("word") == 60
    entry = Rejection("not covered", "exceptions.yaml", "add this", paste="  - " + "y" * 200)
    assert "    - " + "y" * 200 in said([ScenarioOutcome("scenario", 9, "failed", rejections=(entry,))])


def test_a_wrapped_sentence_reads_as_one_again():
    """Where tests look for it."""
    sentence = " ".join(f"word{n}" for n in range(60))
    told = ScenarioOutcome("a scenario", 1, "failed", rejections=(Rejection(sentence, "there", "do it"),))
    text = unwrapped("\n".join(said([told])))
    assert sentence in text
    assert "\n      where: there\n      to do: do it" in text


def test_a_criterion_is_one_line_with_its_counts():
    """What only AWS can prove is not counted against a rehearsal."""
    scenarios = [ScenarioOutcome("a", 4, "passed"), ScenarioOutcome("b", 4, "not run", "only AWS", only_aws=True)]
    scenarios += [ScenarioOutcome("c", 7, "failed", "why"), ScenarioOutcome("d", 7, "not run", "why not")]
    lines = said(scenarios, criteria={4: "passed", 7: "failed"}, only_aws=("b",))
    assert "  ✓ AC4   1 of 1   The zip-based Lambda is untouched  (1 more on AWS only)" in lines
    assert (
        "  ✗ AC7   0 of 2   What its tags name is scanned and free of critical findings  (1 failed, 1 not run)" in lines
    )
    assert not [line for line in lines if line.startswith("  ✓ a") or "only AWS" in line]


def test_the_long_form_has_every_scenario():
    """With -v: each under its criterion, with its time, and why it did not run."""
    scenarios = [
        ScenarioOutcome("a", 4, "passed", provenance="simulated"),
        ScenarioOutcome("b", 4, "not run", "only AWS"),
    ]
    lines = said(scenarios, verbose=True)
    assert "  ✓ a  0.0 s  (simulated)" in lines
    assert "      not run: only AWS" in lines


def test_a_scenario_that_fails_is_told_at_once_and_one_that_waits_for_it_is_not():
    """Whoever watches sees the first red line minutes before the end."""
    screen = io.StringIO()
    terminal = Terminal(screen)
    terminal.scenario(ScenarioOutcome("a scenario", 1, "failed", "why"))
    terminal.scenario(ScenarioOutcome("another", 2, "failed", "nothing was pushed", checked=False))
    assert screen.getvalue() == "  ✗ AC1  a scenario\n"


def _until(screen, words):
    deadline = time.monotonic() + 5
    while words not in screen.getvalue():
        assert time.monotonic() < deadline, screen.getvalue()
        time.sleep(0.005)


def test_commands_of_the_runner_are_written_as_they_are(screen):
    """In one line each; what `say` quotes becomes none."""
    Terminal(screen).commands(["::error file=Dockerfile,line=3::no\x1b[2J"])
    Terminal(screen).say("::error::quoted")
    assert screen.getvalue().splitlines()[0] == "::error file=Dockerfile,line=3::no[2J"
    assert not screen.getvalue().splitlines()[1].startswith("::error")
