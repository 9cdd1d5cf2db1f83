"""Folders that a stranger made: nothing hangs, nothing is followed, nothing steers a terminal or a CI job."""

import json
import os
import re
import signal
import socket
import sys
from pathlib import Path

import pytest

from gate.evidence import reading
from gate.evidence.__main__ import main
from gate.evidence.store import ENVELOPE, SEAL, STATEMENT
from gate.report.job_summary import main as summary

pytestmark = pytest.mark.slow

SCAN, ACCOUNT = "evidence/007-scan-behind-latest.json", "evidence/012-account-of-the-run.json"
SECONDS = 20
STARTS = ("✓ ", "✗ ", "– ", "not covered: ", "    where: ", "    to do: ", "NOT VERIFIED", "INTACT", "REFUSED")


@pytest.fixture(autouse=True)
def _ends():
    """A check that hangs fails."""

    def late(number, frame):
        raise AssertionError(f"it did not end within {SECONDS} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def instead(make):
    """A hostile thing in the place of a file."""

    def put(path):
        path.unlink(missing_ok=True)
        make(path)

    return put


def sparse(path):
    """A file of 8 GB that takes no room on the disk."""
    with path.open("wb") as file:
        file.truncate(8 << 30)


def listening(path):
    """A socket; its path has to be short, so it is made from inside the folder."""
    with socket.socket(socket.AF_UNIX) as made:
        before = Path.cwd()
        os.chdir(path.parent)
        try:
            made.bind(path.name)
        finally:
            os.chdir(before)


THINGS = {
    "a named pipe": instead(os.mkfifo),
    "a link to endless zeros": instead(lambda path: path.symlink_to("/dev/zero")),
    "a link to a file outside": instead(lambda path: path.symlink_to("/etc/passwd")),
    "a link to a folder": instead(lambda path: path.symlink_to("/etc")),
    "a link to itself": instead(lambda path: path.symlink_to(path.name)),
    "a sparse file of 8 GB": instead(sparse),
    "a folder": instead(lambda path: path.mkdir()),
    "a socket": instead(listening),
    "nothing": instead(lambda path: None),
    "no JSON": instead(lambda path: path.write_bytes(b"\x00\xff\xfe")),
    "NUL bytes": instead(lambda path: path.write_bytes(b"\0" * 5000)),
    "no UTF-8": instead(lambda path: path.write_bytes(b'{"\xff": 1}')),
    "deep JSON": instead(lambda path: path.write_bytes(b"[" * 2_000_000)),
    "deep objects": instead(lambda path: path.write_bytes(b'{"a":' * 300_000 + b"1" + b"}" * 300_000)),
    "a number of a million digits": instead(lambda path: path.write_bytes(b'{"a": ' + b"9" * 1_000_000 + b"}")),
    "numbers that are none": instead(lambda path: path.write_text('{"a": NaN, "answer": 1e999, "number": -Infinity}')),
    "a name twice": instead(lambda path: path.write_text('{"verdict": "NO-GO", "verdict": "GO"}')),
    "a million names": instead(
        lambda path: path.write_text("{" + ",".join(f'"n{n}":1' for n in range(20_000)) + ',"n1":2}')
    ),
}
PLACES = ("verdict.json", SEAL, STATEMENT, ENVELOPE, "report.html", SCAN, ACCOUNT, "evidence/index.json",
          "evidence/extra", "extra.html", "rescan/scans/1.json", "VALIDATION.md")  # fmt: skip


@pytest.mark.parametrize("thing", THINGS.values(), ids=THINGS)
def test_no_hostile_thing_hangs_or_crashes_the_check(leave, pair, tmp_path, capsys, thing):
    """In the place of every file that is read: an objection, or what is no part of the run named as not looked at."""
    for number, place in enumerate(PLACES):
        folder = leave(tmp_path / str(number), key=pair[0])
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        thing(folder / place)
        code = main([str(folder), "--key", str(pair[1])])
        out = capsys.readouterr().out
        # An empty folder holds nothing.
        untouched = thing in (THINGS["nothing"], THINGS["a folder"]) and place not in PLACES[:8]
        assert code == 1 or (code == 0 and (untouched or f"not covered: {place}" in out)), (place, out)
        assert not (folder / place).is_symlink() or "root:" not in out


def test_a_folder_with_a_link_in_place_of_its_evidence_is_refused(run_folder, capsys):
    """The records could be changed without the folder changing."""
    (run_folder / "evidence").rename(run_folder.parent / "away")
    (run_folder / "evidence").symlink_to(run_folder.parent / "away")
    assert main([str(run_folder)]) == 1
    assert "the evidence holds no record" in capsys.readouterr().out


@pytest.mark.parametrize("make", [os.mkfifo, sparse, lambda path: None, lambda path: path.symlink_to("/etc")])
def test_what_is_no_folder_holds_no_run(tmp_path, capsys, make):
    """Nor is it waited for."""
    make(tmp_path / "run")
    assert main([str(tmp_path / "run")]) == 1
    assert "holds no run" in capsys.readouterr().out


def test_more_files_than_a_run_leaves_are_not_looked_at(run_folder, monkeypatch, capsys):
    """A million of them would take minutes; the listing stops at the limit."""
    monkeypatch.setattr(reading, "MOST_FILES", 50)
    for number in range(60):
        (run_folder / "evidence" / f"extra-{number}").touch()
    assert main([str(run_folder)]) == 1
    assert "holds more than 50 files" in capsys.readouterr().out


def test_folders_in_folders_have_an_end(run_folder, capsys):
    """A thousand levels."""
    inner = run_folder / "evidence"
    for _ in range(100):
        inner = inner / "d"
        inner.mkdir()
    assert main([str(run_folder)]) == 1
    assert "holds folders more than 12 deep" in capsys.readouterr().out


def test_many_large_files_are_not_all_read(run_folder, monkeypatch, capsys):
    """Each is under the limit of one file; together they are not."""
    monkeypatch.setattr(reading, "ALL", 2000)
    for number in range(4):
        (run_folder / "evidence" / f"large-{number}").write_bytes(b"x" * 999)
    assert main([str(run_folder)]) == 1
    assert "large-3 was not read: the files before it are too large together" in capsys.readouterr().out


def test_a_record_with_a_huge_number_is_told_at_once(run_folder, capsys):
    """Nobody counts up to it."""
    (run_folder / "evidence" / "999999999-x.json").write_text('{"answer": 1, "number": 999999999}')
    assert main([str(run_folder)]) == 1
    assert "there is no record with the number 999999998" not in capsys.readouterr().out


NAMES = (
    "a\n::error::deploy it\nb", "::error::x", "##[error]x", "a ##[group]b", "\x1b[2J\x1b[31mGO", "a\rVERIFIED",
    "a\u2028::warning::b", "\u202eOG", os.fsdecode(b"\xff\xfe"), "a\x85::error::b", "-rf", "x" * 250,
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("place", ["", "evidence", "evidence/sub", "runs", "rescan/scans"])
def test_a_foreign_name_begins_no_line_and_steers_nothing(run_folder, capsys, name, place):
    """The name is told on one line of ours, without its control characters; no line is a command of a CI runner."""
    (run_folder / place).mkdir(parents=True, exist_ok=True)
    (run_folder / place / name).write_text("x")
    code = main([str(run_folder)])
    out = capsys.readouterr().out
    assert code in {1, 3}
    assert code == 1 or re.search("not covered: '?rescan/scans/", out)
    assert_plain(out)


def assert_plain(out):
    """Every line is one that the gate began, of visible characters."""
    lines = out.split("\n")
    assert all(line.isprintable() for line in lines)
    assert [line for line in lines if line and not line.startswith(STARTS)] == []
    assert not any(line.lstrip().startswith("::") or "##[" in line for line in lines)


TEXTS = ("GO\n::error::x", "\x1b[31mGO", "##[error]", "x" * 100_000, "\ud800", "")


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("field", ["verdict", "started", "valid_until", "target", "kind", "reasons", "release"])
def test_foreign_words_in_the_verdict_steer_nothing(run_folder, edit, capsys, field, text):
    """On the terminal as on the page of a CI job."""
    edit(run_folder / "verdict.json", lambda found: found.update({field: [text] if field == "reasons" else text}))
    assert main([str(run_folder)]) == 1
    assert_plain(capsys.readouterr().out)
    summary(run_folder / "verdict.json")
    out = capsys.readouterr().out
    assert all(line.isprintable() for line in out.split("\n"))
    assert "##[" not in out
    assert not any(line.lstrip().startswith("::") for line in out.split("\n"))


@pytest.mark.parametrize("thing", THINGS.values(), ids=THINGS)
def test_the_page_of_a_ci_job_says_that_there_is_no_verdict(tmp_path, capsys, thing):
    """Whatever stands in verdict.json's place."""
    thing(tmp_path / "verdict.json")
    assert summary(tmp_path / "verdict.json") == 1
    assert capsys.readouterr().out.startswith("## No verdict\n\nThe run left no verdict")


def test_a_file_that_becomes_another_thing_meanwhile_is_not_waited_for(tmp_path, monkeypatch):
    """Between the look at it and the opening."""
    plain, pipe = tmp_path / "plain", tmp_path / "pipe"
    plain.touch()
    os.mkfifo(pipe)
    was = os.lstat(plain)
    monkeypatch.setattr(os, "lstat", lambda path: was)
    with pytest.raises(reading.EvidenceDamaged, match="pipe cannot be read as a plain file: it is a named pipe"):
        reading.content(pipe, "pipe")


def test_a_file_that_grows_is_cut_off(tmp_path, monkeypatch):
    """Its size when it is opened promises nothing."""
    monkeypatch.setattr(reading, "READ_WHOLE", 10)
    monkeypatch.setattr(reading, "_refuse", lambda *_: None)
    (tmp_path / "log").write_text("x" * 11)
    with pytest.raises(reading.EvidenceDamaged, match="log is larger than 10 bytes"):
        reading.content(tmp_path / "log", "log")


def test_a_terminal_that_knows_few_letters_is_no_reason_to_crash(run_folder, monkeypatch):
    """Question marks in their place."""
    with (run_folder.parent / "out").open("w", encoding="ascii") as ascii_only:
        monkeypatch.setattr(sys, "stdout", ascii_only)
        assert main([str(run_folder)]) == 3
    assert "? seal: 6 files" in (run_folder.parent / "out").read_text()


def test_a_seal_of_another_form_is_told(run_folder, edit, capsys):
    """Fields missing, of another type, from another version, or leading out of the folder."""
    whole = json.loads((run_folder / SEAL).read_text())
    for change in (
        {"version": 2}, {"files": []}, {"files": {"a": 1}}, {"sealed_at": "2026-01-01T00:00:00"}, {"history": None},
        {"notes": {"file": "../../../etc/passwd", "section": "v1", "sha256": "a"}}, {"notes": []}, {"notes": "x"},
    ):  # fmt: skip
        (run_folder / SEAL).write_text(json.dumps({**whole, **change}))
        assert main([str(run_folder)]) == 1
        assert "seal.json cannot be read: " in capsys.readouterr().out
