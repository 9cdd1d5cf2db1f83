"""A failed import is reported with the line of the image's own code, whatever else the module does."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from gate.engine.host import host_of
from gate.image.python import HandlerImport, import_handler
from gate.runtime.tracebacks import Frame, frames_in, frames_of, own_line


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Testinfra's host, whose container is this machine."""
    (tmp_path / "docker").write_text('#!/bin/bash\nshift 2\nexec "$@"\n')
    (tmp_path / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return host_of("c", 20)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A task root: a package that a distribution recorded stands in it beside the team's own code."""
    task = tmp_path / "task"
    files = {
        "src/__init__.py": "",
        "vendored/__init__.py": "import os\n\n\ndef call():\n    os.stat('/no/such/file')\n",
        "vendored-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: vendored\nVersion: 1.0\n",
        "vendored-1.0.dist-info/RECORD": "vendored/__init__.py,,\nvendored-1.0.dist-info/RECORD,,\n",
        "lib/helper.py": "VALUE = 1\nWRONG = {}['port']\n",
    }
    for name, text in files.items():
        (task / name).parent.mkdir(parents=True, exist_ok=True)
        (task / name).write_text(text)
    return task


def imported(host: Any, root: Path, code: str) -> HandlerImport:
    """What importing a handler with this code comes to."""
    (root / "src" / "main.py").write_text(code + "\n\n\ndef handler(event, context):\n    return 1\n")
    return import_handler(host, "src.main.handler", str(root))


@pytest.mark.parametrize(
    ("code", "error", "line"),
    [
        ("import os\nHELD = os.open('/no/such/file', 0)", "FileNotFoundError",
         "src/main.py:2: `HELD = os.open('/no/such/file', 0)`"),
        ("import json\nX = json.loads('{')", "JSONDecodeError", "src/main.py:2: `X = json.loads('{')`"),
        ("import no_such_package", "ModuleNotFoundError", "src/main.py:1: `import no_such_package`"),
        ("from os import no_such_name", "ImportError", "src/main.py:1: `from os import no_such_name`"),
        ("import vendored\nvendored.call()", "FileNotFoundError", "src/main.py:2: `vendored.call()`"),
        ("from lib import helper", "KeyError", "lib/helper.py:2: `WRONG = {}['port']`"),
        ("try:\n    {}['a']\nexcept KeyError as e:\n    raise RuntimeError('no a') from e", "RuntimeError: no a",
         "src/main.py:4: `raise RuntimeError('no a') from e`"),
        ("def f(:", "SyntaxError", "src/main.py:1: `def f(:`"),
        ("raise SystemExit(3)", "SystemExit: 3", "src/main.py:1: `raise SystemExit(3)`"),
        ("def f():\n    f()\nf()", "RecursionError", "src/main.py:2: `f()`"),
    ],
)  # fmt: skip
def test_a_failed_import_names_its_own_line(host: Any, root: Path, code: str, error: str, line: str) -> None:
    """The deepest line that the team can change, beside the exception."""
    found = imported(host, root, code)
    assert not found.callable
    assert error in found.error
    assert found.line == f"{root}/{line}"


@pytest.mark.parametrize(
    "code",
    [
        "print('{}'); print('hello')",
        'import atexit\natexit.register(print, \'{"callable": false, "error": ""}\')',
        "import threading, time\nthreading.Thread(target=time.sleep, args=(60,)).start()",
        "import subprocess\nsubprocess.Popen(['sleep', '30'])",
        "import sys\nsys.stdout = None",
        "import os\nos.close(1)",
        "import multiprocessing\nLOCK = multiprocessing.Lock()",
    ],
)
def test_an_import_that_only_prints_or_leaves_something_is_good(host: Any, root: Path, code: str) -> None:
    """Lambda accepts it too, and it is not waited for."""
    began = time.monotonic()
    assert imported(host, root, code) == HandlerImport("src.main.handler", True, "")
    assert time.monotonic() - began < 15


def test_an_import_that_ends_python_is_the_handlers_fault(host: Any, root: Path) -> None:
    """Also if it prints what looks like an answer."""
    found = imported(host, root, "import os\nos.write(1, b'{\"callable\": true}')\nos._exit(7)")
    assert (found.callable, found.line) == (False, "")
    assert "the import did not return: exit code 7" in found.error


@pytest.mark.slow
def test_an_import_that_never_ends_is_given_up(host: Any, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After its time limit, which the message says."""
    monkeypatch.setattr("gate.engine.script.SECONDS", 1)
    assert "it took too long" in imported(host, root, "import time\ntime.sleep(60)").error


TRACE = [
    '  File "/var/lang/lib/python3.11/importlib/__init__.py", line 126, in import_module\n    return _gcd(name)\n',
    '  File "<frozen importlib._bootstrap>", line 1204, in _gcd_import\n',
    '  File "/var/task/src/main.py", line 7, in <module>\n    LOCK = multiprocessing.Lock()\n',
    '  File "/var/task/boto3/session.py", line 90, in client\n    raise it\n',
    '  File "/var/lang/lib/python3.11/multiprocessing/synchronize.py", line 57, in __init__\n    sl = self._semlock\n',
]


@pytest.mark.parametrize(
    ("trace", "packages", "line"),
    [
        (TRACE, ["boto3"], "/var/task/src/main.py:7: `LOCK = multiprocessing.Lock()`"),
        (TRACE, [], "/var/task/boto3/session.py:90: `raise it`"),
        (TRACE[3:], ["boto3"], "/var/task/boto3/session.py:90: `raise it`"),
        (['  File "/var/task/app.py" Line 3\n    def f(:\n'], [], "/var/task/app.py:3: `def f(:`"),
        (['  File "/var/task/app.py", line 3, in f\n'], [], "/var/task/app.py:3"),
        (['  File "/var/task/venv/lib/python3.11/site-packages/a.py", line 3, in f\n'], [], ""),
        (['  File "/var/tasks/app.py", line 3, in f\n'], [], ""),
        ([TRACE[2] + TRACE[4]], [], "/var/task/src/main.py:7: `LOCK = multiprocessing.Lock()`"),
        ([], [], ""),
        (None, [], ""),
        ("text", [], ""),
        ([1, None, {}], [], ""),
    ],
)
def test_the_line_is_read_from_the_runtimes_trace(trace: Any, packages: list[str], line: str) -> None:
    """Not the library's, not a package's beside it, and "" where the trace has none."""
    assert own_line(frames_in(trace), "/var/task", packages) == line


def test_long_code_is_shortened() -> None:
    """A line of a generated file may be any length."""
    assert len(str(Frame("/var/task/a.py", 1, "x" * 9000))) < 200


@pytest.mark.parametrize("answer", [None, 1, "x", [1], [[]], [["/a", "1", ""]], [["/a", 1]], {"a": 1}])
def test_frames_of_another_form_are_none(answer: Any) -> None:
    """Frames come from the image and may have any form."""
    assert frames_of(answer) == ()
