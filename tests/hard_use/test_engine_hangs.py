"""An engine that leaves a call without an answer, or half of one: the run ends in time, with a no and its cause."""

from __future__ import annotations

import pytest

from tests.hard_use.conftest import without_layers
from tests.hard_use.runs import Gate, owned_by
from tests.hard_use.stalling import CUT, GONE, SILENT, STUCK, stalling_engine

pytestmark = pytest.mark.docker
BUILT, READABLE, PYTHON = "built_from_the", "can_be_read_by_the_user", "runs_on_the_agreed_Python"
BUILD, SAVE, CREATE = r"POST \S*/build\b", r"GET \S*/images/\S+/get", r"POST \S*/containers/create"
EXEC, ANSWER, PUSH = r"POST \S*/containers/\w+/exec", r"POST \S*/exec/\w+/start", r"POST \S*/images/\S+/push"
NO_ANSWER = "the Docker engine does not answer"


@pytest.fixture(scope="module")
def one_gate(tmp_path_factory) -> Gate:
    """A gate for all of these engines, about a small image."""
    return without_layers(tmp_path_factory.mktemp("hanging"))


@pytest.fixture(scope="module")
def hung() -> list[int]:
    """The processes of its runs so far."""
    return []


@pytest.mark.parametrize(
    ("scenario", "call", "becomes", "option", "cause"),
    [
        (BUILT, BUILD, SILENT, "--build-timeout", "the build did not end within 6 s"),
        (BUILT, BUILD, GONE, "", NO_ANSWER),
        (READABLE, SAVE, STUCK, "--engine-timeout", "Read timed out"),
        (PYTHON, EXEC, SILENT, "--engine-timeout", "no answer came out of the container within 6 s"),
        (PYTHON, ANSWER, CUT, "", "the answer that came out of the container broke off"),
        (PYTHON, CREATE, SILENT, "--engine-timeout", NO_ANSWER),
    ],
    ids=["build", "build-gone", "save-stuck", "exec", "exec-cut", "create"],
)
def test_an_engine_that_hangs_or_stops_ends_the_run_with_a_no(one_gate, hung, scenario, call, becomes, option, cause):
    """Neither a build nor a look into the image waits for ever."""
    # What breaks off needs no limit to be noticed; a short one would be met by other calls on a busy machine.
    limit = [option, "6"] if option else ()
    hung.append(_ended(one_gate, call, becomes, cause, "-k", either_case(scenario), *limit).process.pid)


def test_the_next_run_is_right_and_finds_nothing_left_over(one_gate, hung, engine):
    """The same scenarios with an engine that answers, after all of these runs."""
    again = one_gate.start("-k", " or ".join(map(either_case, (BUILT, READABLE, PYTHON))))
    assert again.end() == 0, again.text()
    assert "… ARG" not in again.text(), "the steps of a cached build take no time"
    assert [left for process in hung for left in owned_by(engine, process)] == []


def test_an_engine_that_falls_silent_in_the_push_publishes_nothing(gate, engine):
    """The push is given up in time; what it had begun is on record, and nothing is left over for the next run."""
    small = ("--image", "debian:bookworm-slim", "-p", "tests.hard_use.hasty")
    cause = "The Docker engine stopped answering during the push of candidate"
    run = _ended(gate, PUSH, STUCK, cause, *small, "-k", "registry_holds_the_checked_image", "--engine-timeout", "10")
    pushed = [title for titles in gate.results().titles.values() for title in titles if title.endswith("refused")]
    assert pushed, "the step that was refused"
    assert gate.run("-m", "ac5", "-k", "push")[0] == 0
    assert owned_by(engine, run.process.pid) == []


def either_case(scenario):
    """For -k, which knows a scenario's name in lower case too."""
    return f"{scenario} or {scenario.lower()}"


def _ended(gate, call, becomes, cause, *arguments):
    """A run that met such an engine, and said so."""
    with stalling_engine(gate.folder, call, becomes) as (address, harmed):
        run = gate.start(*arguments, DOCKER_HOST=address)
        code, said = run.end(), run.text()
        assert harmed, said
    assert (code, gate.results().word) == (1, "REHEARSAL FAILED"), said
    assert cause in said
    assert "Traceback" not in said
    assert "the gate itself failed" not in said
    assert run.processes() == []
    return run
