"""A folder of reports as a whole: other runs, dated copies, the recorded scans, and the deployment notes."""

import shutil

import pytest

from gate.evidence.__main__ import main
from gate.evidence.deployment_notes import replace, section, with_attempt
from gate.evidence.seal import NotesSeal, seal_folder, sha256_of_text
from gate.evidence.statement import attest
from tests.evidence.conftest import DIGEST, NOW, REPOSITORY

KEY = "v1.0.0:aws"
BODY = f"## app v1.0.0\n\n| Image metadata | Value |\n|---|---|\n| Digest | `{DIGEST}` |"
SCANS = ("20260101T000000.000000Z-released-aaa.json", "20260102T000000.000000Z-rescanned-aaa.json")


def seal_now(folder, notes=None):
    """The end of a run, once more: seal and statement."""
    seal_folder(folder, folder / "rescan" / "scans", notes, NOW)
    attest(folder, REPOSITORY, None)


@pytest.fixture
def reports(leave, tmp_path):
    """reports/ after a release and a night: a dated copy, recorded scans, notes beside it that people wrote in too."""
    folder = tmp_path / "reports"
    scans = folder / "rescan" / "scans"
    scans.mkdir(parents=True)
    (scans / SCANS[0]).write_text("{}")
    document = tmp_path / "VALIDATION.md"
    document.write_text(replace("# Validation\n\nBy hand.", KEY, BODY))
    notes = NotesSeal("../VALIDATION.md", KEY, sha256_of_text(section(document.read_text(), KEY)))
    leave(folder, notes=notes)
    shutil.copytree(folder, folder / "runs" / "20260102T000000Z", ignore=lambda *_: ["rescan", "runs"])
    (scans / SCANS[1]).write_text("{}")
    night = leave(folder / "rescan", kind="rescan")
    seal_folder(night, scans, None, NOW.replace(day=3))
    attest(night, REPOSITORY, None)
    return folder


def checked(capsys, folder, *options):
    """Exit code and output."""
    capsys.readouterr()
    return main([str(folder), *options]), capsys.readouterr().out


def test_an_untouched_folder_is_intact_with_all_that_lies_in_it(reports, capsys):
    """What was not looked at is named, and it is only what people write."""
    code, out = checked(capsys, reports)
    assert code == 3
    assert "– other runs: 2 of 2 are as they were left" in out
    assert "✓ history: 2 recorded scans are as they were sealed" in out
    assert [line for line in out.splitlines() if line.startswith("not covered")] == [
        "not covered: ../VALIDATION.md: what stands outside the gate's sections"
    ]


FILES = ("build.log", "report.html", "report.sarif", "junit.xml", "verdict.json", "evidence/page.png",
         "evidence/index.json",
         "runs/20260102T000000Z/build.log", "runs/20260102T000000Z/report.html", "runs/20260102T000000Z/junit.xml",
         "runs/20260102T000000Z/evidence/001-look.json", "runs/20260102T000000Z/verdict.json",
         "runs/20260102T000000Z/seal.json", "rescan/report.html", "rescan/verdict.json", "rescan/build.log",
         f"rescan/scans/{SCANS[0]}", f"rescan/scans/{SCANS[1]}", "seal.json", "statement.intoto.json")  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_an_edited_file_is_found_wherever_it_lies(reports, capsys, name):
    """Logs, pages, copies and recorded scans: a reader may rely on each."""
    (reports / name).write_bytes((reports / name).read_bytes().replace(b"a", b"b", 1) + b" ")
    code, out = checked(capsys, reports)
    assert code == 1
    assert out.splitlines()[-1].startswith("NOT VERIFIED: ")


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_was_taken_away_is_missed(reports, capsys, name):
    """A copy whose seal was taken away as well says no more than that it is not whole."""
    (reports / name).unlink()
    code, out = checked(capsys, reports)
    assert code == 1
    assert "is missing" in out


PLACES = ("new.html", "evidence/new.log", "runs/20260102T000000Z/new.html", "runs/20260102T000000Z/partial/new.html",
          "runs/new.html", "runs/20260103T000000Z/report.html", "rescan/new.html", "rescan/evidence/new",
          "partial/report.html", "partial/note.md", "other/report.html", "evidence/.hidden",
          "runs/20260102T000000Z/rescan/scans/1.json")  # fmt: skip


@pytest.mark.parametrize("name", PLACES)
def test_an_added_file_is_an_objection(reports, capsys, name):
    """Nobody but the run may have put it there."""
    (reports / name).parent.mkdir(parents=True, exist_ok=True)
    (reports / name).write_text("GO")
    assert checked(capsys, reports)[0] == 1


def test_a_copy_is_found_by_itself_too(reports, capsys):
    """By verifying that copy alone, which names what does not lie in it."""
    copy = reports / "runs" / "20260102T000000Z"
    code, out = checked(capsys, copy)
    assert code == 3
    assert "not covered: 1 recorded scans that the run knew: rescan/scans is not in this folder" in out
    (copy / "build.log").write_text("another build")
    assert checked(capsys, copy)[0] == 1


def test_a_recorded_scan_that_no_run_sealed_is_named(reports, capsys):
    """A run that was killed leaves one; it is not taken for what a run vouches for."""
    (reports / "rescan" / "scans" / "20260103T000000.000000Z-candidate-bbb.json").write_text("{}")
    code, out = checked(capsys, reports)
    assert code == 3
    assert "not covered: rescan/scans/20260103T000000.000000Z-candidate-bbb.json: no run here has sealed it" in out


def test_a_record_that_was_moved_away_and_a_run_after_it_is_no_objection(reports, capsys):
    """The way out of an unreadable record is to move it away; the next run seals what is there then."""
    (reports / "rescan" / "scans" / SCANS[0]).unlink()
    night = reports / "rescan"
    seal_folder(night, night / "scans", None, NOW.replace(day=4))
    attest(night, REPOSITORY, None)
    assert checked(capsys, reports)[0] == 3


def test_a_run_that_was_cut_short_is_named_and_no_objection(reports, capsys, edit):
    """A killed run leaves its beginning among the dated copies."""
    killed = reports / "runs" / "20260104T000000Z"
    (killed / "evidence").mkdir(parents=True)
    (killed / "evidence" / "001-look.json").write_text("{}")
    shutil.copy(reports / "verdict.json", killed / "verdict.json")
    edit(killed / "verdict.json", lambda found: found.update(verdict="INCOMPLETE", evidence=[]))
    code, out = checked(capsys, reports)
    assert code == 3
    assert "not covered: runs/20260104T000000Z: the run was cut short before it sealed anything" in out
    edit(killed / "verdict.json", lambda found: found.update(verdict="GO"))
    assert checked(capsys, reports)[0] == 1


def test_recorded_scans_alone_make_no_night(leave, tmp_path, capsys):
    """After the first release there is no rescan yet."""
    (tmp_path / "reports" / "rescan" / "scans").mkdir(parents=True)
    (tmp_path / "reports" / "rescan" / "scans" / SCANS[0]).write_text("{}")
    code, out = checked(capsys, leave(tmp_path / "reports"))
    assert code == 3
    assert "other runs" not in out


# --- the deployment notes -----------------------------------------------------------------------------


def notes(reports):
    """The document beside the reports."""
    return reports.parent / "VALIDATION.md"


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace(DIGEST, "sha256:" + "a" * 64),
        lambda text: text.replace("## app", "## another app"),
        lambda text: text.replace("| Digest |", "| Digest | `x` |\n| Digest |"),
        lambda text: text.replace(f"`{DIGEST}` |", f"`{DIGEST}` |\n\nDeploy sha256:{'b' * 64} instead."),
        lambda text: text.replace("<!-- release-gate:end", "and more\n<!-- release-gate:end"),
        lambda text: text + "\n" + text,
        lambda text: text.replace("<!-- release-gate:end", "<!-- release-gate:ende"),
    ],
    ids=["digest", "title", "second digest", "sentence", "at its end", "twice", "marker"],
)
def test_an_edit_in_the_notes_section_is_found(reports, capsys, change):
    """Stories 5.2–5.6 deploy by what is written there."""
    notes(reports).write_text(change(notes(reports).read_text()))
    code, out = checked(capsys, reports)
    assert code == 1
    assert "✗ notes: " in out


def test_the_swapped_digest_is_told(reports, capsys):
    """Both are named."""
    other = "sha256:" + "a" * 64
    notes(reports).write_text(notes(reports).read_text().replace(DIGEST, other))
    assert f"(it names {other}, and verdict.json {DIGEST})" in checked(capsys, reports)[1]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda text: text.replace("By hand.", "By hand, later."), "what stands outside the gate's sections"),
        (lambda text: replace(text, KEY, with_attempt(BODY, "NO-GO")), "the later attempt that is noted below it"),
        (lambda text: replace(text, "v0.9:aws", "older"), "section v0.9:aws: no run here has sealed it"),
        (lambda text: "# Validation\n", f"section {KEY}: it is not there, and a run here wrote it"),
    ],
    ids=["a person's words", "a later attempt", "an older release", "taken back with git"],
)
def test_what_people_and_later_runs_write_is_named_and_no_objection(reports, capsys, change, named):
    """A rehearsal's notes are taken back with git; people write beside the sections."""
    notes(reports).write_text(change(notes(reports).read_text()))
    code, out = checked(capsys, reports)
    assert code == 3
    assert named in out


def test_notes_that_are_not_there_are_named(reports, capsys):
    """A folder that was copied without the repository around it."""
    notes(reports).unlink()
    code, out = checked(capsys, reports)
    assert code == 3
    assert "not covered: ../VALIDATION.md: it is not there; the run's section of it is sealed" in out


def test_a_later_release_of_the_same_tag_replaces_the_section(reports, leave, capsys):
    """The dated copy of the earlier run is then held against nothing that is no longer there."""
    notes(reports).write_text(replace(notes(reports).read_text(), KEY, f"{BODY}\nagain"))
    sealed = NotesSeal("../VALIDATION.md", KEY, sha256_of_text(section(notes(reports).read_text(), KEY)))
    seal_folder(reports, reports / "rescan" / "scans", sealed, NOW.replace(day=5))
    attest(reports, REPOSITORY, None)
    assert checked(capsys, reports)[0] == 3


def test_with_the_key_other_runs_may_be_unsigned_and_are_named(leave, pair, tmp_path, capsys):
    """VERIFIED is about the run in the folder; of a restricted run beside it, it says what is missing."""
    leave(tmp_path / "reports", key=pair[0])
    leave(tmp_path / "reports" / "partial", kind="partial")
    code, out = checked(capsys, tmp_path / "reports", "--key", str(pair[1]))
    assert code == 0
    assert "not covered: partial: its signature: it has none by the given key" in out
