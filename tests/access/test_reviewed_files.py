"""Whether the files beside a release are for the release in pytest.ini: each misfit is named, and nothing else is."""

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest

from gate.access.document import Kind, PolicyText, parse
from gate.access.reviewed_files import consistent, documents_fit, policy_fits, principals_fit
from gate.access.reviewed_principals import load as load_principals
from gate.caller_permissions.__main__ import ROOT, text
from gate.caller_permissions.required import policies_of
from gate.release_file import release_of

RELEASE = release_of(ROOT / "pytest.ini")
CONTEXT = ROOT / RELEASE.image_context
REVIEWS = load_principals(CONTEXT / "principals.yaml").entries
DOCUMENTS = {f"{name}.json": text(policy) for name, policy in policies_of(RELEASE).items()}
PULL = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]


def run(context=CONTEXT, target="local", **changed):
    """A run of a release that differs in these keys."""
    options = SimpleNamespace(release_folder=None, image_context=context, target=target)
    return SimpleNamespace(options=options, release=replace(RELEASE, **changed))


def statement(**changed):
    """One statement of a repository policy."""
    return {"Effect": "Allow", "Principal": {"AWS": RELEASE.role_arn(RELEASE.ci_role)}, "Action": PULL} | changed


def policy(*statements):
    """A repository policy."""
    return parse(PolicyText("policy", {"Version": "2012-10-17", "Statement": list(statements)}), Kind.RESOURCE)


def lambdas(source):
    """The statement with which Lambda pulls for a function."""
    condition = {"StringLike": {"aws:sourceArn": source}}
    return statement(Principal={"Service": "lambda.amazonaws.com"}, Condition=condition)


@pytest.mark.parametrize("target", ["local", "aws"])
def test_the_files_of_this_release_fit(target):
    """On either target."""
    assert consistent(run(target=target)).accepted


@pytest.mark.parametrize(
    ("changed", "causes"),
    [
        (
            {"account": "111122223333"},
            [
                f"principals.yaml names the account {RELEASE.account}, and pytest.ini states the account 111122223333",
                f"policy.json names the account {RELEASE.account}, and pytest.ini states the account 111122223333",
                "policy.json names the function arn:aws:lambda:",
            ],
        ),
        ({"region": "us-east-1"}, ["and pytest.ini states the function arn:aws:lambda:us-east-1:"]),
        ({"function_name": "scraper"}, ["policy.json names the function arn:aws:lambda:"]),
        (
            {"ci_role": "pusher"},
            [
                "principals.yaml does not name pytest.ini's ci_role, pusher",
                f"policy.json lets {RELEASE.ci_role} push, and pytest.ini states the ci_role pusher",
            ],
        ),
        (
            {"lambda_role": "runner"},
            [f"policy.json lets {RELEASE.lambda_role} pull, and pytest.ini states the lambda_role runner"],
        ),
        ({"verify_role": "night"}, ["principals.yaml does not name pytest.ini's verify_role, night"]),
        (
            {"administrator_role": "root-admin"},
            ["principals.yaml does not name pytest.ini's administrator_role, root-admin"],
        ),
        (
            {"ci_subject": "gitlab.example:sub=project_path:a/b:ref"},
            ["does not name pytest.ini's ci_subject, gitlab.example:sub="],
        ),
    ],
)
def test_every_key_of_another_release_is_named(changed, causes):
    """The file, what it names, and what pytest.ini states; every line of the list says what to do."""
    found = consistent(run(**changed)).rejections
    assert len(found) == len(causes)
    for rejection, cause in zip(found, causes, strict=True):
        assert cause in rejection.cause
        assert rejection.where.startswith("image/")
        assert "correct pytest.ini" in rejection.remedy


@pytest.mark.parametrize(
    "statements",
    [
        pytest.param([statement(Principal={"Service": "lambda.amazonaws.com"})], id="no role"),
        pytest.param([statement(), statement(Principal={"AWS": RELEASE.role_arn("another-pusher")}),
                      statement(Principal={"AWS": RELEASE.role_arn(RELEASE.lambda_role)})], id="a role more"),
        pytest.param([statement(Principal={"AWS": RELEASE.role_arn("administrator")})], id="only a reviewed role"),
        pytest.param([statement(), statement(Principal={"AWS": "444455556666"})], id="a second account"),
        pytest.param([lambdas(f"arn:aws:lambda:*:{RELEASE.account}:function:*")], id="any function"),
        pytest.param([lambdas(f"arn:aws:lambda:{RELEASE.region}:{RELEASE.account}:function:{RELEASE.function_name}*"),
                      lambdas(f"arn:aws:lambda:{RELEASE.region}:{RELEASE.account}:function:x")], id="two functions"),
        pytest.param([lambdas(f"arn:aws:events:{RELEASE.region}:{RELEASE.account}:rule/x")], id="no function"),
    ],
)  # fmt: skip
def test_a_policy_that_may_be_meant_as_it_is_fits(statements):
    """Only what no reading of the file reconciles with pytest.ini is a misfit."""
    assert not list(policy_fits(policy(*statements), REVIEWS, RELEASE, "f"))


def test_principals_that_may_be_meant_as_they_are_fit():
    """Nothing is listed; more is listed; on AWS, what pytest.ini leaves open is AWS's to say."""
    open_ = replace(RELEASE, verify_role="", ci_subject="", administrator_role="")
    only_ci = [each for each in REVIEWS if each.principal == RELEASE.role_arn(RELEASE.ci_role)]
    abroad = replace(REVIEWS[0], principal="arn:aws:iam::444455556666:role/x")
    assert not list(principals_fit((), RELEASE, "f", local=True))
    assert not list(principals_fit((*REVIEWS, abroad), RELEASE, "f", local=True))
    assert not list(principals_fit(only_ci, open_, "f", local=False))
    # The local target is seeded with the derived ones too: that nobody reviewed them would fail AC5 there.
    assert len(list(principals_fit(only_ci, open_, "f", local=True))) == 3


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({}, 0),
        ({"zip_function": ""}, 0),
        ({"repository": "my-team/scraper"}, 2),
        ({"zip_function": "old"}, 2),
        ({"region": "us-east-1"}, 2),
        ({"account": "111122223333"}, 2),
    ],
)
def test_policies_of_another_release_are_named_with_the_command_that_writes_them(changed, named):
    """Both files, by the resource that they grant nothing on; a statement added by hand is no misfit."""
    found = list(documents_fit(DOCUMENTS, replace(RELEASE, **changed)))
    assert len(found) == named
    assert all("make policies" in each.remedy and "grants nothing on" in each.cause for each in found)


@pytest.mark.parametrize("content", [None, "", "[]", "{}", "\x00"])
def test_what_cannot_be_read_is_left_to_the_scenarios(tmp_path, content):
    """They say which file it is and what is wrong with it."""
    for name in ("principals.yaml", "repository-policy.json"):
        if content is not None:
            (tmp_path / name).write_text(content)
    assert consistent(run(tmp_path, account="111122223333")).accepted


def gate(tmp_path, *arguments):
    """A run of the gate in a process of its own."""
    folders = ("-o", f"reports={tmp_path / 'reports'}", "-o", f"local_state={tmp_path / 'state'}")
    command = [sys.executable, "-m", "pytest", "features/", *folders, *arguments]
    began = time.monotonic()
    # No engine answers: a run that would build something says so.
    around = {**os.environ, "DOCKER_HOST": f"unix://{tmp_path / 'none.sock'}"}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, env=around, check=False)
    return done, time.monotonic() - began


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["full", "rescan", "partial"])
def test_a_run_says_the_whole_list_before_anything_is_built(tmp_path, kind):
    """With a verdict that is no pass, on the screen and in verdict.json."""
    options = {"full": (), "rescan": ("-m", "rescan"), "partial": ("-m", "ac5")}[kind]
    done, seconds = gate(tmp_path, "-o", "account=111122223333", *options)
    folder = tmp_path / "reports" / ("" if kind == "full" else kind)
    verdict = json.loads((folder / "verdict.json").read_text())
    assert done.returncode != 0
    assert verdict["verdict"] in ("REHEARSAL FAILED", "NOT CLEAN", "INCOMPLETE", "UNKNOWN")
    for file in ("image/principals.yaml", "image/repository-policy.json"):
        assert f"{file} names the account" in " ".join(done.stdout.split())
        assert f"{file} names the account" in json.dumps(verdict)
    assert "Docker engine" not in done.stdout
    assert seconds < 30, "the machine may be busy; alone it takes two seconds"


@pytest.mark.slow
def test_scenarios_about_the_image_alone_need_no_reviewed_files_that_fit(tmp_path):
    """They are tried, and say that no engine answers."""
    done, _ = gate(tmp_path, "-o", "account=111122223333", "-m", "ac6 and not published")
    assert "names the account" not in done.stdout
    assert "Docker engine" in done.stdout
