"""An engine that takes a call and never answers: the run ends within its timeouts, with a no that names the cause."""

from __future__ import annotations

import pytest

from tests.hard_use.runs import owned_by
from tests.hard_use.stalling import stalling_engine

pytestmark = pytest.mark.docker
BUILT, READABLE, PYTHON = "built_from_the", "can_be_read_by_the_user", "runs_on_Python"


@pytest.mark.parametrize(
    ("claim", "call", "option", "cause"),
    [
        (BUILT, r"POST \S*/build\b", "--build-timeout", "the build did not end within 6 s"),
        (READABLE, r"GET \S*/containers/\w+/export", "--engine-timeout", "the Docker engine does not answer"),
        (PYTHON, r"POST \S*/containers/\w+/exec", "--engine-timeout", "no answer came out of the container within 6 s"),
        (PYTHON, r"POST \S*/containers/create", "--engine-timeout", "the Docker engine does not answer"),
    ],
    ids=["build", "export", "exec", "create"],
)
def test_an_engine_that_hangs_ends_the_run_with_a_no(gate, engine, claim, call, option, cause):
    """Neither a build nor a look into the image waits for ever; the next run is right and finds nothing left over."""
    case = f"{claim} or {claim.lower()}"
    with stalling_engine(gate.folder, call) as (address, hung):
        run = gate.start("-k", case, option, "6", DOCKER_HOST=address)
        code, said = run.end(), run.text()
        assert hung, said
    assert code == 1, said
    assert cause in said
    assert "Traceback" not in said
    assert gate.results().word == "INCOMPLETE" or gate.results().word == "REHEARSAL FAILED"
    assert run.processes() == []
    again = gate.start("-k", case)
    assert again.end() == 0, again.text()
    assert owned_by(engine, run.process.pid) == []
