"""Verification: a good folder passes, and every way to alter one is told in its own sentence."""

import json
import shutil
from datetime import UTC, datetime

import pytest

from gate.check import CHECKS, run_self_tests
from gate.evidence.__main__ import main
from gate.evidence.statement import hashes_of, states
from gate.evidence.store import ENVELOPE, STATEMENT
from tests.evidence.conftest import DIGEST

SCAN, RUN_RECORD = "evidence/007-scan-behind-latest.json", "evidence/012-account-of-the-run.json"
INDEX, VERDICT = "evidence/index.json", "verdict.json"
SHA = DIGEST.removeprefix("sha256:")


def test_a_good_folder_passes_wherever_it_lies(run_folder, tmp_path, capsys):
    """The folder itself and a copy elsewhere: one line a check and one verdict."""
    shutil.copytree(run_folder, tmp_path / "copied away")
    assert main([str(run_folder)]) == 3
    assert main([str(tmp_path / "copied away")]) == 3
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 22
    says = f"it says REHEARSAL PASSED for {DIGEST}, run of 2026-01-02T00:00:00+00:00"
    assert lines[-1] == f"INTACT, UNSIGNED (anybody can make such a folder); {says}"
    assert "– signature: none" in lines[7]


def test_a_go_says_how_long_it_is_valid(leave, pair, tmp_path, capsys):
    """Whoever verifies it a month later is told that it is past."""
    signed = [str(leave(tmp_path, key=pair[0], target="aws")), "--key", str(pair[1])]
    assert main(signed, datetime(2026, 1, 2, 12, tzinfo=UTC)) == 0
    assert main(signed, datetime(2026, 2, 2, tzinfo=UTC)) == 0
    fresh, past = (line for line in capsys.readouterr().out.splitlines() if line.startswith("VERIFIED"))
    assert fresh.endswith("valid until 2026-01-03T01:00:00+00:00")
    assert past.endswith("(past: scan and check again)")


@pytest.mark.parametrize("name", [SCAN, RUN_RECORD, "evidence/page.png"])
def test_an_altered_byte_is_noticed(run_folder, name, capsys):
    """One bit in a record or in a picture."""
    content = bytearray((run_folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (run_folder / name).write_bytes(content)
    assert main([str(run_folder)]) == 1
    assert f"{name} was altered: its sha-256 is" in capsys.readouterr().out


DAMAGE = {
    "removed record": (lambda f, e: (f / SCAN).unlink(), f"✗ index: {SCAN} is missing: the index lists it"),
    "removed picture": (lambda f, e: (f / "evidence/page.png").unlink(), "evidence/page.png is missing"),
    "removed report": (lambda f, e: (f / "report.html").unlink(), "report.html is missing: the seal lists it"),
    "removed index": (
        lambda f, e: (f / INDEX).unlink(),
        f"{INDEX} is missing: it was removed, or the run was cut short",
    ),
    "removed verdict": (lambda f, e: (f / VERDICT).unlink(), f"{VERDICT} is missing: it was removed"),
    "removed statement": (lambda f, e: (f / STATEMENT).unlink(), f"{STATEMENT} is missing: it was removed"),
    "added file": (
        lambda f, e: (f / "evidence/003-clean.json").write_text("{}"),
        "evidence/003-clean.json is not in the index: it was added after the run",
    ),
    "added hidden file in a folder": (
        lambda f, e: ((f / "evidence/.a").mkdir(), (f / "evidence/.a/.b").write_text("")),
        "evidence/.a/.b is not in the index",
    ),
    "file that became a link": (
        lambda f, e: ((f / SCAN).rename(f.parent / "away"), (f / SCAN).symlink_to(f.parent / "away")),
        f"{SCAN} cannot be read as a plain file",
    ),
    "link to nothing": (
        lambda f, e: (f / "evidence/x").symlink_to("nowhere"),
        "evidence/x cannot be read as a plain file",
    ),
    "folder in place of the statement": (
        lambda f, e: ((f / STATEMENT).unlink(), (f / STATEMENT).mkdir()),
        f"{STATEMENT} cannot be read as a plain file: it is a folder",
    ),
    "changed verdict word": (
        lambda f, e: e(f / VERDICT, lambda v: v.update(verdict="GO")),
        "✗ verdict: verdict.json says GO, and decided again it is REHEARSAL PASSED",
    ),
    "changed word, statement": (
        lambda f, e: e(f / VERDICT, lambda v: v.update(verdict="GO")),
        "✗ statement: the statement says WARNED, and GO can only be stated as PASSED",
    ),
    "changed status": (
        lambda f, e: e(f / VERDICT, lambda v: v["criteria"]["7"]["scenarios"][0].update(status="failed")),
        'verdict.json says of “scenario 7” (AC7), status: "failed"; the record of the run says: "passed"',
    ),
    "swapped digest in the verdict": (
        lambda f, e: e(f / VERDICT, lambda v: v["release"].update(digest="sha256:" + "a" * 64)),
        "verdict.json says of release.digest: ",
    ),
    "statement about another digest": (
        lambda f, e: e(f / STATEMENT, lambda s: s["subject"][0].update(digest={"sha256": "a" * 64})),
        f"the statement is about sha256:{'a' * 64}, and verdict.json about {DIGEST}",
    ),
    "statement about a second image": (
        lambda f, e: e(f / STATEMENT, lambda s: s["subject"].append({"digest": {"sha256": "a" * 64}})),
        f"the statement is about {DIGEST}, sha256:{'a' * 64}",
    ),
    "statement about nothing": (
        lambda f, e: e(f / STATEMENT, lambda s: s.update(subject=[])),
        f"{STATEMENT} is not whole: At least one subject required",
    ),
    "statement beside a verdict without an image": (
        lambda f, e: e(f / VERDICT, lambda v: v["release"].update(digest=None, image_id=None)),
        f"the statement is about {DIGEST}, and verdict.json about no image",
    ),
    "statement of another kind": (
        lambda f, e: e(f / STATEMENT, lambda s: s.update(predicateType="https://example.com/v1")),
        "the statement's predicate is https://example.com/v1",
    ),
    "statement that passes": (
        lambda f, e: e(f / STATEMENT, lambda s: s["predicate"].update(result="PASSED")),
        "the statement says PASSED, and REHEARSAL PASSED can only be stated as WARNED",
    ),
    "scenario moved in the statement": (
        lambda f, e: e(f / STATEMENT, lambda s: s["predicate"]["passedTests"].append("scenario 7")),
        "“scenario 7” is among passedTests in only one of the statement and verdict.json",
    ),
    "word added to the statement": (
        lambda f, e: e(
            f / STATEMENT,
            lambda s: [c.update(annotations={"verdict": "GO"}) for c in s["predicate"]["configuration"]],
        ),
        "what the statement adds to the files it covers is not what verdict.json says",
    ),
    "detail of the verdict": (
        lambda f, e: e(f / VERDICT, lambda v: v.update(finished="2030-01-01T00:00:00+00:00")),
        f"{VERDICT} was altered: its sha-256 is",
    ),
    "altered report": (
        lambda f, e: (f / "report.html").write_text("GO"),
        "report.html was altered: its sha-256 is ",
    ),
    "hash in the verdict's list": (
        lambda f, e: e(f / VERDICT, lambda v: v["evidence"][0].update(sha256="0" * 64)),
        "✗ list: evidence/001-look.json: verdict.json says sha-256 000",
    ),
    "file listed twice": (
        lambda f, e: e(f / VERDICT, lambda v: v["evidence"].append(v["evidence"][0])),
        "verdict.json lists a file of the evidence twice",
    ),
    "scenario listed twice": (
        lambda f, e: e(
            f / VERDICT, lambda v: v["criteria"]["7"]["scenarios"].append(v["criteria"]["7"]["scenarios"][0])
        ),
        "verdict.json's criteria is not what follows",
    ),
    "truncated record": (
        lambda f, e: (f / SCAN).write_bytes((f / SCAN).read_bytes()[:40]),
        f"✗ records: {SCAN} is not whole:",
    ),
    "truncated verdict": (
        lambda f, e: (f / VERDICT).write_bytes((f / VERDICT).read_bytes()[:-40]),
        f"{VERDICT} is not whole:",
    ),
    "truncated index": (lambda f, e: (f / INDEX).write_text("{"), f"{INDEX} is not whole:"),
    "truncated statement": (lambda f, e: (f / STATEMENT).write_text("{"), f"{STATEMENT} is not whole:"),
    "verdict of another form": (lambda f, e: (f / VERDICT).write_text("[]"), "a JSON object was expected, not list"),
    "verdict without its parts": (lambda f, e: (f / VERDICT).write_text("{}"), "not in the form that a run writes"),
    "empty index": (lambda f, e: (f / INDEX).write_text("{}"), "the index lists no file: the run recorded nothing"),
    "no record left": (lambda f, e: shutil.rmtree(f / "evidence"), "the evidence holds no record"),
    "envelope that is none": (lambda f, e: (f / ENVELOPE).write_text("{}"), "the signed envelope cannot be read"),
}


@pytest.mark.parametrize(("damage", "sentence"), DAMAGE.values(), ids=DAMAGE)
def test_damage_is_told_in_its_own_sentence(run_folder, edit, capsys, damage, sentence):
    """Each kind of damage ends with 1 and names the thing."""
    damage(run_folder, edit)
    assert main([str(run_folder)]) == 1
    out = capsys.readouterr().out
    assert sentence in out
    assert out.splitlines()[-1].startswith("NOT VERIFIED: ")


def test_a_file_that_was_altered_is_all_that_is_told_of_the_files(run_folder):
    """That the statement's list of them differs follows from it; and the way out is told."""
    (run_folder / "seal.json").write_text("{}")
    document, said = (json.loads((run_folder / name).read_text()) for name in (VERDICT, STATEMENT))
    (rejection,) = states(said, document, hashes_of(run_folder)).rejections
    assert rejection.cause.startswith("seal.json was altered: ")
    assert rejection.remedy == (
        "do not rely on this folder: restore it from the run's artefact; if there is none, run the gate again"
    )


def test_a_run_that_was_cut_short_is_not_verified(run_folder, capsys):
    """What a killed run keeps is readable and is told apart from what a whole run leaves."""
    for name in (INDEX, STATEMENT, RUN_RECORD):
        (run_folder / name).unlink()
    assert main([str(run_folder)]) == 1
    assert "the run was cut short" in capsys.readouterr().out


def test_a_run_without_an_image_needs_no_statement(leave, tmp_path, capsys):
    """A restricted run may know no image; what it left is checked all the same."""
    folder = leave(tmp_path, kind="partial", release={"digest": None, "image_id": None}, trouble=("crash",))
    assert main([str(folder)]) == 3
    assert "– statement: none: the run knew no image" in capsys.readouterr().out


@pytest.mark.parametrize("inside", ["evidence", "."])
def test_a_folder_that_holds_no_run_is_wrong_use(run_folder, tmp_path, capsys, inside):
    """The folder of the records themselves leads to the one above."""
    folder = run_folder / "evidence" if inside == "evidence" else tmp_path
    assert main([str(folder)]) == 1
    out = capsys.readouterr().out
    assert "holds no run" in out
    assert (f"name the folder above it: {run_folder}" in out) is (inside == "evidence")


def test_what_a_stranger_wrote_cannot_steer_the_terminal(run_folder, edit, capsys):
    """A name or a word from the folder is shown without its escape sequences."""
    edit(run_folder / VERDICT, lambda found: found.update(verdict="\x1b[32mGO\x1b[0m"))
    (run_folder / "evidence" / "\x1b[2Jx").write_text("")
    assert main([str(run_folder)]) == 1
    assert "\x1b" not in capsys.readouterr().out


def test_the_checks_of_evidence_say_no():
    """Each check of the folder is on the list of checks, and says no to its known-bad value."""
    names = {f"gate.evidence.{name}" for name in (
        "integrity.unaltered", "integrity.intact", "integrity.listed", "integrity.follows", "statement.states",
        "signature.signed", "verify_reports.recorded", "verify_reports.noted", "__main__.as_expected",
        "recheck.scenarios_rest_on_records", "recheck.self_tests_agree", "recheck.scans_hold",
        "recheck.image_holds", "recheck.call_log_holds", "recheck.configuration_holds",
    )}  # fmt: skip
    assert names <= set(CHECKS)
    proofs = {proof.check: proof for proof in run_self_tests() if proof.check in names}
    assert all(proof.said_no and "crashed" not in proof.answer for proof in proofs.values())
