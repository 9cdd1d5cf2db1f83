"""A part that a release does not have: its scenarios are left out with the reason, and everything else is checked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from gate.errors import WrongUse
from gate.evidence.recheck import configuration_holds
from gate.image.file_checks import absent_parts_are_absent
from gate.image.tree import ELF_MAGIC, ImageFile, Tree
from gate.publish.promotion_checks import ReleaseTags, tags_to_set
from gate.release import Release
from gate.release_file import ini_settings, ini_value, read, release_of
from gate.report.job_summary import summary
from gate.scenarios.absent_parts import ReleaseParts
from gate.scenarios.features import HOME, scenarios_of
from gate.verdict import NotPart, decide
from tests.evidence.conftest import configured, run_record

INI = Path(__file__).resolve().parents[2] / "pytest.ini"
STATED = ini_settings(INI)
SCENARIOS = scenarios_of(HOME)
EVERY = sum(len(each.titles) for each in SCENARIOS.values())
NO_BROWSER = {"chrome_bin": "", "chromedriver_bin": "", "drawn_language": "", "drawn_text": ""}
NO_DRIVER = {"chromedriver_bin": "", "drawn_language": "", "drawn_text": ""}


def release(**changed: str) -> Release:
    """The release of pytest.ini with other values."""
    return read(lambda key: ini_value({**STATED, **changed}, key))


EVERY = sum(len(each.titles) for each in SCENARIOS.values())


def names(found: tuple[NotPart, ...]) -> set[str]:
    """What is left out, by criterion and the beginning of the title."""
    return {f"AC{each.criterion} {each.name}" for each in found}


def test_this_release_has_all_parts():
    """Its scenarios are those of features/, under their own titles."""
    parts = ReleaseParts(release_of(INI))
    kept = parts.kept(parts.titled(SCENARIOS).values())
    assert kept == tuple(SCENARIOS.values())
    assert sum(len(each.titles) for each in kept) == EVERY
    assert parts.left_out(SCENARIOS.values()) == ()


LEFT_OUT = [
    ("driver", NO_DRIVER, 5, "chromedriver_bin"),
    ("drawn language", {"drawn_language": "", "drawn_text": ""}, 1, "drawn_language"),
    ("Python", {**NO_DRIVER, "python_version": "", "development_packages": ""}, 4, "python_version"),
    ("zip function", {"zip_function": ""}, 5, "zip_function"),
    ("rolling tag", {"rolling_tag": ""}, 4, "rolling_tag"),
]


@pytest.mark.parametrize(("part", "changed", "number", "key"), LEFT_OUT)
def test_the_scenarios_of_an_absent_part_are_left_out_with_the_reason(part, changed, number, key):
    """And all others stay."""
    parts = ReleaseParts(release(**changed))
    left_out = parts.left_out(parts.titled(SCENARIOS).values())
    assert f"no {part} is part of this release: {key} is empty in pytest.ini" in {each.reason for each in left_out}
    assert len([each for each in left_out if part in each.reason]) == number, names(left_out)
    assert sum(len(each.titles) for each in parts.kept(SCENARIOS.values())) == EVERY - len(left_out)


def test_without_a_browser_nothing_of_it_is_asked():
    """Not even how old its pin is."""
    parts = ReleaseParts(release(**NO_BROWSER, chrome_max_age_days="", chrome_max_majors_behind=""))
    left_out = parts.left_out(SCENARIOS.values())
    assert names(left_out) == {
        "AC1 The environment names a program that any user may run [CHROME_BIN]",
        "AC1 The environment names a program that any user may run [CHROMEDRIVER_BIN]",
        "AC1 Chrome and Chromedriver share a major version, and both are the pinned ones",
        "AC1 No shared library of the browser is missing [CHROME_BIN]",
        "AC1 No shared library of the browser is missing [CHROMEDRIVER_BIN]",
        "AC1 Chrome opens a page under Lambda's constraints",
        "AC1 Korean text is drawn as glyphs and not as boxes",
        "AC9 Chrome's pin is current",
    }


def test_titles_fit_the_release():
    """That both tags name one digest is checked with one tag as well; another language has its own name."""
    parts = ReleaseParts(release(rolling_tag="", drawn_language="ja", drawn_text="あいうえお"))
    titles = {title for each in parts.titled(SCENARIOS).values() for title in each.titles.values()}
    assert "The release tag names the digest that was built and checked" in titles
    assert "Text in the language ja is drawn as glyphs and not as boxes" in titles
    absent = ("Korean", "Both tags", "the tags", "rolling tag")
    assert [title for title in titles if any(words in title for words in absent) and "[rolling]" not in title] == []


def test_what_is_left_out_has_a_title_that_fits_too():
    """No language is named where none is agreed."""
    parts = ReleaseParts(release(drawn_language="", drawn_text=""))
    (left_out,) = parts.left_out(parts.titled(SCENARIOS).values())
    assert left_out.name == "Text in an agreed language is drawn as glyphs and not as boxes"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"chrome_bin": ""}, "chromedriver_bin and drawn_language must be empty where chrome_bin is empty"),
        ({"chromedriver_bin": ""}, "drawn_language must be empty where chromedriver_bin is empty"),
        ({"drawn_language": "Korean!"}, "a BCP 47 tag"),
        ({"drawn_text": "한"}, "two to nine different letters"),
        ({"drawn_text": "한한글"}, "two to nine different letters"),
        ({"drawn_text": "12□"}, "two to nine different letters"),
        ({"drawn_text": "한글네이버예약의출"}, None),
        ({"drawn_text": "한글네이버예약의출시"}, "two to nine different letters"),
        ({"drawn_language": ""}, "empty without one"),
        ({"drawn_language": "zh-Hant-TW", "drawn_text": "漢字體"}, None),
        ({"zip_function": "", "zip_paths": "a"}, "zip_paths must be empty where zip_function is empty"),
        ({"python_version": ""}, "development_packages must be Python packages, one a line, and empty where"),
        ({"development_packages": ""}, "development_packages must be"),
        ({"python_version": "", "development_packages": ""}, "chromedriver_bin must be empty where python_version is"),
        (
            {**NO_DRIVER, "python_version": "", "development_packages": "", "startup_hooks": "\n  a.pth"},
            "startup_hooks",
        ),
        ({**NO_DRIVER, "python_version": "", "development_packages": ""}, None),
        ({"python_version": "node22"}, "major.minor"),
        ({"chrome_max_age_days": ""}, "chrome_max_age_days must be a whole number"),
    ],
)
def test_what_does_not_fit_together_is_refused(changed, said):
    """A key that is half switched off may be a slip."""
    if said is None:
        assert release(**changed)
    else:
        with pytest.raises(WrongUse, match=said.replace("[", r"\[")):
            release(**changed)


@pytest.mark.parametrize(
    "key", ["python_version", "chrome_bin", "chromedriver_bin", "drawn_language", "zip_function", "rolling_tag"]
)
def test_a_key_that_is_not_there_switches_nothing_off(key):
    """Only a key that is there and empty does: a line may have got lost."""
    lost = {name: value for name, value in STATED.items() if name != key}
    with pytest.raises(WrongUse, match=f"no value for {key}"):
        read(lambda name: ini_value(lost, name))


def decided(not_part=(), kind="full"):
    """The verdict over a run in which all of AC1 to AC9 passed but AC4, which is left out."""
    run = run_record()
    outcome = run.outcomes[0]
    outcomes = tuple(replace(outcome, name=f"scenario {n}", criterion=n) for n in range(1, 10) if n != 4)
    expected = frozenset(each.name for each in outcomes)
    return decide(outcomes, target="local", kind=kind, expected=expected, proofs=run.proofs, not_part=not_part)


def test_a_criterion_all_of_whose_scenarios_are_left_out_is_not_missing():
    """Without the reason it is."""
    assert decided().word == "INCOMPLETE"
    verdict = decided((NotPart("the zip function is what it was", 4, "no zip function"),))
    assert (verdict.word, verdict.reasons) == ("REHEARSAL PASSED", ())
    assert verdict.criteria[4] == "incomplete"  # and never passed


def test_a_verification_asks_whether_the_keys_say_so():
    """A scenario may be left out by an empty key alone, and not be one of the release's at the same time."""
    absent = configured(**{key: {"zip_function": ""} for key in ("release", "stated")}, pinned=["scenario 4"])
    reason = "no zip function is part of this release: zip_function is empty in pytest.ini"
    expected = run_record().expected - {"scenario 4"}
    outcomes = tuple(each for each in run_record().outcomes if each.name in expected)
    run = replace(run_record(), expected=expected, outcomes=outcomes, not_part=(NotPart("scenario 4", 4, reason),))
    assert configuration_holds(run, absent).accepted
    there = replace(absent, **{key: {"zip_function": "f"} for key in ("release", "stated")})
    assert "no key that the run decided by says so" in str(configuration_holds(run, there).rejections)
    assert "was not due to check" in str(configuration_holds(replace(run, not_part=()), absent).rejections)
    both = replace(run, expected=run.expected | {"scenario 4"})
    assert "as one of its scenarios" in str(configuration_holds(both, absent).rejections)


def test_the_summary_names_what_is_left_out():
    """Beside the criteria, not among what stands against the release."""
    run = replace(run_record(), not_part=(NotPart("scenario 4", 4, "no zip function is part of this release"),))
    document = run.stated(run.verdict())
    assert document["not_part"] == [{"name": "scenario 4", "criterion": 4, "reason": run.not_part[0].reason}]
    assert "Not part of this release\n\n- AC4 scenario 4: no zip function" in summary(document)
    assert "not_part" not in run_record().stated(run_record().verdict())


def test_a_release_without_a_rolling_tag_is_published_under_one():
    """And nothing is given or moved but that and the candidate."""
    tags = ReleaseTags.of(SimpleNamespace(release_tag="v1", rolling_tag="", candidate_tag="rc"))
    assert (tags.published, tags.moving, tags.all) == (("v1",), ("rc",), ("v1", "rc"))
    assert tags_to_set({}, tags, "sha256:a") == ("v1",)


PROGRAM = ImageFile("/opt/chrome/chrome", "file", mode=0o755, head=ELF_MAGIC)
ABSENT = {"browser": "no browser is part of this release", "driver": "no driver is part of this release"}


@pytest.mark.parametrize(
    ("file", "environment", "said"),
    [
        (PROGRAM, {}, "/opt/chrome/chrome is a program in the image"),
        (replace(PROGRAM, path="/usr/bin/chromium", head=b"#!/b"), {}, "/usr/bin/chromium is a program"),
        (replace(PROGRAM, path="/opt/chromedriver"), {}, "/opt/chromedriver is a program"),
        (None, {"CHROME_BIN": "/opt/x"}, "the image's CHROME_BIN names /opt/x"),
        (replace(PROGRAM, mode=0o644), {}, ""),
        (replace(PROGRAM, kind="directory", head=b""), {}, ""),
        (replace(PROGRAM, path="/var/lang/lib/chromedriver", head=b"impo"), {}, ""),
        (replace(PROGRAM, path="/usr/bin/chrome-gnome-shell"), {}, ""),
        (None, {"CHROME_BIN": ""}, ""),
    ],
)
def test_what_is_said_to_be_absent_is(file, environment, said):
    """Otherwise an empty key would hide a browser from every check."""
    tree = Tree({file.path: file} if file else {}, {})
    found = absent_parts_are_absent(tree, environment, ABSENT)
    assert found.accepted is not bool(said)
    assert said in str(found.rejections)
    assert absent_parts_are_absent(tree, environment, {}).accepted


NO_PYTHON = {"python": "no Python is part of this release"}


@pytest.mark.parametrize(
    ("path", "command", "said"),
    [
        ("/var/lang/bin/python3.12", (), "/var/lang/bin/python3.12 is Python's runtime for Lambda"),
        ("/var/lang/bin/python3", ("/lambda-entrypoint.sh", "app.handler"), "/var/lang/bin/python3 is"),
        ("/function/awslambdaric/__main__.py", (), "/function/awslambdaric/__main__.py is"),
        ("/usr/bin/python3.11", ("/usr/bin/python3", "-m", "runtime"), "the image starts /usr/bin/python3"),
        ("/var/runtime/bootstrap", ("/usr/bin/env", "python3.13", "bootstrap"), "the image starts python3.13"),
        (
            "/usr/bin/python3.11",
            ("/lambda-entrypoint.sh", "index.handler"),
            "",
        ),  # a tool beside Node, as node-gyp needs
        ("/var/lang/bin/node", ("/lambda-entrypoint.sh", "python.handler"), ""),
        ("/var/task/lib/awslambdaric.txt", (), ""),
    ],
)
def test_a_python_that_runs_the_function_cannot_be_denied(path, command, said):
    """By AWS's place for it, its runtime's package, or the command that the image starts with; a tool is none."""
    tree = Tree({path: replace(PROGRAM, path=path)}, {})
    found = absent_parts_are_absent(tree, {}, NO_PYTHON, command)
    assert found.accepted is not bool(said)
    assert said in str(found.rejections)
    assert absent_parts_are_absent(tree, {}, {}, command).accepted
