"""A night that did not happen is told by the next, and one that is not clean is handed to a command."""

import json
import os
import sys
import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from gate.errors import WrongUse
from gate.run.model import Upkeep
from gate.run.upkeep import call, missed, tell, upkeep

NOW = datetime(2026, 1, 10, 3, 17, tzinfo=UTC)
RECEIVER = """import json, pathlib, sys
said = json.loads(pathlib.Path(sys.argv[-1]).read_text())
pathlib.Path("received").write_text(said["verdict"] + " " + " ".join(sys.argv[1:-1]))
"""


def recorded(*hours):
    """Scans so many hours ago."""
    return [SimpleNamespace(at=NOW - timedelta(hours=each)) for each in hours]


@pytest.mark.parametrize(
    ("hours", "told"), [((24,), ""), ((36,), ""), ((37, 80), "37 hours"), ((), ""), ((-1, 24), ""), ((-1,), "")]
)
def test_a_night_that_did_not_happen_is_told_by_the_next(hours, told):
    """A first night misses none; what this very night recorded does not count."""
    assert (told in missed(recorded(*hours), NOW)) if told else missed(recorded(*hours), NOW) == ""


@pytest.fixture
def night(tmp_path):
    """A night with a verdict, and what the terminal was told."""
    (tmp_path / "receiver.py").write_text(RECEIVER)
    verdict = tmp_path / "verdict.json"
    said = []

    def ended(word, *command, kind="rescan"):
        verdict.write_text(json.dumps({"verdict": word}))
        run = SimpleNamespace(kind=kind, root=tmp_path, upkeep=Upkeep(on_not_clean=command),
                              results=SimpleNamespace(verdict=SimpleNamespace(word=word)),
                              terminal=SimpleNamespace(say=said.append))  # fmt: skip
        tell(run, verdict)
        received = tmp_path / "received"
        return received.read_text() if received.exists() else "", said

    return ended


def test_a_night_that_is_not_clean_is_handed_to_the_command(night):
    """With its own arguments, and the verdict file as the last; no shell reads them."""
    received, said = night("NOT CLEAN", sys.executable, "receiver.py", "$(touch x);", "two words")
    assert received == "NOT CLEAN $(touch x); two words"
    assert len(said) == 1
    assert said[0].endswith("was run")


@pytest.mark.parametrize(("word", "kind", "called"), [("UNKNOWN", "rescan", True), ("CLEAN", "rescan", False), ("NO-GO", "full", False)])  # fmt: skip  # noqa: E501
def test_only_a_night_that_is_not_clean_calls(night, word, kind, called):
    """Unknown is not clean; a release has its own pipeline."""
    received, said = night(word, sys.executable, "receiver.py", kind=kind)
    assert bool(received) is bool(said) is called


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("no-such-program",), "cannot be started: No such file"),
        ((sys.executable, "-c", "print('no route'); raise SystemExit(3)"), "exit code 3: no route"),
    ],
)
def test_a_command_that_fails_is_said_and_raises_nothing(night, command, words):
    """The verdict is on the disk by then."""
    _, said = night("NOT CLEAN", *command)
    assert "failed: " in said[0]
    assert words in said[0]


@pytest.mark.slow
def test_a_command_that_hangs_is_ended_with_what_it_started(tmp_path):
    """A grandchild that holds its output does not keep the run waiting."""
    child = "import subprocess, sys, pathlib; p = subprocess.Popen(['sleep', '60']); "
    child += "pathlib.Path('pid').write_text(str(p.pid)); p.wait()"
    began = time.monotonic()
    assert call([sys.executable, "-c", child], tmp_path, seconds=2) == "it did not end within 2 s"
    assert time.monotonic() - began < 20
    pid = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + 5
    while _runs(pid):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _runs(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # Dead, and not yet collected by its new parent.
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0] != "Z"


def test_the_keys_are_read_and_refused():
    """Numbers above 0, and a command line as a shell splits it."""
    assert upkeep("20", "400", "") == Upkeep()
    assert upkeep("1", "2", "notify 'two words'").on_not_clean == ("notify", "two words")
    wrong = {"keep_runs": ("0", "1", ""), "keep_nights": ("1", "x", ""), "on_not_clean": ("1", "1", "'")}
    for key, given in wrong.items():
        with pytest.raises(WrongUse, match=key):
            upkeep(*given)
