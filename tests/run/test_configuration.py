"""The run's own configuration is evidence, and a release that was overridden is INCOMPLETE at most and says so."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from gate.errors import EvidenceDamaged
from gate.evidence.run_record import CONFIGURATION as TITLE
from gate.evidence.run_record import Configuration, configuration_in, overridden
from gate.evidence.store import plain
from gate.run import configuration as gathered
from gate.verdict import decide
from tests.evidence.conftest import run_record as run_record_of

ROOT = Path(__file__).resolve().parents[2]
# The cheapest claim: it reads one file.
ONE = ("-k", "Every_review_of_a_principal or every_review_of_a_principal")
PLAIN = Configuration(
    release={"handler": "a.b", "release_tag": "v1", "approved_bases": ["x", "y"], "zip_paths": []},
    stated={"handler": "a.b", "release_tag": "v1", "approved_bases": ["x", "y"], "zip_paths": []},
    given={}, ini_file="", settings={}, plugins=[], python_flags=[], claims=[], pinned=["a"], pin_sha256="",
    command_line=["features/"], options={}, environment=[], gate={}, versions={},
)  # fmt: skip


@pytest.fixture
def account():
    """Makes an account of a run, with what a test changes."""
    return run_record_of


def said(**changed):
    """What was overridden, of a configuration with one difference."""
    return overridden(replace(PLAIN, **changed))


def test_a_run_as_the_repository_states_it_overrides_nothing():
    """And neither does a release tag that --release-tag asked for."""
    assert said() == ()
    assert said(release={**PLAIN.release, "release_tag": "v2"}, given={"release_tag": "v2"}) == ()


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"release": {**PLAIN.release, "handler": "c.d"}}, "handler is c.d in this run, and pytest.ini states a.b"),
        ({"release": {**PLAIN.release, "approved_bases": ["x"]}},
         "approved_bases is x in this run, and pytest.ini states x, y"),
        ({"release": {**PLAIN.release, "zip_paths": ["a"]}},
         "zip_paths is a in this run, and pytest.ini states nothing"),
        ({"release": {**PLAIN.release, "release_tag": "v3"}, "given": {"release_tag": "v2"}},
         "release_tag is v3 in this run, and pytest.ini states v1"),
        ({"stated": {}}, "handler is a.b in this run, and pytest.ini states nothing"),
        ({"ini_file": "other.ini"}, "the settings were read from other.ini, not from the gate's pytest.ini"),
        ({"settings": {"addopts": ""}}, "the setting addopts is nothing, given on the command line"),
        ({"plugins": ["mine"]}, "the plugin mine was loaded, which pytest.ini does not name"),
        ({"python_flags": ["-O: assertions are left out"]}, "Python ran with -O: assertions are left out"),
        ({"claims": ["the pinned claim “x” is not there"]}, "the pinned claim “x” is not there"),
        ({"release": {**PLAIN.release, "handler": "x" * 100}},
         f"handler is {'x' * 80}… in this run, and pytest.ini states a.b"),
    ],
)  # fmt: skip
def test_each_override_is_said_with_both_values(changed, sentence):
    """The effective one and the stated one."""
    assert sentence in said(**changed)


@pytest.mark.parametrize(
    ("kind", "word", "code"), [("full", "INCOMPLETE", 1), ("partial", "INCOMPLETE", 0), ("rescan", "UNKNOWN", 2)]
)
def test_an_overridden_run_is_no_yes(account, kind, word, code):
    """And the reason is among the verdict's; a failure stays a failure."""
    given = account(target="aws", kind=kind)
    verdict = replace(given, overridden=("handler is x",)).verdict()
    assert (verdict.word, verdict.exit_code) == (word, code)
    assert "overridden: handler is x" in verdict.reasons
    failed = replace(given, overridden=("handler is x",), trouble=("crash",)).verdict()
    assert failed.word == ("UNKNOWN" if kind == "rescan" else "NO-GO")


def test_nothing_overridden_changes_no_verdict(account):
    """The default of the decision."""
    given = account(target="aws")
    assert decide(
        given.outcomes, target="aws", kind="full", expected=given.expected, proofs=given.proofs
    ).word == "GO"  # fmt: skip


def test_the_record_reads_back_as_it_was():
    """So that whoever verifies decides the same."""
    assert plain(configuration_in(json.loads(json.dumps(plain(PLAIN))))) == plain(PLAIN)


@pytest.mark.parametrize("damage", [{"release": []}, {"claims": [1]}, {"pinned": "a"}, {"unknown": 1}])
def test_a_record_of_another_form_is_refused(damage):
    """Nothing is decided from it."""
    with pytest.raises(EvidenceDamaged, match=TITLE):
        configuration_in({**plain(PLAIN), **damage})


# --- what pytest was given ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("overrides", "left"),
    [
        (["reports=/tmp/r", "local_state=/tmp/s", "cache_dir=c"], {}),
        (["function_memory_mb=3008"], {}),  # a key of the release: its values are compared
        (["strict_markers=true"], {}),
        (["strict_markers=false"], {"strict_markers": "false"}),
        (["addopts="], {"addopts": ""}),
        (["testpaths=features"], {}),
        (["testpaths=elsewhere"], {"testpaths": "elsewhere"}),
        (["python_files=x=y"], {"python_files": "x=y"}),
    ],
)
def test_other_settings_that_were_given(overrides, left):
    """Where a run writes is not part of the release, and what changes nothing is no override."""
    assert gathered._settings(overrides, {"testpaths": "features", "addopts": "-q"}) == left


@pytest.mark.parametrize(
    ("asked", "extra"),
    [
        (["no:hypothesispytest"], []),
        (["no:cacheprovider"], []),
        (["mine"], ["mine"]),
        (["no:release-gate"], ["no:release-gate"]),
        (["no:steps.image"], ["no:steps.image"]),
    ],
)
def test_plugins_that_were_asked_for(asked, extra, monkeypatch):
    """A plugin can answer in anybody's place, and one that is switched off as well."""
    monkeypatch.delenv("PYTEST_PLUGINS", raising=False)
    assert gathered._plugins(asked, {"addopts": "-q -p no:hypothesispytest"}) == extra
    monkeypatch.setenv("PYTEST_PLUGINS", "one,two")
    assert gathered._plugins([], {}) == ["one", "two"]


def test_a_folder_that_is_no_checkout_is_unknown(tmp_path):
    """Nor is a folder inside of one."""
    unknown = {"commit": "unknown: not a checkout", "work tree": "unknown: not a checkout", "changed": []}
    assert gathered.checkout(tmp_path) == unknown
    assert gathered.checkout(ROOT / "gate") == unknown


def test_a_work_tree_is_clean_or_says_what_differs(tmp_path, monkeypatch):
    """With its commit; variables of git lead nowhere else."""
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    around = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@example.com"]
    (tmp_path / "file").write_text("1")
    for arguments in (["init", "-q"], ["add", "file"], ["commit", "-qm", "first"]):
        subprocess.run([*git, *arguments], check=True, env=around)
    clean = gathered.checkout(tmp_path)
    assert (len(clean["commit"]), clean["work tree"], clean["changed"]) == (40, "clean", [])
    (tmp_path / "file").write_text("2")
    assert gathered.checkout(tmp_path) == {**clean, "work tree": "1 files differ", "changed": [" M file"]}


# --- whole runs of one claim --------------------------------------------------------------------------


def run(folder, *arguments, **environment):
    """A restricted run: its exit code, its reasons, and the record of its configuration."""
    given = ("-o", f"reports={folder / 'reports'}", "-o", f"local_state={folder / 'state'}", "-p", "no:cacheprovider")
    command = [sys.executable, "-m", "pytest", "features/", *given, *ONE, *arguments]
    around = {**os.environ, **environment}
    done = subprocess.run(command, cwd=ROOT, env=around, capture_output=True, text=True, check=False)
    left = folder / "reports" / "partial"
    (record,) = left.glob("evidence/*-configuration-of-the-run.json")
    verdict = json.loads((left / "verdict.json").read_text())
    mark = "overridden: "
    reasons = [reason.removeprefix(mark) for reason in verdict["reasons"] if reason.startswith(mark)]
    return done, reasons, json.loads(record.read_text())["answer"]


def test_a_run_as_it_is_meant_says_nothing_and_records_everything(tmp_path):
    """The folders of the tests are no override; secrets' values are not recorded."""
    done, reasons, found = run(tmp_path, PIP_PASSWORD="abcdefghijklmnopqrstuvwxyz0123456789ABCD")
    assert (done.returncode, reasons) == (0, []), done.stdout
    assert {key: value or None for key, value in found["release"].items()} == {
        key: value or None for key, value in found["stated"].items()
    }
    assert found["release"]["function_memory_mb"] == "512"
    assert "PIP_PASSWORD" in found["environment"]
    assert "abcdefghijklmnopqrstuvwxyz0123456789ABCD" not in json.dumps(found)
    assert {"Python", "pytest", "pytest-bdd", "boto3", "Docker engine"} <= set(found["versions"])
    assert found["options"]["target"] == "local"
    assert len(found["pin_sha256"]) == 64


def test_an_overridden_run_says_what_was_overridden(tmp_path):
    """On the screen and in verdict.json; a restricted run that passed ends with 0 all the same."""
    done, reasons, _ = run(
        tmp_path, "-o", "handler=main.handler", "-p", "tests.hard_use.shuffled",
        PYTEST_ADDOPTS="-o function_memory_mb=3008", SHUFFLE_SEED="1",
    )  # fmt: skip
    assert done.returncode == 0
    assert reasons == [
        "handler is main.handler in this run, and pytest.ini states src.main.lambda_handler",
        "function_memory_mb is 3008 in this run, and pytest.ini states 512",
        "the plugin tests.hard_use.shuffled was loaded, which pytest.ini does not name",
    ]
    assert all(f"overridden: {reason}" in done.stdout for reason in reasons)


def test_a_conftest_beside_the_gates_own_is_said(tmp_path):
    """Pytest takes the folder that an option names for one of tests, and loads what lies there."""
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "conftest.py").write_text("")
    (tmp_path / "other" / "Dockerfile").write_text("FROM scratch")
    _, reasons, _ = run(tmp_path, "--image-context", str(tmp_path / "other"))
    assert reasons == [f"the plugin {tmp_path}/other/conftest.py was loaded, which pytest.ini does not name"]


def test_another_ini_file_is_said(tmp_path):
    """Even where the release in it is the same."""
    other = ROOT / ".cache" / f"other-{os.getpid()}.ini"
    other.parent.mkdir(exist_ok=True)
    other.write_text((ROOT / "pytest.ini").read_text() + "\n# another\n")
    try:
        _, reasons, found = run(tmp_path, "-c", str(other), "--rootdir", str(ROOT), "--confcutdir", str(ROOT))
    finally:
        other.unlink()
    assert found["ini_file"] == str(other)
    assert reasons == [f"the settings were read from {other}, not from the gate's pytest.ini"]
