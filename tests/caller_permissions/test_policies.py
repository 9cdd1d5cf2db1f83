"""The least-privilege policies: what the files hold, and that the list behind them has no hole and no surplus."""

import json
import shutil
from dataclasses import asdict
from pathlib import Path

import pytest

from gate.aws.service_authorization import actions
from gate.caller_permissions.__main__ import FOLDER, ROOT, calls_in, main, text
from gate.caller_permissions.required import (
    PUBLISHING,
    VERIFYING,
    RequiredPermission,
    missing,
    policies_of,
    required_by,
    resources,
)
from gate.errors import WrongUse
from gate.registry.permitted_calls import ALLOWED_CHANGES, READS, AwsCall
from gate.release_file import release_of

RELEASE = release_of(ROOT / "pytest.ini")


def call(action):
    """A call of the call log."""
    service, _, operation = action.partition(":")
    return AwsCall("2025-10-18T12:00:00+00:00", service, operation, "*", "ok", 0.1)


@pytest.mark.parametrize("name", policies_of(RELEASE))
def test_the_file_is_what_the_generator_writes(name):
    """Nobody has edited a policy by hand, and nobody has forgotten `make policies`."""
    assert (ROOT / FOLDER / f"{name}.json").read_text(encoding="utf-8") == text(policies_of(RELEASE)[name])


@pytest.mark.parametrize("need", PUBLISHING, ids=lambda need: need.action)
def test_every_need_is_an_action_that_iam_knows(need):
    """A misspelt action would grant nothing, and nobody would be told."""
    assert need.action in actions(need.service)
    assert need.purpose


@pytest.mark.parametrize("need", PUBLISHING, ids=lambda need: need.action)
def test_every_need_that_writes_is_a_change_that_a_release_may_make(need):
    """The policies cannot grant more than the allow-list of the call log."""
    reads = need.operation in READS.get(need.service, frozenset())
    assert reads or (need.service, need.operation) in ALLOWED_CHANGES or need.action == "inspector2:ListFindings"


def test_verifying_changes_nothing_but_asks_for_a_scan():
    """StartImageScan is the one write of a run that only verifies."""
    writes = {need.action for need in VERIFYING if need.operation not in READS[need.service]}
    assert writes == {"ecr:StartImageScan"}


def test_publishing_adds_the_push_and_nothing_else():
    """Five more actions, all on the repository."""
    added = {need.action for need in required_by(True, RELEASE)} - {need.action for need in required_by(False, RELEASE)}
    push = {"BatchCheckLayerAvailability", "InitiateLayerUpload", "UploadLayerPart", "CompleteLayerUpload", "PutImage"}
    assert added == {f"ecr:{operation}" for operation in push}


def test_no_statement_uses_a_wildcard_for_an_action_or_for_all_of_ecr():
    """An action is named in full; what IAM can bind to the repository is bound to it."""
    for policy in policies_of(RELEASE).values():
        for statement in policy["Statement"]:
            assert not any("*" in action for action in statement["Action"])
            assert statement["Effect"] == "Allow"
    assert resources(RequiredPermission("ecr:PutImage", "x"), RELEASE) == (
        f"arn:aws:ecr:{RELEASE.region}:{RELEASE.account}:repository/{RELEASE.repository}",
    )
    assert resources(RequiredPermission("ecr:GetAuthorizationToken", "x"), RELEASE) == ("*",)


def test_a_call_without_a_need_is_named():
    """The call log shows something that no policy would allow."""
    calls = [call("ecr:DescribeImages"), call("sts:GetCallerIdentity"), call("ecr:ListImages")]
    assert missing(calls, VERIFYING) == ("ecr:ListImages",)


@pytest.mark.parametrize("content", ["", "{}", '{"answer": [{"service": "ecr"}]}', '{"answer": 3}'])
def test_what_is_no_call_log_is_refused(tmp_path, content):
    """A wrong file is wrong use, not an empty call log."""
    path = Path(tmp_path, "calls.json")
    path.write_text(content)
    with pytest.raises(WrongUse, match="is not the call log of a run"):
        calls_in(path)


@pytest.mark.parametrize(("action", "missing_one"), [("ecr:DescribeImages", ""), ("ecr:ListImages", "ecr:ListImages")])
def test_call_logs_are_compared_before_anything_is_written(tmp_path, capsys, monkeypatch, action, missing_one):
    """`make policies` with a call log: a call that no permission is for is named, and no file changes."""
    shutil.copy(ROOT / "pytest.ini", tmp_path)
    monkeypatch.setattr("gate.caller_permissions.__main__.ROOT", tmp_path)
    log = tmp_path / "calls.json"
    log.write_text(json.dumps({"answer": [asdict(call(action))]}))
    if missing_one:
        with pytest.raises(WrongUse, match=f"no required permission is for {missing_one}"):
            main([str(log)])
        assert not (tmp_path / FOLDER).exists()
    else:
        main([str(log)])
        assert "publish.json: 47 permissions" in capsys.readouterr().out
