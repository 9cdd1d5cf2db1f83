"""A missed night is told by the next, one that is not clean is handed to a command; folders do not grow for ever."""

import json
import os
import sys
import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from gate.errors import WrongUse
from gate.run import upkeep as module
from gate.run.upkeep import Upkeep, call, missed, read_upkeep

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
        run = SimpleNamespace(kind=kind, root=tmp_path, results=SimpleNamespace(verdict=SimpleNamespace(word=word)),
                              terminal=SimpleNamespace(say=said.append))  # fmt: skip
        Upkeep(on_not_clean=command).tell(run, verdict)
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
    assert read_upkeep("20", "400", "") == Upkeep()
    assert read_upkeep("1", "2", "notify 'two words'").on_not_clean == ("notify", "two words")
    wrong = {"keep_runs": ("0", "1", ""), "keep_nights": ("1", "x", ""), "on_not_clean": ("1", "1", "'")}
    for key, given in wrong.items():
        with pytest.raises(WrongUse, match=key):
            read_upkeep(*given)


DIGEST = "a" * 12
KEEP_TWO = {"keep_runs": 2, "keep_nights": 2}


@pytest.fixture
def run(tmp_path):
    """A full run that keeps two runs and two nights."""
    store = SimpleNamespace(folder=tmp_path / "evidence", kept=tmp_path / "runs" / "9" / "evidence")
    store.kept.mkdir(parents=True)
    reports = tmp_path
    facts = SimpleNamespace(remarks=[], warnings=[])
    return SimpleNamespace(kind="full", root=tmp_path / "root", reports=reports, store=store, scans=tmp_path / "scans",
                           facts=facts, target="local")  # fmt: skip


def leave(run, name, record=None):
    """A dated run, perhaps with the record of a promotion."""
    folder = run.reports / "runs" / name / "evidence"
    folder.mkdir(parents=True)
    if record is not None:
        text = record if isinstance(record, str) else json.dumps(record)
        (folder / "promotion.json").write_text(text)


def promotion(state="accepted", tag="v1.0.0", place="aws", **changed):
    """The record of a promotion."""
    return {"place": place, "repository": "app", "release_tag": tag, "state": state, **changed}


def removed(run):
    """The names of what goes."""
    upkeep = Upkeep(**KEEP_TWO)
    upkeep.note(run)
    return [path.name for path in upkeep.old]


def test_the_oldest_runs_beyond_the_limit_go(run):
    """The run itself counts; nothing goes below the limit."""
    assert removed(run) == []
    for name in "1234":
        leave(run, name)
    assert removed(run) == ["1", "2", "3"]
    assert "3 older runs (up to 3) were removed" in run.facts.remarks[-1]
    assert len(run.facts.remarks) == 1
    upkeep = Upkeep(**KEEP_TWO)
    upkeep.note(run)
    upkeep.remove_old(run)
    assert sorted(path.name for path in (run.reports / "runs").iterdir()) == ["4", "9"]


def test_what_later_runs_rest_on_stays(run):
    """Of each release the last accepted, refused and promoted by name, and what cannot be read."""
    leave(run, "1", promotion())  # superseded by 2
    leave(run, "2", promotion())
    leave(run, "3", promotion(by_name=True))
    leave(run, "4", promotion(state="refused", tag="v1.1.0"))
    leave(run, "5", promotion(place="local"))
    leave(run, "6", "{")
    leave(run, "7")
    leave(run, "8")
    assert removed(run) == ["1", "7"]


def test_what_the_notes_refer_to_stays(run):
    """The repository's and those beside the reports."""
    for number in range(1, 5):
        leave(run, f"20260101T000000.00000{number}Z")
    run.root.mkdir()
    (run.root / "VALIDATION.md").write_text("reports/runs/20260101T000000.000001Z/evidence/1.json")
    (run.reports / "VALIDATION.md").write_text("runs/20260101T000000.000002Z/evidence/1.json")
    assert removed(run) == ["20260101T000000.000003Z"]


def scanned(run, number, event="rescanned", digest=DIGEST):
    """A recorded scan."""
    run.scans.mkdir(exist_ok=True)
    (run.scans / f"2026010{number}T000000.000000Z-{event}-{digest}.json").write_text("")


def test_the_oldest_nights_go_and_no_other_scan(run):
    """Candidates and releases show how findings were mitigated; each image's last night is compared with."""
    run.kind, run.store.kept = "rescan", run.store.folder
    scanned(run, 1, digest="b" * 12)
    scanned(run, 2, event="released")
    scanned(run, 3, event="withdrawn")
    for number in (4, 5, 6, 7):
        scanned(run, number)
    upkeep = Upkeep(**KEEP_TWO)
    upkeep.note(run)
    assert [path.name[:8] for path in upkeep.old] == ["20260104", "20260105"]
    assert "2 older nights (up to 20260105T000000.000000Z) were removed" in run.facts.remarks[0]
    upkeep.remove_old(run)
    assert len(list(run.scans.iterdir())) == 5


def test_a_restricted_run_removes_nothing(run):
    """It has no dated folder, and is no night."""
    for name in "1234":
        leave(run, name)
    scanned(run, 1)
    run.kind, run.store.kept = "partial", run.store.folder
    assert removed(run) == []
    assert run.facts.remarks == []


def test_a_night_on_aws_warns_of_the_one_that_did_not_happen(run, monkeypatch):
    """A rehearsal has no schedule; records that cannot be read are told by the scenarios about them."""
    run.kind, run.store.kept, run.started = "rescan", run.store.folder, NOW
    monkeypatch.setattr(module, "read_all", lambda scans, target: recorded(80))
    removed(run)
    assert run.facts.warnings == []
    run.target = "aws"
    removed(run)
    assert "no night was recorded since" in run.facts.warnings[0]
