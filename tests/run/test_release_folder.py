"""A release in a folder of its own: read from there, refused where it cannot be meant, and written by `make adopt`."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import botocore.session
import pytest

from gate.access.reviewed_policy import load as load_policy
from gate.access.reviewed_principals import load as load_principals
from gate.adopt.__main__ import main as adopt
from gate.errors import WrongUse
from gate.image.build import build_arguments
from gate.image.end_of_support import load, python_of, stand_in_hides
from gate.image.requirements import read_requirements
from gate.publish.build import chosen_first
from gate.release_file import _REGION, folder_of_release, reader, release_of
from gate.report.view import deploy_command
from gate.runtime.constraints import function
from gate.runtime.report import Settings
from gate.scan.exceptions.reading import load as load_register

VALUES = ("--repository", "my-team/app", "--account", "111122223333", "--region", "cn-north-1")


@pytest.fixture(scope="module")
def adopted(tmp_path_factory) -> Path:
    """A folder as `make adopt` leaves it."""
    return adopt([str(tmp_path_factory.mktemp("adopted") / "app"), *VALUES])


def asked(folder: Path | None, *overrides: str) -> SimpleNamespace:
    """Pytest's configuration, as far as it matters here."""
    return SimpleNamespace(
        getoption=lambda name: str(folder) if folder else None,
        getini=lambda key: f"the gate's {key}",
        option=SimpleNamespace(override_ini=list(overrides)),
        rootpath=Path("gate"),
    )


def test_what_is_adopted_is_what_the_gate_reads(adopted):
    """Every file is of the form that its reader asks for, and names this release."""
    release = release_of(adopted / "pytest.ini")
    assert (release.repository, release.function_name, release.ci_role) == (
        "my-team/app", "my-team-app", "my-team-app-ci-role")  # fmt: skip
    assert set(release.absent_parts) == {"browser", "driver", "drawn_language", "zip_function"}
    image = adopted / release.image_context
    assert load_register(image / "exceptions.yaml").exceptions == ()
    statements = load_policy(image / "repository-policy.json").policy.statements
    assert "arn:aws-cn:iam::111122223333:role/my-team-app-ci-role" in str(statements)
    assert len(load_principals(image / "principals.yaml").entries) == 4
    assert [each.name for each in read_requirements(image / "requirements.txt")] == ["certifi"]
    assert "BASE_IMAGE" in build_arguments(image, "base:1", "v1.0.0")
    policy = json.loads((adopted / "docs" / "policies" / "publish.json").read_text())
    actions = {action for each in policy["Statement"] for action in each["Action"]}
    assert "ecr:PutImage" in actions
    assert not any(action.startswith(("events:", "scheduler:", "cloudtrail:")) for action in actions)


@pytest.mark.parametrize(
    ("place", "given", "said"),
    [
        (0, "", "no dir was named"),
        (2, "", "no repository was named"),
        (2, "Bad_Name", "repository must be"),
        (4, "12", "account must be twelve digits"),
        (6, "nowhere", "region must be an AWS region"),
    ],
)
def test_a_value_that_cannot_be_is_refused_and_leaves_no_folder(tmp_path, place, given, said):
    """So the same command, corrected, works."""
    folder = tmp_path / "app"
    values = [str(folder), "--repository", "app", "--account", "111122223333", "--region", "us-east-1"]
    with pytest.raises(WrongUse, match=said):
        adopt([*values[:place], given, *values[place + 1 :]])
    assert not folder.exists()
    adopt(values)
    assert folder.stat().st_mode & 0o077 == (tmp_path / "app" / "image").stat().st_mode & 0o077


def test_every_region_that_aws_has_is_one():
    """In each of its partitions."""
    session = botocore.session.get_session()
    regions = [
        name for part in session.get_available_partitions() for name in session.get_available_regions("ecr", part)
    ]
    assert len(regions) > 30
    assert [name for name in regions if not _REGION.fullmatch(name)] == []


def test_nothing_is_written_over(adopted):
    """A folder that holds something is somebody's."""
    before = (adopted / "pytest.ini").read_text()
    with pytest.raises(WrongUse, match="nothing is written over"):
        adopt([str(adopted), *VALUES])
    assert (adopted / "pytest.ini").read_text() == before


def test_what_cannot_be_an_account_is_refused(tmp_path):
    """By the sentence that names the key."""
    with pytest.raises(WrongUse, match="account must be twelve digits"):
        adopt([str(tmp_path / "app"), "--repository", "app", "--account", "12", "--region", "eu-west-1"])


def test_the_release_is_read_from_its_folder(adopted):
    """And without one from the gate's own pytest.ini."""
    assert reader(asked(adopted))("repository") == "my-team/app"
    assert folder_of_release(asked(adopted)) == adopted
    assert reader(asked(None))("repository") == "the gate's repository"
    assert folder_of_release(asked(None)) == Path("gate")


def test_an_override_that_would_have_no_effect_is_refused(adopted):
    """Somebody would believe in it; a folder for reports is no key of the release."""
    with pytest.raises(WrongUse, match="-o account=… has no effect"):
        reader(asked(adopted, "account=1"))
    assert reader(asked(adopted, "reports=elsewhere"))("account") == "111122223333"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[pytest]\nrepositry = x\n", "repositry is no key of a release (did you mean repository?)"),
        ("[pytest]\naddopts = -x\n", "addopts is no key of a release"),
        ("[tool]\n", "names no folder with a pytest.ini that can be read"),
        (None, "names no folder with a pytest.ini that can be read"),
    ],
)
def test_a_folder_that_states_no_release_is_refused(tmp_path, text, said):
    """A misspelt key would otherwise count as one that was left out."""
    if text is not None:
        (tmp_path / "pytest.ini").write_text(text)
    with pytest.raises(WrongUse) as refusal:
        reader(asked(tmp_path))
    assert said in str(refusal.value)


BASES = ("public.ecr.aws/lambda/python:3.12", "public.ecr.aws/lambda/python:3.13")


@pytest.mark.parametrize(
    ("dockerfile", "first"),
    [
        (f"ARG BASE_IMAGE={BASES[1]}\nFROM ${{BASE_IMAGE}}\n", BASES[1]),
        (f"FROM {BASES[0]} AS build\nFROM scratch\n", BASES[0]),
        ("ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\n", BASES[0]),
        ("FROM debian\n", BASES[0]),
        (None, BASES[0]),
    ],
)
def test_of_several_approved_bases_the_named_one_is_taken(tmp_path, dockerfile, first):
    """All stay approved, whichever is pulled."""
    if dockerfile:
        (tmp_path / "Dockerfile").write_text(dockerfile)
    found = chosen_first(BASES, tmp_path / "Dockerfile")
    assert (found[0], set(found)) == (first, set(BASES))


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
@pytest.mark.parametrize("build", ["", "-arm64", ".2026.11.01.2"])
def test_the_python_of_an_aws_base_is_known(version, build):
    """On either platform, and of a dated tag."""
    assert python_of(f"public.ecr.aws/lambda/python:{version}{build}", load()) == version


@pytest.mark.parametrize(
    "base", ["public.ecr.aws/lambda/nodejs:22", "debian:bookworm", "public.ecr.aws/lambda/python:9.9"]
)
def test_the_python_of_another_base_is_not_guessed(base):
    """Then the image's Python is held against the agreed one."""
    assert python_of(base, load()) == ""


@pytest.mark.parametrize(
    ("found", "wanted", "shipped", "hidden"),
    [
        ("3.11.2", "3.12", "3.12", True),
        ("3.11.2", "3.11", "3.11", False),
        ("3.11.2", "3.12", "3.11", False),  # the base is not of the agreed Python
        ("3.11.2", "3.12", "", False),
        ("3.13.1", "3.12", "3.12", False),  # the image brings one of its own, and it is the wrong one
        ("3.12.1", "3.12", "3.12", False),
    ],
)
def test_only_the_stand_ins_own_python_is_excused(found, wanted, shipped, hidden):
    """Any other difference is the image's."""
    assert stand_in_hides(found, wanted, shipped) is hidden


@pytest.mark.parametrize(("memory", "quota"), [(128, 7_235), (512, 28_942), (1769, 100_000), (10_240, 578_858)])
def test_the_cpu_share_goes_with_the_memory(memory, quota):
    """1,769 MB are one CPU (Lambda); six CPUs are stated even where the machine has two."""
    host = function(Settings(memory), "none")
    assert (host["cpu_period"], host["cpu_quota"], host["mem_limit"]) == (100_000, quota, f"{memory}m")


@pytest.mark.parametrize(("platform", "architecture"), [("linux/amd64", "x86_64"), ("linux/arm64", "arm64")])
def test_the_deploy_command_is_for_the_agreed_platform(adopted, platform, architecture):
    """Lambda names the two architectures in its own way."""
    ini = (adopted / "pytest.ini").read_text().replace("linux/amd64", platform)
    (adopted.parent / "pytest.ini").write_text(ini)
    run = SimpleNamespace(release=release_of(adopted.parent / "pytest.ini"), facts=SimpleNamespace(digest="sha256:a"))
    assert f"--architectures {architecture} " in deploy_command(run)


@pytest.mark.parametrize(
    ("changed", "said"), [("linux/riscv64", "platform must be one that Lambda runs"), ("amd64", "platform must be")]
)
def test_a_platform_that_lambda_lacks_is_refused(adopted, tmp_path, changed, said):
    """Before anything is built."""
    (tmp_path / "pytest.ini").write_text((adopted / "pytest.ini").read_text().replace("linux/amd64", changed))
    with pytest.raises(WrongUse, match=said):
        release_of(tmp_path / "pytest.ini")
