"""What is being waited for: told once it takes long, never after it has come."""

import io
import time
from contextlib import suppress

import pytest

from gate.run import terminal as rooms
from gate.run.terminal import Terminal


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


def _until(screen, words):
    deadline = time.monotonic() + 5
    while words not in screen.getvalue():
        assert time.monotonic() < deadline, screen.getvalue()
        time.sleep(0.005)
