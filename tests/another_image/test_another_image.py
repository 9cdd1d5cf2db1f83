"""The gate on another team's image: what has to be changed is in pytest.ini, and what is checked is their image."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hard_use.runs import Gate

pytestmark = pytest.mark.docker
CONTEXT = Path(__file__).with_name("image")
CONTRACT = {
    "repository": "another-team/renderer",
    "image_context": "tests/another_image/image",
    "handler": "app.handler",
    "chrome_bin": "/usr/bin/chromium",
    "chromedriver_bin": "/usr/bin/chromedriver",
    "required_paths": "/var/task/app.py",
    "function_name": "renderer",
    "function_memory_mb": "1024",
    "safe_event": "",
}


@pytest.fixture(scope="module")
def checked(tmp_path_factory):
    """The statuses of the AC1 and AC6 scenarios, and the output."""
    gate = Gate(tmp_path_factory.mktemp("another"))
    changes = [part for key, value in CONTRACT.items() for part in ("-o", f"{key}={value}")]
    gate.run("-m", "(ac1 or ac6) and not published", *changes)
    return gate


def test_it_is_built_and_checked_by_its_own_contract(checked):
    """All scenarios pass except the one about invocations, which is not run for lack of a safe event."""
    said = (checked.folder / "said-1.txt").read_text()
    statuses = checked.results().statuses
    assert {name for name, status in statuses.items() if status == "failed"} == set(), said
    left_out = {name for name, status in statuses.items() if status == "not run" and "AWS" not in name}
    assert left_out == {"Five warm invocations succeed and leave nothing behind"}, said
    assert sum(status == "passed" for status in statuses.values()) > 15, said


def test_its_handler_was_initialised_and_never_invoked(checked):
    """Its runtime asked for an event and received none."""
    records = checked.results().evidence.values()
    (run,) = (record["answer"] for record in records if record["title"] == "initialisation")
    assert run["init"]["outcome"] == "answered"
    assert run["invocations"] == []
    assert "was invoked with" not in str(run)
