"""The verdict on the page of a CI job."""

import json
import subprocess
import sys

import pytest

from gate.report.job_summary import SHOWN_REASONS, main, picture, summary
from gate.verdict import CRITERIA


def document(**changed):
    """A verdict.json."""
    scenarios = [{"name": "a", "status": "passed"}, {"name": "b", "status": "not run"}]
    criteria = {str(number): {"status": "passed", "scenarios": scenarios} for number in CRITERIA}
    release = {"digest": "sha256:1", "tags": ["latest", "v1.0.0"]}
    whole = {"verdict": "GO", "target": "aws", "endpoint_is_aws": True, "release": release, "criteria": criteria,
             "judges": {"said_no": 3, "of": 3}, "valid_until": "2025-10-19", "reasons": []}  # fmt: skip
    return {**whole, **changed}


def test_verdict_release_and_the_nine_criteria_are_there():
    """What QA looks for first."""
    text = summary(document())
    assert text.startswith("## GO\n")
    assert "sha256:1, tags: latest, v1" in text
    assert text.count("✅ passed | 1 of 2 |") == len(CRITERIA)
    assert "rehearsal" not in text
    assert "What stands against it" not in text


def test_an_endpoint_that_is_not_aws_is_said():
    """Whatever the word is."""
    assert "a rehearsal" in summary(document(endpoint_is_aws=False))


def test_reasons_are_shown_and_a_flood_of_them_is_counted():
    """One line each."""
    text = summary(document(verdict="NO-GO", reasons=["AC1: x\nwhere: y", *["z"] * 30]))
    assert "- AC1: x\n" in text
    assert f"… and {31 - SHOWN_REASONS} more" in text


def rejected(cause, *scenarios, where="", remedy="", consequences=()):
    """A cause as verdict.json states it."""
    hit = [{"criterion": criterion, "name": name} for criterion, name in scenarios]
    said = {"cause": cause, "where": where, "remedy": remedy, "paste": ""}
    return {"rejections": [said], "checked": True, "claims": hit, "consequences": list(consequences)}


def test_a_cause_of_many_failures_is_told_once_with_its_way_out():
    """One failed build is one entry, not fifty scenarios; what only follows from it is counted."""
    follows = rejected("nothing was pushed", (2, "a"), (3, "c"))
    build = rejected("no space\n  at line 3", (1, "a"), (1, "b"), (2, "d"), where="build.log", remedy="make room",
                     consequences=[follows])  # fmt: skip
    content = document(verdict="NO-GO", reasons=["interrupted", "AC1: a"], causes=[build, rejected("alone", (5, "e"))],
                       beside=["interrupted"])  # fmt: skip
    against = summary(content).partition("What stands against it")[2].split("\n")
    assert [line for line in against if line] == [
        "- 3 scenarios of AC1, AC2: no space",
        "  - where: build.log",
        "  - to do: make room",
        "  - 2 more scenarios failed with it",
        "- AC5: alone",
        "- interrupted",
    ]


def test_foreign_text_is_harmless():
    """A reason may quote anybody."""
    text = summary(document(reasons=["<img src=x> [a](http://b) | `c`"]))
    assert "<img" not in text
    assert "[a](http" not in text


@pytest.mark.parametrize("content", [None, "", "{}", "[]", '{"verdict": "GO"}'])
def test_no_verdict_is_no_success(tmp_path, capsys, content):
    """Missing or cut short: said, and exit code 1."""
    path = tmp_path / "verdict.json"
    if content is not None:
        path.write_text(content)
    assert main(path) == 1
    assert capsys.readouterr().out.startswith("## No verdict")


def test_it_runs_before_anything_is_installed(tmp_path):
    """With Python alone: the job's page is written also when set-up failed."""
    path = tmp_path / "verdict.json"
    path.write_text(json.dumps(document()))
    bare = [sys.executable, "-I", "-S", "-c",
            f"import sys; sys.path.insert(0, {str(_root())!r}); import gate.report.job_summary as s; sys.exit(s.main(s.Path({str(path)!r})))"]  # fmt: skip  # noqa: E501
    done = subprocess.run(bare, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout[:5]) == (0, "## GO"), done.stderr


def _root():
    from pathlib import Path

    return Path(__file__).resolve().parents[2]


def test_a_night_shows_the_findings_over_the_nights_and_what_to_know(tmp_path, capsys):
    """From the recorded scans beside the verdict; one that cannot be read hides no verdict."""
    path, scans = tmp_path / "verdict.json", tmp_path / "scans"
    scans.mkdir()
    path.write_text(json.dumps(document(verdict="NOT CLEAN", kind="rescan", remarks=["no night was recorded since x"])))
    finding = {"id": "CVE-1", "severity": "HIGH"}
    record = {"at": "2026-01-01T03:17:00+00:00", "target": "aws", "digest": "sha256:" + "a" * 64, "findings": [finding]}
    (scans / "1.json").write_text(json.dumps(record))
    assert main(path) == 0
    said = capsys.readouterr().out
    assert "### To know\n\n- no night was recorded since x\n" in said
    assert "2026-01-01T03:17 aaaaaaaa H  1 high\n" in said
    (scans / "2.json").write_text("{")
    assert main(path) == 0
    said = capsys.readouterr().out
    assert said.startswith("## NOT CLEAN")
    assert "The recorded nights cannot be shown" in said


def scan(folder, day, *severities, target="aws", **changed):
    """A recorded scan."""
    findings = [{"id": "CVE-1", "severity": severity, **changed} for severity in severities]
    at, digest = f"2026-01-{day:02}T03:17:00+00:00", "sha256:" + "a" * 64
    record = {"at": at, "target": target, "digest": digest, "findings": findings}
    (folder / f"{day:02}.json").write_text(json.dumps(record))


def test_the_nights_are_drawn_by_severity(tmp_path):
    """The worst first, a letter for each finding; other targets are left out; unknown words count as critical."""
    scan(tmp_path, 1)
    scan(tmp_path, 2, "LOW", "HIGH", "HIGH", "NEW WORD")
    scan(tmp_path, 3, "LOW", target="local")
    scan(tmp_path, 4, "LOW", id="")
    lines = picture(tmp_path, "aws").splitlines()
    assert lines[3:-1] == [
        "2026-01-01T03:17 aaaaaaaa ·  none",
        "2026-01-02T03:17 aaaaaaaa CHHL  1 critical, 2 high, 1 low",
        "2026-01-04T03:17 aaaaaaaa C  1 critical",
    ]
    assert picture(tmp_path, "aws-rehearsal") == ""


def test_a_flood_of_findings_fits_and_hides_no_single_one(tmp_path):
    """The longest line is of some sixty letters."""
    scan(tmp_path, 1, "CRITICAL", *["LOW"] * 1_000)
    line = picture(tmp_path, "aws").splitlines()[3]
    assert "CLLL" in line
    assert "CC" not in line
    assert len(line) < 120
