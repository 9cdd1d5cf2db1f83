"""Python scripts of the gate that the image's own Python runs, and the JSON object that each answers.

What else a script, the image's code or a child process prints is never read as the answer: it comes on a descriptor of
its own and is passed on between two marks that are drawn at random for each run.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SUPERVISOR = Path(__file__).with_name("supervisor.py").read_text()
# Seconds that a script may run, and bytes that its answer may have.
SECONDS = 60
MOST_BYTES = 4 << 20
_KEPT_CHARACTERS = 4000
# Stands before a script: `answer(value)` gives the answer, to a descriptor that no child of the script inherits.
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
    """How a script in a container ended.

    Attributes:
        answer: the JSON object that it answered; None when it answered nothing, or something else.
        timed_out: it was stopped after its time.
        too_large: its answer was over the limit and was not read to its end.
        exit_code: as a shell gives it; None when it still ran.
        printed: the end of what it printed.
        started: whether the image's Python starts at all.
    """

    answer: dict[str, Any] | None
    timed_out: bool
    too_large: bool
    exit_code: int | None
    printed: str
    started: bool = True

    @property
    def failure(self) -> str:
        """How it ended without an answer."""
        if self.too_large:
            return f"its answer is over {MOST_BYTES >> 20} MB"
        return "it took too long" if self.timed_out else f"exit code {self.exit_code}"


def new_mark() -> str:
    """A random text that a program cannot know beforehand."""
    return secrets.token_hex(16)


def between_marks(text: str, mark: str) -> str | None:
    """The text between two marks; None unless there are exactly two."""
    parts = text.split(mark)
    return parts[1] if len(parts) == 3 else None  # noqa: PLR2004 - before, between and after


def supervised_command(
    code: str, arguments: Sequence[str], mark: str, *, seconds: float | None = None, linger: float = 0
) -> list[str]:
    """The command that runs a script under `supervisor.py`.

    Args:
        code: Python that calls `answer(value)` with a JSON object.
        arguments: what it is given besides.
        mark: stands before and after what the supervisor reports.
        seconds: it may take.
        linger: seconds that it goes on running once it has answered.
    """
    limits = {"seconds": seconds or SECONDS, "linger": linger, "most": MOST_BYTES}
    plan = {"code": ANSWER_FUNCTION + code, "arguments": list(arguments), "mark": mark, **limits}
    return ["python3", "-I", "-S", "-c", SUPERVISOR, json.dumps(plan)]


def result_in(text: str, mark: str) -> ScriptResult | None:
    """What the supervisor reported; None when it reported nothing."""
    report = _object(between_marks(text, mark))
    if report is None:
        return None
    late, large, printed = bool(report.get("late")), bool(report.get("large")), str(report.get("printed", ""))
    return ScriptResult(_object(report.get("answer")), late, large, report.get("exit"), printed)


def _object(text: Any) -> dict[str, Any] | None:
    try:
        found = json.loads(text or "null")
    except (ValueError, TypeError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def run_script(host: Any, code: str, arguments: Sequence[str], folder: str) -> ScriptResult:
    """Run a script in a running container.

    Args:
        host: testinfra's, for the container.
        code: it calls `answer(value)` with a JSON object.
        arguments: of the script.
        folder: where it runs.
    """
    mark = new_mark()
    command = supervised_command(code, arguments, mark)
    done = host.run("cd %s && " + " ".join(["%s"] * len(command)), folder, *command)
    printed = (done.stderr or done.stdout)[-_KEPT_CHARACTERS:]
    return result_in(done.stdout, mark) or ScriptResult(None, False, False, done.rc, printed, started=False)
