"""Commands in a container: complete answers in time, whatever the programs in the image print."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gate.engine import host
from gate.engine.host import host_of
from gate.errors import EngineUnavailable

pytestmark = pytest.mark.slow


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a docker command on the PATH whose `exec CONTAINER COMMAND…` runs so, with the command in "$@"."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    def make(script: str) -> None:
        (tmp_path / "docker").write_text(f"#!/bin/bash\nshift 2\n{script}\n")
        (tmp_path / "docker").chmod(0o755)

    return make


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("echo one; echo two >&2; exit 3", (3, "one\n", "two\n")),
        ("printf 'no end'", (0, "no end", "")),
        ("true # a comment", (0, "", "")),
        ("cat /nonexistent-file 2>/dev/null", (1, "", "")),
        ("printf '\\303\\251 \\377'", (0, "é \ufffd", "")),
    ],
)
def test_an_answer_is_what_the_command_said(docker, command, expected) -> None:
    """Exit code and both outputs, without the gate's own marks; bytes that are not text are decoded."""
    docker('"$@"')
    done = host_of("c", 10).run(command)
    assert (done.rc, done.stdout, done.stderr) == expected


def test_arguments_are_words(docker) -> None:
    """Arguments are quoted."""
    docker('"$@"')
    assert host_of("c", 10).run("printf %%s %s", "$(id); \"'").stdout == "$(id); \"'"


@pytest.mark.parametrize(
    ("exported", "home"), [("HOME=", "/"), ("-u HOME", "/"), ("HOME=/home/someone", "/home/someone"), ("HOME=/", "/")]
)
def test_where_a_question_is_asked_is_no_matter_of_the_engine(docker, tmp_path, exported, home) -> None:
    """For a user without an entry Podman leaves HOME empty; the folder that the image starts in may be closed to it."""
    docker(f'cd {tmp_path} && exec env {exported} "$@"')
    assert host_of("c", 10).run("echo $HOME; pwd").stdout.split() == [home, "/"]


@pytest.mark.parametrize("ended", ['"$@" | head -c 0', '"$@" | head -c 4', '"$@" | head -c 30', "exit 126", "exit 1"])
def test_an_answer_that_broke_off_is_no_answer(docker, ended) -> None:
    """`docker exec` exits with 0 although the engine broke off, or with 126 where it did at the start, in silence."""
    docker(ended)
    with pytest.raises(EngineUnavailable, match="broke off") as refused:
        host_of("c", 10).run("seq 1 200")
    assert refused.value.where == "seq 1 200"


def test_a_command_that_cannot_be_started_is_an_answer(docker) -> None:
    """An image without a shell: the exit code says so."""
    docker("echo 'OCI runtime exec failed' >&2; exit 126")
    done = host_of("c", 10).run("ls")
    assert (done.rc, done.stdout) == (126, "")
    assert "OCI runtime" in done.stderr


def test_a_program_that_does_not_end_is_given_up(docker) -> None:
    """After its time limit."""
    docker("exec sleep 60")
    with pytest.raises(EngineUnavailable, match=r"within 0\.5 s"):
        host_of("c", 0.5).run("ls")


@pytest.mark.parametrize("left", ["sleep 9 &", "sleep 9 >&2 &", "(while :; do echo more; sleep 0.1; done) &"])
def test_what_a_command_leaves_running_is_not_waited_for(docker, left) -> None:
    """A child that holds the output open is not waited for, and its later output is not part of the answer."""
    docker('"$@"')
    began = time.monotonic()
    done = host_of("c", 20).run(f"{left} sleep 0.3; echo said; echo why >&2; (exit 4)")
    assert time.monotonic() - began < 8
    assert (done.rc, done.stdout.replace("more\n", ""), done.stderr.replace("more\n", "")) == (4, "said\n", "why\n")


def test_a_program_that_prints_without_end_is_given_up(docker, monkeypatch) -> None:
    """At a stated size, long before the time limit."""
    monkeypatch.setattr(host, "_MOST_BYTES", 1 << 20)
    docker('"$@"')
    with pytest.raises(EngineUnavailable, match="more than 1 MB"):
        host_of("c", 30).run("yes")
