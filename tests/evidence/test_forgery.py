"""Forgery: fitting hashes do not make a verdict true, because it is decided again from the records."""

import json
import shutil
from pathlib import Path

import pytest

from gate.evidence import integrity
from gate.evidence.__main__ import main
from gate.evidence.run_record import TITLE

SCAN, RUN_RECORD = "evidence/007-scan-behind-latest.json", "evidence/012-account-of-the-run.json"
VERDICT = "verdict.json"

FORGED = {
    "status in the record": (
        lambda f, e: e(f / RUN_RECORD, lambda r: r["answer"]["outcomes"][6].update(status="failed")),
        "verdict.json says REHEARSAL PASSED, and decided again it is REHEARSAL FAILED",
    ),
    "status unknown to the gate": (
        lambda f, e: e(f / RUN_RECORD, lambda r: r["answer"]["outcomes"][6].update(status="waived")),
        f"the {TITLE} cannot be read: ValueError: 'waived' is none of",
    ),
    "verdict word": (
        lambda f, e: e(f / VERDICT, lambda v: v.update(verdict="GO")),
        "verdict.json says GO, and decided again it is REHEARSAL PASSED",
    ),
    "longer validity": (
        lambda f, e: e(f / VERDICT, lambda v: v.update(valid_until="2030-01-01T00:00:00+00:00")),
        'verdict.json says of valid_until: "2030-01-01T00:00:00+00:00"; the record of the run says: null',
    ),
    "another release's digest": (
        lambda f, e: e(f / VERDICT, lambda v: v["release"].update(digest="sha256:" + "a" * 64)),
        "verdict.json says of release.digest: ",
    ),
    "record taken out": (lambda f, e: (f / SCAN).unlink(), "there is no record with the number 7"),
    "second run record": (
        lambda f, e: (
            shutil.copy(f / RUN_RECORD, f / "evidence/013-again.json"),
            e(f / "evidence/013-again.json", lambda r: r.update(number=13)),
        ),
        f"the evidence holds 2 records titled “{TITLE}”",
    ),
    "number used twice": (
        lambda f, e: shutil.copy(f / SCAN, f / "evidence/007-again.json"),
        "there are two records with the number 7",
    ),
    "renamed record": (
        lambda f, e: (f / SCAN).rename(f / "evidence/013-scan.json"),
        "evidence/013-scan.json is not record 13: it says 7",
    ),
    "another file in a record's place": (
        lambda f, e: (f / "evidence/013-note.json").write_text('{"answer": {}}'),
        "evidence/013-note.json is not record 13: it says None",
    ),
}


@pytest.mark.parametrize(("damage", "sentence"), FORGED.values(), ids=FORGED)
def test_a_forgery_with_fitting_hashes_is_noticed(run_folder, edit, seal_again, capsys, damage, sentence):
    """The verdict is decided again from the records, so fitting hashes alone do not make it true."""
    damage(run_folder, edit)
    seal_again(run_folder)
    assert main([str(run_folder)]) == 1
    assert sentence in capsys.readouterr().out


def test_a_record_whose_answer_was_exchanged_is_noticed(run_folder, edit):
    """Its own sha-256 tells, whatever the index says."""
    edit(run_folder / SCAN, lambda record: record["answer"].update(findings=["one"]))
    result = integrity.intact({Path(SCAN).name: (run_folder / SCAN).read_bytes()})
    assert "holds another answer than was recorded" in result.rejections[0].cause


def test_a_file_without_an_answer_is_no_record():
    """A JSON object under a record's name is not taken for one."""
    result = integrity.intact({"001-x.json": b"{}"})
    assert "is not a record: it lacks an answer" in result.rejections[0].cause
    no_text = integrity.intact({"001-x.json": b'{"answer": "\\ud800"}'})
    assert "holds another answer than was recorded" in no_text.rejections[0].cause


def test_half_a_record_is_told_and_not_thrown():
    """By the check itself, with the file's name once and the way out."""
    (rejection,) = integrity.intact({"001-x.json": b'{"answer"'}).rejections
    assert rejection.cause.startswith("evidence/001-x.json is not whole: ")
    assert rejection.remedy == (
        "do not rely on this folder: restore it from the run's artefact; if there is none, run the gate again"
    )


def test_a_record_that_is_missing_between_two_is_told(run_folder):
    """And neither of the two is."""
    raw = (run_folder / SCAN).read_bytes()
    first, third = (json.dumps({**json.loads(raw), "number": number}).encode() for number in (1, 3))
    (rejection,) = integrity.intact({"001-scan.json": first, "003-scan.json": third}).rejections
    assert rejection.cause == "there is no record with the number 2"


def test_a_flood_of_differences_is_told_in_a_few_lines(run_record):
    """Five are named and the rest are counted, so that the screen stays readable."""
    result = integrity.follows({"verdict": "GO"}, run_record())
    causes = [rejection.cause for rejection in result.rejections]
    assert causes[0] == "verdict.json says GO, and decided again it is REHEARSAL PASSED"
    assert len(causes) == 7
    assert "more places" in causes[-1]


def test_a_file_that_cannot_be_read_is_told_once():
    """Not also as altered; and one that the index does not list is told as added."""
    result = integrity.unaltered(
        {"a": "1"}, {"b": "2"}, {"a": "evidence/a cannot be read as a plain file: it is a link"}
    )
    assert [each.cause for each in result.rejections] == [
        "evidence/a cannot be read as a plain file: it is a link",
        "evidence/b is not in the index: it was added after the run",
    ]


def test_an_untouched_folder_is_accepted():
    """Every file with its hash, in the index as in verdict.json."""
    assert integrity.unaltered({"a": "1"}, {"a": "1"}).accepted
    assert integrity.listed([{"file": "evidence/a", "sha256": "1"}], {"a": "1"}).accepted


@pytest.mark.parametrize(("names", "told"), [(5, 5), (6, 6)])
def test_five_differences_are_named_and_only_more_are_counted(run_record, names, told):
    """Of six, five are named and one is counted."""
    given = run_record()
    forged = {
        "reasons": ["x"],
        "target": "aws",
        "kind": "rescan",
        "started": "x",
        "valid_until": "x",
        "only_aws": ["x"],
    }
    changed = dict(list(forged.items())[:names])
    causes = [each.cause for each in integrity.follows({**given.stated(given.verdict()), **changed}, given).rejections]
    assert len(causes) == told
    assert (" in 1 more places" in causes[-1]) is (names > 5)


@pytest.mark.parametrize(("length", "cut"), [(118, False), (119, True)])
def test_a_long_value_is_cut_at_120_characters(run_record, length, cut):
    """With its two quotes."""
    given = run_record()
    forged = {**given.stated(given.verdict()), "started": "x" * length}
    (rejection,) = integrity.follows(forged, given).rejections
    assert ("…" in rejection.cause) is cut
    assert "x" * 118 in rejection.cause


def test_a_value_is_told_in_the_letters_it_is_written_in(run_record):
    """A person reads it."""
    given = run_record()
    (rejection,) = integrity.follows({**given.stated(given.verdict()), "started": "어제"}, given).rejections
    assert 'verdict.json says of started: "어제"' in rejection.cause


@pytest.mark.parametrize("name", ["causes", "beside"])
def test_a_cause_that_no_outcome_has_is_told(run_record, name):
    """Whoever reads verdict.json is told another reason than the run had."""
    stated = run_record().stated(run_record().verdict())
    assert integrity.follows(stated, run_record()).accepted
    [rejection] = integrity.follows({**stated, name: ["invented"]}, run_record()).rejections
    assert rejection.cause == f"verdict.json's {name} is not what follows"
