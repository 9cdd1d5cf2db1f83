"""Folders do not grow for ever, and what a later run rests on stays."""

import json
from types import SimpleNamespace

import pytest

from gate.run.model import OldFiles, Upkeep
from gate.run.upkeep import old_files

DIGEST = "a" * 12


@pytest.fixture
def run(tmp_path):
    """A full run that keeps two runs and two nights."""
    store = SimpleNamespace(folder=tmp_path / "evidence", kept=tmp_path / "runs" / "9" / "evidence")
    store.kept.mkdir(parents=True)
    reports = tmp_path
    return SimpleNamespace(kind="full", root=tmp_path / "root", reports=reports, store=store, scans=tmp_path / "scans",
                           upkeep=Upkeep(keep_runs=2, keep_nights=2))  # fmt: skip


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
    return [path.name for path in old_files(run).runs]


def test_the_oldest_runs_beyond_the_limit_go(run):
    """The run itself counts; nothing goes below the limit."""
    assert removed(run) == []
    for name in "1234":
        leave(run, name)
    assert removed(run) == ["1", "2", "3"]
    assert "3 older runs (up to 3) were removed" in str(old_files(run))
    old_files(run).remove()
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


def night(run, number, event="rescanned", digest=DIGEST):
    """A recorded scan."""
    run.scans.mkdir(exist_ok=True)
    (run.scans / f"2026010{number}T000000.000000Z-{event}-{digest}.json").write_text("")


def test_the_oldest_nights_go_and_no_other_scan(run):
    """Candidates and releases show how findings were mitigated; each image's last night is compared with."""
    run.kind, run.store.kept = "rescan", run.store.folder
    night(run, 1, digest="b" * 12)
    night(run, 2, event="released")
    night(run, 3, event="withdrawn")
    for number in (4, 5, 6, 7):
        night(run, number)
    old = old_files(run)
    assert [path.name[:8] for path in old.nights] == ["20260104", "20260105"]
    assert "2 older nights (up to 20260105T000000.000000Z) were removed" in str(old)
    old.remove()
    assert len(list(run.scans.iterdir())) == 5


def test_a_restricted_run_removes_nothing(run):
    """It has no dated folder, and is no night."""
    for name in "1234":
        leave(run, name)
    night(run, 1)
    run.kind, run.store.kept = "partial", run.store.folder
    assert old_files(run) == OldFiles()
    assert str(OldFiles()) == ""
