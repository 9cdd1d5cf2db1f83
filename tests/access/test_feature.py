"""The scenarios of criterion 5 in a run of their own: green for the account as reviewed, red for what is worse."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
INI = """\
[pytest]
markers =
    ac5: criterion 5
"""
# The session's fixtures, as the acceptance suite wires them, around the small account of these tests.
CONFTEST = """\
import importlib.util
import json
from datetime import datetime, UTC
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest_plugins = ["steps.access"]
spec = importlib.util.spec_from_file_location("small_account", {account!r})
small = importlib.util.module_from_spec(spec)
spec.loader.exec_module(small)
from gate.access.access_facts import Simulation


@pytest.fixture
def release():
    return SimpleNamespace(ci_role="ci", lambda_role="runner", image_context="image", repository="naver-sms-automation")


@pytest.fixture
def account():
    facts = small.make_account(**json.loads({changes!r}))
    asked = [("ci", True), ("runner", False)]
    said = tuple(Simulation(small.arn(who), "ecr:PutImage", facts.repository_arn, yes) for who, yes in asked)
    return SimpleNamespace(access_facts=lambda: small.make_account(**json.loads({changes!r}), simulations=said))


@pytest.fixture(scope="session")
def run(pytestconfig):
    options = SimpleNamespace(image_context=pytestconfig.rootpath / "image")
    return SimpleNamespace(facts=SimpleNamespace(), options=options)


@pytest.fixture
def now():
    return lambda: datetime(2025, 10, 18, tzinfo=UTC)


@pytest.fixture
def evidence():
    noted = []
    yield SimpleNamespace(add=lambda title, answer, *, asked: noted.append((title, answer, asked)) or answer)
    assert noted and all(title and asked for title, _, asked in noted), "every scenario records what it looked at"
"""
REVIEWS = """\
principals:
  - principal: token.actions.githubusercontent.com:sub=repo:team/app:environment:production
    may: [become]
    reason: the release workflow
    reviewer: a role
    expires: {expires}
"""


def run(folder, reviewed_policy, expires="2026-01-31", **changes):
    """Run the feature in a folder of its own; answers the names of those that passed, and the output."""
    (folder / "image").mkdir()
    baseline = {"reviewed_by": "a role", "reviewed_on": "2025-10-01", "policy": json.loads(reviewed_policy)}
    (folder / "image" / "repository-policy.json").write_text(json.dumps(baseline))
    (folder / "image" / "principals.yaml").write_text(REVIEWS.format(expires=expires))
    account = str(Path(__file__).with_name("conftest.py"))
    (folder / "conftest.py").write_text(CONFTEST.format(account=account, changes=json.dumps(changes)))
    (folder / "pytest.ini").write_text(INI)
    feature = str(ROOT / "features" / "ac5_access.feature")
    (folder / "test_it.py").write_text(f"from pytest_bdd import scenarios\nscenarios({feature!r})\n")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-rA",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:hypothesispytest",
        str(folder),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    lines = done.stdout.splitlines()
    red = {line.split("::")[1].split("[")[0].split(" ")[0] for line in lines if line.startswith("FAILED")}
    return red, sum(line.startswith("PASSED") for line in lines), done.stdout + done.stderr


@pytest.fixture
def reviewed_policy(account_with):
    """The repository policy as reviewed, as JSON text."""
    return account_with().repository_policy.document


def test_scenarios_are_green_for_the_account_as_reviewed(tmp_path, reviewed_policy):
    """Every scenario passes, and each has recorded evidence."""
    red, green, output = run(tmp_path, reviewed_policy)
    assert red == set(), output
    assert green == 12


def test_scenarios_are_red_where_something_is_wrong_and_only_there(tmp_path, reviewed_policy):
    """A developer who may push turns that row red; the other scenarios stand, and the message names the developer."""
    oops = [{"Sid": "Oops", "Effect": "Allow", "Action": "ecr:PutImage", "Resource": "*"}]
    red, green, output = run(tmp_path, reviewed_policy, developer=oops)
    assert green == 11, output
    assert len(red) == 1
    assert "role/developer may push into naver-sms-automation (ecr:PutImage)" in output


def test_public_policy_and_expired_review_turn_five_scenarios_red(tmp_path, reviewed_policy):
    """A wildcard fails three scenarios; an expired review is named by its line and covers nobody."""
    public = [{"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchDeleteImage"}]
    red, green, output = run(tmp_path, reviewed_policy, expires="2025-10-17", repository=public)
    assert green == 7, output
    assert len(red) == 5, "four scenarios, and the row for deleting of the fifth"
    assert "principals.yaml, line 2" in output
