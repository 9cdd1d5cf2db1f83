"""Wrong use: one clear line and exit code 4, before anything is built, started or written."""

import json
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest import mock

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
WRONG_USE = 4
UNKNOWN = 2


def surroundings(**environment):
    """Without credentials of any kind, whatever the machine has."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("AWS_") and k != "RELEASE_TARGET"}
    return clean | {"HOME": "/nonexistent", "AWS_EC2_METADATA_DISABLED": "true", **environment}


def call(*arguments, **environment):
    """The gate's own command line in a process of its own, collecting only what it must."""
    command = [sys.executable, "-m", "pytest", "features/", *arguments]
    env = surroundings(**environment)
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, env=env, check=False)


def called_here(screen, *arguments):
    """The same in this process, which has imported the gate already; exit code, and what was said."""
    with (
        screen.open("w", encoding="utf-8") as out,
        redirect_stdout(out),
        redirect_stderr(out),
        mock.patch.dict(os.environ, surroundings(), clear=True),
        pytest.MonkeyPatch.context() as patched,
    ):
        patched.chdir(ROOT)
        code = int(pytest.main(["features/", *arguments]))
    return code, screen.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--target", "azure"], "--target is local or aws, not 'azure'"),
        (["--publish"], "--publish goes with --target aws"),
        (["--keep", "--target", "aws"], "--keep goes with --target local"),
        (["--image", "x:1", "--image-context", "."], "--image and --image-context exclude each other"),
        (["--target", "aws", "--publish", "--image", "x:1"], "--publish builds what it publishes: leave out --image"),
        (["--image", ""], "--image is given an empty value"),
        (["--promote", "v1.0.0", "--release-tag", "v1.0.1"], "leave out --publish, --image and --release-tag"),
        (["--promote", "v1.0.0", "-m", "ac2"], "leave out -m, -k and paths"),
        (["--promote", "v9.9.9"], "--promote v9.9.9: no run that is recorded here has released it on local"),
        (["--promote", ""], "--promote is given an empty value"),
        (["-o", "keep_runs=0"], "keep_runs must be a whole number above 0, and is '0'"),
        (["-o", "on_not_clean='"], "on_not_clean is no command line"),
        (["--sign", ""], "--sign is given an empty value"),
        (["--release-tag", ""], "--release-tag is given an empty value"),
        (["--image-context", "docs"], "docs: name its folder with --image-context"),
        (["-o", "image_context=nowhere"], "nowhere: name its folder with --image-context (or in pytest.ini)"),
        (["--release-tag", "not a tag"], "a tag must be letters, digits"),
        (["--release-tag", "latest"], "the tags must be different from each other"),
        (["--scan-timeout", "0"], "a timeout is a number of seconds above 0"),
        (["--previous", "no-such-file.json"], "--previous names no file: no-such-file.json"),
        (["--sign", "oidc", "--trust-config", "no-such.json"], "--trust-config names no file: no-such.json"),
        (["--sign", "no-such-key.pem"], "--sign names no file: no-such-key.pem"),
        (["-m", "ac10"], "-m names a marker that is not there: ac10 (did you mean ac1?)"),
        (["-m", "ac1 or rescna"], "rescna (did you mean rescan?)"),
        (["-m", "ac1 and"], "-m is no expression of markers"),
        (["-m", "ac1,ac2"], "-m is no expression of markers"),
        (["-m", "AC1"], "AC1 (did you mean ac1?)"),
        (["-k", "No secret is in the imgae"], "(did you mean No secret is in the image?)"),
        (["-k", "no_such_thing"], "-k names no scenario: no_such_thing"),
        (["-o", "functon_memory_mb=512"], "functon_memory_mb (did you mean function_memory_mb?)"),
        (["--setup-only"], "--setup-only runs no scenario"),
        (["features/test_aceptance.py"], "(did you mean test_acceptance.py?)"),
        (["nowhere/at/all"], "there is no nowhere/at/all"),
        (["-n", "2"], "the gate runs in one process: leave out -n"),
        (["features/ac3_documented.feature"], "choose a criterion with -m"),
        (["-o", "account=12"], "account must be twelve digits, and is '12'"),
        (["-o", "handler="], "pytest.ini gives no value for handler"),
        (["-o", "function_memory_mb=100"], "function_memory_mb must be a whole number from 128 to 10240"),
        (["-o", "safe_event=[]"], "safe_event must be a JSON object"),
        (["-o", "reports=/proc/reports"], "cannot be written"),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_four(arguments, words, tmp_path):
    """Each contradiction is named, with no traceback, and nothing is written."""
    if not any(word.startswith("reports=") for word in arguments):
        arguments = [*arguments, "-o", f"reports={tmp_path / 'reports'}"]
    code, said = called_here(tmp_path / "screen.log", *arguments)
    assert code == WRONG_USE, said
    assert words in said
    assert "Traceback" not in said
    assert not (tmp_path / "reports" / "verdict.json").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--target", "azure"], "--target is local or aws, not 'azure'"),
        (["--relase-tag", "v1"], "--relase-tag (did you mean --release-tag?)"),
        (["--publsh"], "--publsh (did you mean --publish?)"),
    ],
)
def test_wrong_use_ends_a_process_with_that_code(arguments, words, tmp_path):
    """As a person calls it; a misspelt option is looked for in the process's own command line."""
    done = call(*arguments, "-o", f"reports={tmp_path / 'reports'}")
    assert (done.returncode, done.stdout) == (WRONG_USE, ""), done.stdout
    assert words in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        "--collect-only",
        "-k register",
        "-mac1",
        "--deselect=features/x",
        "--setup-plan",
        "--version",
        "-o 'addopts=-k x'",
    ],
)
def test_a_variable_does_not_decide_what_is_checked(words, tmp_path):
    """A run that was asked for whole would end with 0 after a part of it, or after nothing."""
    done = call("-o", f"reports={tmp_path / 'reports'}", PYTEST_ADDOPTS=f"-q {words}")
    assert (done.returncode, done.stdout) == (WRONG_USE, "")
    assert "PYTEST_ADDOPTS holds " in done.stderr
    assert not (tmp_path / "reports").exists()


def test_a_variable_may_still_say_how_it_looks():
    """Colours and the like, and what is listed on request."""
    done = call("--collect-only", "-q", "-k", "register", PYTEST_ADDOPTS="--color=yes --tb=short")
    assert done.returncode == 0, done.stderr


@pytest.mark.docker
@pytest.mark.parametrize("image", ["no:such", "no reference::"])
def test_an_image_that_is_not_there_is_refused_at_the_start(image, tmp_path):
    """One line with the way out, instead of every scenario failing in turn."""
    done = call("--image", image, "-o", f"reports={tmp_path / 'reports'}")
    said = (done.stdout + done.stderr).strip()
    assert done.returncode == WRONG_USE, said
    assert said == f"ERROR: --image names no image of this Docker engine: {image}; build or pull it first, or " \
                   "correct the reference"  # fmt: skip
    assert not (tmp_path / "reports" / "verdict.json").exists()


def test_an_engine_that_does_not_answer_is_no_wrong_use(tmp_path):
    """The scenarios say so, and the run has a verdict."""
    done = call("--image", "no:such", "-k", "starts_as", "-o", f"reports={tmp_path / 'reports'}",
                DOCKER_HOST="tcp://127.0.0.1:1")  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "the Docker engine does not answer" in done.stdout
    assert "REHEARSAL FAILED" in done.stdout


def test_help_explains_every_option_and_key_with_examples():
    """`pytest features/ --help` is where a newcomer looks."""
    said = call("--help").stdout
    assert "release gate, for example" in said
    assert "options of the release gate:" in said
    for word in ("--image-context", "--release-tag", "--scan-timeout", "safe_event", "approved_bases"):
        assert word in said


def test_a_night_without_credentials_is_unknown_and_leaves_no_yesterday(tmp_path):
    """Nobody watches it: yesterday's CLEAN may not stand in the folder, and the exit code is that of UNKNOWN."""
    reports = tmp_path / "reports"
    (reports / "rescan").mkdir(parents=True)
    (reports / "rescan" / "verdict.json").write_text('{"verdict": "CLEAN"}')
    done = call("-m", "rescan", "--target", "aws", "-o", f"reports={reports}", AWS_REGION="ap-northeast-2")
    assert done.returncode == UNKNOWN, done.stdout + done.stderr
    verdict = json.loads((reports / "rescan" / "verdict.json").read_text())
    assert verdict["verdict"] == "UNKNOWN"
    assert "there are no AWS credentials" in verdict["reasons"][0]
    assert "there are no AWS credentials" in (reports / "rescan" / "report.html").read_text()
