"""Answers of programs in an image: each between two marks of this run, on an output that no program of the image holds.

What the image's own code prints, at whichever moment, is never read as an answer.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SUPERVISOR = Path(__file__).with_name("supervisor.py").read_text()
# Seconds that a program of the image may take to answer a question, and bytes that its answer may have.
SECONDS = 60
MOST_BYTES = 4 << 20
_SAID = 4000
# Before a program's own text: `answer(value)` gives the answer, and no child of the program inherits where it goes.
ANSWER_FUNCTION = """
import json as _json, os as _os, sys as _sys
_descriptor = int(_sys.argv.pop(1))
_os.set_inheritable(_descriptor, False)
def answer(value):
    data = (_json.dumps(value) + "\\n").encode()
    while data:
        data = data[_os.write(_descriptor, data):]
"""


@dataclass(frozen=True)
class ScriptResult:
    """What came of asking a program of the image.

    Attributes:
        answer: the object that it answered; None when it gave none, or another thing than an object.
        late: its time was up.
        large: its answer was over the limit, and was not read on.
        exit_code: as a shell gives it; None when it still ran.
        said: the end of what it printed.
        started: whether the image's Python runs at all.
    """

    answer: dict[str, Any] | None
    late: bool
    large: bool
    exit_code: int | None
    said: str
    started: bool = True

    @property
    def end(self) -> str:
        """How it ended without an answer, in words for a person."""
        if self.large:
            return f"its answer is over {MOST_BYTES >> 20} MB"
        return "it took too long" if self.late else f"exit code {self.exit_code}"


def new_mark() -> str:
    """A mark that no program can know beforehand."""
    return secrets.token_hex(16)


def between_marks(text: str, mark: str) -> str | None:
    """What stands between the two marks; None when there are not two."""
    parts = text.split(mark)
    return parts[1] if len(parts) == 3 else None  # noqa: PLR2004 - before, between and after


def supervised_command(
    code: str, arguments: Sequence[str], mark: str, *, seconds: float | None = None, linger: float = 0
) -> list[str]:
    """The command that runs a program under the supervisor.

    Args:
        code: Python, which is given the number of the descriptor for its answer as its first argument. It answers one
            line of JSON there.
        arguments: what it is given besides.
        mark: stands before and behind what is told.
        seconds: it may take.
        linger: seconds that it goes on running once it has answered.
    """
    limits = {"seconds": seconds or SECONDS, "linger": linger, "most": MOST_BYTES}
    plan = {"code": code, "arguments": list(arguments), "mark": mark, **limits}
    return ["python3", "-I", "-S", "-c", SUPERVISOR, json.dumps(plan)]


def result_in(text: str, mark: str) -> ScriptResult | None:
    """What the supervisor told; None when it told nothing."""
    if (frame := between_marks(text, mark)) is None:
        return None
    told = _object(frame)
    if told is None:
        return None
    late, large, said = bool(told.get("late")), bool(told.get("large")), str(told.get("said", ""))
    return ScriptResult(_object(told.get("answer")), late, large, told.get("exit"), said)


def _object(text: Any) -> dict[str, Any] | None:
    try:
        found = json.loads(text or "null")
    except (ValueError, TypeError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def run_script(host: Any, code: str, arguments: Sequence[str], folder: str) -> ScriptResult:
    """Let a Python program of ours run in a container that the image was started in.

    Args:
        host: testinfra's.
        code: what runs; it calls `answer(value)` with a JSON object.
        arguments: its arguments.
        folder: where it runs.

    Returns:
        What came of it; an image whose Python cannot be started says so in `said`.
    """
    mark = new_mark()
    command = supervised_command(ANSWER_FUNCTION + code, arguments, mark)
    done = host.run("cd %s && " + " ".join(["%s"] * len(command)), folder, *command)
    said = (done.stderr or done.stdout)[-_SAID:]
    return result_in(done.stdout, mark) or ScriptResult(None, False, False, done.rc, said, started=False)
