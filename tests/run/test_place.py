"""Where a run is: decided by all its clients, those made last as well, and never by an override alone."""

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from gate.caller_permissions.__main__ import ROOT
from gate.release_file import release_of
from gate.run.model import Run
from gate.run.preflight import session_for


@pytest.fixture
def run(monkeypatch):
    """A run on AWS, with credentials and without a person's own configuration."""
    given = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "x", "AWS_REGION": "ap-northeast-2"}
    for name, value in {**given, "AWS_CONFIG_FILE": "/dev/null"}.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_ECR"):
        monkeypatch.delenv(name, raising=False)
    options = SimpleNamespace(target="aws", profile=None, publish=True)
    here = Path()
    return Run("full", here, release_of(ROOT / "pytest.ini"), options, None, None, here, here, here, datetime.now(UTC))


def test_a_run_whose_clients_all_ask_aws_is_on_aws(run):
    """Exceptions for AWS apply, and what is observed is real."""
    session = session_for(run)
    for service in ("ecr", "sts", "cloudtrail"):
        session.client(service)
    assert (run.target, run.exception_scope, run.provenance) == ("aws", "aws", "real")


@pytest.mark.parametrize("late", ["cloudtrail", "cloudwatch", "inspector2"])
def test_one_late_client_that_asks_elsewhere_makes_it_a_rehearsal(run, monkeypatch, late):
    """Until it is made nobody knows; from then on it is one, whatever the others ask."""
    monkeypatch.setenv(f"AWS_ENDPOINT_URL_{late.upper()}", "https://emulator.example")
    session = session_for(run)
    session.client("ecr")
    assert run.target == "aws"
    session.client(late)
    assert (run.target, run.exception_scope, run.provenance) == ("aws-rehearsal", "local", "simulated")


def test_the_local_target_is_none_of_both(run):
    """Its clients ask 127.0.0.1, as they must."""
    run.options.target = "local"
    session_for(run).client("ecr", endpoint_url="http://127.0.0.1:9")
    assert (run.target, run.endpoint_is_aws) == ("local", True)
