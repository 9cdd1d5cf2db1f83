"""Answers of scripts in an image: complete and in time, whatever else the script prints or leaves running."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from gate.engine import script as answers
from gate.engine.host import host_of
from gate.engine.script import (
    ScriptResult,
    between_marks,
    new_mark,
    result_in,
    run_script,
    supervised_command,
)

pytestmark = pytest.mark.slow

SETSID = "import os, time\nif os.fork() == 0:\n    os.setsid()\n    "


def run(code: str, *arguments: str, seconds: float = 20, linger: float = 0) -> ScriptResult | None:
    """What the supervisor reports of a script."""
    mark = new_mark()
    command = supervised_command(code, arguments, mark, seconds=seconds, linger=linger)
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return result_in(done.stdout, mark)


@pytest.mark.parametrize(
    "around",
    [
        "{answer}",
        "print('hello'); {answer}; print('more')",
        "print('{{\"a\": 0}}'); {answer}; print('{{\"a\": 0}}')",
        "import atexit; atexit.register(print, '{{\"a\": 0}}'); {answer}",
        "import atexit, time; atexit.register(time.sleep, 60); {answer}",
        "import threading, time; threading.Thread(target=time.sleep, args=(60,)).start(); {answer}",
        "import subprocess; subprocess.Popen(['sleep', '30']); {answer}",
        "import subprocess; subprocess.Popen(['setsid', 'sleep', '30']); {answer}",
        SETSID + "time.sleep(30)\nelse:\n    {answer}",
        SETSID + "os.write(1, b'x' * 10**9)\nelse:\n    {answer}",
        "print('x' * 10**6); {answer}",
        "import os; os.write(1, bytes(range(256)) * 99); {answer}",
        "import sys; sys.stdout.close(); sys.stderr.close(); {answer}",
        "import os; os.close(1); os.close(2); {answer}",
        "import os, signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {answer}; signal.pause()",
        "import sys; sys.setrecursionlimit(50); {answer}; raise SystemExit(3)",
    ],
)
def test_an_answer_is_read_whatever_is_printed_or_left_running(around: str) -> None:
    """Before, at the end, by children and by threads: none of it is the answer, and none of it is waited for."""
    began = time.monotonic()
    found = run(around.format(answer="answer({'a': __import__('sys').argv[1:]})"), "one", "two words")
    assert found is not None
    assert found.answer == {"a": ["one", "two words"]}
    assert time.monotonic() - began < 15


@pytest.mark.parametrize(
    ("code", "end"),
    [
        ("raise SystemExit(3)", "exit code 3"),
        ("print('{\"a\": 1}')", "exit code 0"),
        ("import os; os._exit(7)", "exit code 7"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "exit code 139"),
        ("answer([1])", "exit code"),
        ("answer({'a': 'x' * 10**7})", "its answer is over 4 MB"),
        ("import time; time.sleep(60)", "it took too long"),
        ("import os\nwhile True: os.write(1, b'flood')", "it took too long"),
        ("import os; os.write(_descriptor, b'{\"a\": 1')", "exit code 0"),
        (SETSID + "while True: os.write(1, b'flood')\nos._exit(5)", "exit code 5"),
    ],
)
def test_a_missing_answer_is_reported_with_how_the_script_ended(code: str, end: str) -> None:
    """Also if it printed what looks like an answer."""
    found = run(code, seconds=1 if "long" in end else 30)
    assert found is not None
    assert found.answer is None
    assert end in found.failure


def test_the_end_of_what_was_printed_is_kept() -> None:
    """Four thousand bytes of it, the last ones."""
    found = run("print('first'); print('x' * 9000); print('why', file=__import__('sys').stderr); raise SystemExit(1)")
    assert found is not None
    assert len(found.printed) == 4000
    assert found.printed.endswith("xx\nwhy\n")


def test_a_script_goes_on_for_the_linger_time() -> None:
    """It runs on to be measured, and is killed then."""
    mark = new_mark()
    command = supervised_command("import os, time; answer({'pid': os.getpid()}); time.sleep(60)", [], mark, linger=60)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as supervisor:
        assert supervisor.stdout is not None
        found = result_in(supervisor.stdout.readline(), mark)
        assert found is not None
        assert found.answer is not None
        os.kill(found.answer["pid"], 0)
        os.kill(found.answer["pid"], signal.SIGKILL)
        supervisor.kill()


@pytest.mark.parametrize(
    ("text", "found"),
    [("MaM", "a"), ("before MaM after", "a"), ("a", None), ("Ma", None), ("MaMbM", None), ("", None), ("MM", "")],
)
def test_the_answer_is_between_exactly_two_marks(text: str, found: str | None) -> None:
    """Neither one mark nor three."""
    assert between_marks(text, "M") == found


@pytest.mark.parametrize("frame", ["", "{", "[]", "null", "1", '"x"'])
def test_what_is_no_json_object_is_no_result(frame: str) -> None:
    """As after an engine that broke off, or from a program that learnt the mark."""
    assert result_in(f"M{frame}M", "M") is None


def test_marks_differ() -> None:
    """A program cannot derive the next one from the last."""
    assert len({new_mark() for _ in range(100)}) == 100


def test_a_python_that_cannot_be_started_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its exit code and output; a wrapper that prints before it starts Python does no harm."""
    (tmp_path / "docker").write_text('#!/bin/bash\nshift 2\n"$@"\n')
    (tmp_path / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert run_script(host_of("c", 20), "answer({'a': 1})", [], "/").answer == {"a": 1}
    missing = run_script(host_of("c", 20), "answer({'a': 1})", [], "/no/such/folder")
    assert (missing.answer, missing.started) == (None, False)
    assert "/no/such/folder" in missing.printed
    monkeypatch.setattr(answers, "supervised_command", lambda *a, **k: ["sh", "-c", 'echo banner; exec "$@"', "-",
                                                              *supervised_command(*a, **k)])  # fmt: skip
    assert run_script(host_of("c", 20), "answer({'a': 1})", [], "/").answer == {"a": 1}


def test_the_plan_is_one_word_of_json() -> None:
    """What is asked may hold any text."""
    plan = json.loads(supervised_command("code", ["'\"\n$(id)"], "mark")[-1])
    assert plan["arguments"] == ["'\"\n$(id)"]
