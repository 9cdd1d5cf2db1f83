"""Runs a module's tests against each of its mutants, in a copy of the tree.

Runs as a process of its own per module (`python trial.py COPY MODULE TESTS…`, mutants on its input as JSON, outcomes
on its output). A mutant may name more tests of its own.

What is the same for all mutants is imported once; each mutant is then tried in a fork, which costs
a few tenths of a second where a new Python and a new pytest cost several.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import json
import os
import resource
import signal
import sys
import time
from pathlib import Path
from typing import Any

import hypothesis
import pytest

_OURS = ("gate", "tests", "steps", "localaws", "conftest", "image")
_MEMORY = 4 << 30
# A mutant that loops for ever is killed by the clock; a slow machine kills none that the tests would let live.
_LEAST_SECONDS = 20.0
_TIMES_SLOWER = 10
_LONGEST_TICK = 1.0


def main(copy: Path, module: str, tests: list[str], mutants: list[dict[str, Any]]) -> dict[str, object]:
    """The outcome of each mutant, and the files of the tree that the tests read as modules.

    Raises:
        SystemExit: when the tests are not green on the module as it is: then they prove nothing.
    """
    os.chdir(copy)
    hypothesis.settings.register_profile(
        "mutation",
        derandomize=True,
        database=None,
        deadline=None,
        max_examples=25,
        phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
    )
    arguments = ["-c", "tests/pytest.ini", "-x", "-q", "-m", "not docker", "-p", "no:cacheprovider", "--tb=no"]
    arguments += ["--hypothesis-profile=mutation", *tests]
    report = copy / "imported.json"
    began = time.monotonic()
    if _in_a_fork(lambda: _green(arguments, report), 600):
        raise SystemExit(f"{module}: its tests are not green as they are: {' '.join(tests)}")
    limit = max(_LEAST_SECONDS, _TIMES_SLOWER * (time.monotonic() - began))
    imported = json.loads(report.read_text())
    for name in imported["foreign"]:
        # Some modules cannot be imported by their name alone; the tests import those themselves.
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    gc.freeze()  # pytest collects garbage at its end, and would look through all of this each time
    return {"files": imported["ours"], "outcomes": [_tried(copy / module, each, arguments, limit) for each in mutants]}


def _tried(module: Path, mutant: dict[str, Any], arguments: list[str], limit: float) -> str:
    original = module.read_text()
    module.write_text(mutant["source"])
    for compiled in module.parent.glob(f"__pycache__/{module.stem}.*"):
        compiled.unlink()
    try:
        code = _in_a_fork(lambda: _quietly([*arguments, *mutant["more"]]), limit)
    finally:
        module.write_text(original)
    if code == pytest.ExitCode.NO_TESTS_COLLECTED:
        raise SystemExit(f"{module}: no test was collected")
    return "timeout" if code is None else "killed" if code else "survived"


def _in_a_fork(work, limit: float) -> int | None:
    """The exit code of the work, minus the signal that ended it, or None when it ran out of time."""
    child = os.fork()
    if not child:
        code = 70
        try:
            os.setsid()
            resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
            code = work()
        finally:
            os._exit(code)
    spent, before = 0.0, time.monotonic()
    try:
        while spent < limit:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.01)
            # A machine that slept, or processes that were stopped, used up none of the time.
            spent, before = spent + min(time.monotonic() - before, _LONGEST_TICK), time.monotonic()
        return None
    finally:
        with contextlib.suppress(ProcessLookupError):  # also what the tests left running
            os.killpg(child, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(child, 0)


def _quietly(arguments: list[str]) -> int:
    # Nothing that was made of a mutant may be found by the next one.
    sys.dont_write_bytecode = True
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    return int(pytest.main(arguments))


def _green(arguments: list[str], report: Path) -> int:
    os.dup2(2, 1)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        code = int(pytest.main(arguments))
    sys.stderr.write(said.getvalue() if code else "")
    root = str(Path.cwd())
    files = {name: getattr(module, "__file__", None) or "" for name, module in sys.modules.items()}
    ours = sorted({file for file in files.values() if file.startswith(root)})
    foreign = [name for name, file in files.items() if file and not file.startswith(root)]
    foreign = [name for name in foreign if name.split(".")[0] not in {*_OURS, "__main__", "__mp_main__"}]
    report.write_text(json.dumps({"ours": [str(Path(each).relative_to(root)) for each in ours], "foreign": foreign}))
    return code


if __name__ == "__main__":
    given = json.load(sys.stdin)
    found = main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:], given)
    json.dump(found, sys.stdout)
