"""What cannot work on AWS is one sentence, before or in mid-run, and the evidence so far is kept."""

import json

import pytest

from tests.local_target.fault_proxy import ALWAYS, FaultInjectingProxy, InjectedFault
from tests.seeded import SEEDED

pytestmark = pytest.mark.docker
NOBODY = {
    "AWS_ACCESS_KEY_ID": "",
    "AWS_SECRET_ACCESS_KEY": "",
    "AWS_SESSION_TOKEN": "",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_SHARED_CREDENTIALS_FILE": "nowhere",
    "AWS_CONFIG_FILE": "nowhere",
}
EXPIRED = json.dumps({"__type": "ExpiredTokenException", "message": "The security token is expired"}).encode()


@pytest.mark.parametrize(
    ("options", "environment", "said"),
    [
        (
            ["-o", "account=111122223333"],
            {},
            "The AWS account of this run is '654654307503', and the release belongs to '111122223333'",
        ),
        (
            [],
            {"AWS_REGION": "us-east-1"},
            "The AWS region of this run is 'us-east-1', and the release belongs to 'ap-northeast-2'",
        ),
        (["--profile", "nosuch"], {}, "The config profile (nosuch) could not be found"),
        ([], NOBODY, "there are no AWS credentials"),
        ([], {"AWS_SECRET_ACCESS_KEY": "another"}, "The AWS credentials are not accepted"),
    ],
    ids=["account", "region", "profile", "nobody", "secret"],
)
def test_wrong_credentials_are_one_line_and_touch_nothing(gate, tmp_path, options, environment, said):
    """Exit code 4, the cause and what to do; nothing is cleared or written."""
    ran = gate.run(*options, reports=tmp_path, **environment)
    assert ran.code == 4, ran.screen
    lines = [line for line in ran.screen.splitlines() if line.startswith("ERROR: ")]
    assert len(lines) == 1
    assert said in lines[0]
    assert "Traceback" not in ran.screen
    assert not (tmp_path / "verdict.json").exists()


def test_expired_credentials_are_one_line(gate, target, tmp_path):
    """Told apart from those that were never right."""
    with FaultInjectingProxy(
        target.registry, [InjectedFault(method="POST", times=ALWAYS, status=403, content_type="text/xml", body=_sts())]
    ) as proxy:
        ran = gate.run(reports=tmp_path, endpoint=proxy.endpoint)
    assert ran.code == 4, ran.screen
    assert "ERROR: The AWS credentials are not accepted (ExpiredToken)" in ran.screen
    assert "log in again" in ran.screen


def test_credentials_that_expire_in_mid_run_are_a_no_go_with_the_evidence_so_far(gate, released, target):
    """From the fifth time that the images are listed, the session is over."""
    gone = InjectedFault(operation="DescribeImages", skip=4, times=ALWAYS, status=400, body=EXPIRED)
    with FaultInjectingProxy(target.registry, [gone]) as proxy:
        ran = gate.run("-m", "ac2", role=SEEDED.night_role, endpoint=proxy.endpoint)
    assert ran.code == 1
    assert ran.verdict["verdict"] == "REHEARSAL FAILED"
    assert "The AWS credentials are not accepted (ExpiredTokenException)" in ran.screen
    assert {"passed", "failed"} <= set(ran.statuses.values())
    assert ran.record("published release")["digest"] == released.verdict["release"]["digest"]


def test_a_repository_that_does_not_exist_is_named_with_account_and_region(gate):
    """Before anything is built."""
    ran = gate.run("-o", "repository=nosuch", "-m", "ac2", role=SEEDED.administrator)
    assert ran.code == 1
    assert f"The repository nosuch in account {SEEDED.account}, {SEEDED.region} does not exist" in ran.screen
    assert ran.statuses == {}


def test_a_base_that_cannot_be_pulled_is_one_sentence(gate):
    """An image of that name that happens to be here would prove nothing on AWS."""
    ran = gate.run("--publish", "-k", "dockerfile", base="registry.invalid/lambda/python:3.11")
    assert ran.code == 1
    said = "The approved base image registry.invalid/lambda/python:3.11 cannot be pulled: "
    assert ran.screen.count(said) == 1
    assert "let the Docker engine of this machine reach registry.invalid" in ran.screen


def _sts():
    error = (
        "<Error><Type>Sender</Type><Code>ExpiredToken</Code><Message>The security token is expired</Message></Error>"
    )
    return f"<ErrorResponse>{error}<RequestId>1</RequestId></ErrorResponse>".encode()
