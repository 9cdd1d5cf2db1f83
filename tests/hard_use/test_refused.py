"""Runs from which the machine takes something: the engine, the disk, the network. Each ends soon, with a no."""

from __future__ import annotations

import json

import pytest

from tests.hard_use.runs import Gate

pytestmark = pytest.mark.docker
SMALL_FILE = 6_000


def said_no(gate: Gate, code: int, said: str) -> str:
    """What the run said, once it is sure that it was no yes."""
    assert code != 0, said
    assert gate.results().word in {"", "INCOMPLETE", "REHEARSAL FAILED", "NO-GO"}
    assert "Traceback" not in said
    return said


def test_without_an_engine_the_way_out_is_named(gate):
    """An engine that does not answer is a failure that says so."""
    code, said = gate.run("-m", "ac6", DOCKER_HOST="tcp://127.0.0.1:1")
    assert "the Docker engine does not answer" in said_no(gate, code, said)


def test_a_disk_that_takes_no_more_is_no_yes(plain_gate):
    """Evidence that cannot be written is a failure, and yesterday's verdict is gone."""
    folder = plain_gate.results().folder
    folder.mkdir(parents=True)
    (folder / "verdict.json").write_text(json.dumps({"verdict": "REHEARSAL PASSED"}))
    run = plain_gate.start("-m", "ac6", largest_file=SMALL_FILE)
    assert "File too large" in said_no(plain_gate, run.end(), run.text())


def test_names_that_do_not_resolve_are_no_yes(gate):
    """AWS that cannot be found is a sentence, within the retries' time."""
    nowhere = "http://ecr.nowhere.invalid"
    keys = {"AWS_ACCESS_KEY_ID": "AKIANOWHERE", "AWS_SECRET_ACCESS_KEY": "nowhere", "AWS_REGION": "ap-northeast-2"}
    code, said = gate.run(
        "--target", "aws", "-m", "ac5", AWS_ENDPOINT_URL=nowhere, AWS_ENDPOINT_URL_ECR=nowhere, **keys
    )
    assert "nowhere.invalid" in said_no(gate, code, said)
