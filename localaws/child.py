"""Child processes that end with their parent, however the parent ends.

The parent holds the writing end of the child's standard input. When the parent ends, even by SIGKILL, the kernel closes
it; the child then reads the end of its input and shuts down.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from localaws import LocalTargetError

_GRACE_SECONDS = 6.0
_ROOT = Path(__file__).resolve().parent.parent


def spawn(module: str, log: Path, environment: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Start `python -m module` in a session of its own; it waits for its settings (`send_settings`)."""
    environment = dict(os.environ) if environment is None else environment
    path = os.pathsep.join(filter(None, [str(_ROOT), environment.get("PYTHONPATH", "")]))
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            # What it reads and writes is UTF-8, whatever the locale.
            env={**environment, "PYTHONPATH": path, "PYTHONUTF8": "1"},
            start_new_session=True,
        )


def send_settings(process: subprocess.Popen[bytes], settings: dict[str, Any]) -> None:
    """Give the child its settings on standard input.

    They may hold secrets, which must not be on its command line, in its environment or on disk.
    """
    assert process.stdin is not None  # noqa: S101  for the type checker: stdin=PIPE
    process.stdin.write(json.dumps(settings).encode() + b"\n")
    process.stdin.flush()


def ready_line(process: subprocess.Popen[bytes], log: Path) -> str:
    """Wait for the line that the child prints when it is ready.

    Raises:
        LocalTargetError: the child ended without printing it; the message holds the end of its log.
    """
    assert process.stdout is not None  # noqa: S101  for the type checker: stdout=PIPE
    line = process.stdout.readline().decode().strip()
    if not line:
        stop(process)
        tail = log.read_text(encoding="utf-8", errors="replace")[-2000:]
        raise LocalTargetError(f"{process.args!r} ended before it was ready. The end of {log.name}:\n{tail}")
    return line


def stop(process: subprocess.Popen[bytes]) -> None:
    """Let a child shut down; after a grace period, kill its whole session."""
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    try:
        process.wait(_GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def settings_from_parent() -> dict[str, Any]:
    """In the child: read the settings, and end when the parent ends from now on."""
    line = sys.stdin.buffer.readline()
    if not line:
        raise SystemExit("this module is started by localaws.target, which passes its settings on standard input")
    settings: dict[str, Any] = json.loads(line)
    threading.Thread(target=_end_with_parent, name="end-with-parent", daemon=True).start()
    return settings


def _end_with_parent() -> None:
    while sys.stdin.buffer.read(4096):
        pass
    # If shutting down takes too long, the child is killed with everything it started.
    watchdog = threading.Timer(_GRACE_SECONDS - 1, os.killpg, (0, signal.SIGKILL))
    watchdog.daemon = True
    watchdog.start()
    os.kill(os.getpid(), signal.SIGTERM)
