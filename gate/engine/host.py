"""Testinfra's host for a container, with a time limit, and answers that broke off are recognised."""

from __future__ import annotations

import dataclasses
import os
import selectors
import shlex
import subprocess
import time
from typing import Any

from testinfra.backend.base import CommandResult
from testinfra.backend.docker import DockerBackend
from testinfra.host import Host

from gate.engine.script import new_mark
from gate.errors import EngineUnavailable
from gate.text import plain

# Seconds for the rest of standard error, once a command has ended.
_AFTER_SECONDS = 1.0
_MOST_BYTES = 32 << 20
_SHOWN = 300
# Before each question: for a user whom the image's passwd does not know, Docker sets HOME to "/" and Podman to nothing,
# with which pip ends in a traceback. What the image itself sets, or its passwd says, stays.
_PREPARE = 'cd /; export HOME="${HOME:-/}"'


def host_of(container: str, timeout: float) -> Any:
    """Testinfra's host for a running container.

    Args:
        container: its identity.
        timeout: seconds that one command may take; then `EngineUnavailable` is raised. Testinfra itself would wait
            without end for an engine, or a program in the image, that hangs.
    """
    return Host(_LimitedBackend(container, timeout))


def _refused(cause: str, line: str, what: str) -> EngineUnavailable:
    return EngineUnavailable(cause, where=plain(line, _SHOWN), remedy=f"run the command by hand: {what}")


def _read_ready(waiting: selectors.BaseSelector, read: dict[Any, bytearray], seconds: float) -> None:
    for key, _ in waiting.select(seconds):
        data = os.read(key.fd, 1 << 16)
        read[key.fileobj] += data
        if not data:
            waiting.unregister(key.fileobj)


class _LimitedBackend(DockerBackend):  # type: ignore[misc]
    def __init__(self, container: str, timeout: float) -> None:
        super().__init__(container)
        self._timeout = timeout
        self._mark = new_mark()

    def run(self, command: str, *args: str, **_: Any) -> CommandResult:
        """Run a command to its end, from `/`, whatever folder the image starts in.

        `docker exec` reports success even when the engine breaks off in the middle of the output, and it goes on for as
        long as a process that the command started holds its output open. Two marks after the output, with the exit
        code between them, show that the command has ended and that its output is complete.

        Raises:
            EngineUnavailable: no answer came in time, or not all of it, or too much.
        """
        mark, asked = self._mark, self.quote(command, *args)
        done = super().run(f"{_PREPARE}\n{asked}\nended=$?; printf '%s %s %s' {mark} $ended {mark}; exit $ended")
        stdout, found, rest = done.stdout.partition(mark)
        # Where no shell could be started, the engine says so; one that broke off before says nothing.
        if not found and (done.rc == 0 or not (stdout + done.stderr).strip()):
            raise EngineUnavailable(
                "the answer that came out of the container broke off",
                where=plain(asked, _SHOWN),
                remedy="run again; if it stays so, see why the Docker engine stops (`docker info`)",
            )
        code = int(rest.partition(mark)[0]) if mark in rest else done.rc
        return dataclasses.replace(done, exit_status=code, command=asked.encode(), _stdout=stdout)

    def run_local(self, command: str, *args: str) -> CommandResult:
        line = self.quote(command, *args)
        with subprocess.Popen(
            shlex.split(line), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            try:
                stdout, stderr = self._outputs(process, line)
            finally:
                # It hangs, or a process that the command left running holds it open; or it has ended already.
                process.kill()
        return self.result(process.returncode, self.encode(line), stdout, stderr)

    def _outputs(self, process: subprocess.Popen[bytes], line: str) -> tuple[bytes, bytes]:
        """Both outputs, to their end, or to a moment after the second mark."""
        read: dict[Any, bytearray] = {process.stdout: bytearray(), process.stderr: bytearray()}
        deadline, whole = time.monotonic() + self._timeout, False
        with selectors.DefaultSelector() as waiting:
            for stream in read:
                waiting.register(stream, selectors.EVENT_READ)
            while waiting.get_map() and (left := deadline - time.monotonic()) > 0:
                _read_ready(waiting, read, left)
                # A program that was left running may print on after the second mark.
                if not whole and read[process.stdout].count(self._mark.encode()) > 1:
                    whole, deadline = True, min(deadline, time.monotonic() + _AFTER_SECONDS)
                if sum(map(len, read.values())) > _MOST_BYTES:
                    raise _refused(f"more than {_MOST_BYTES >> 20} MB came out of the container", line, "it prints "
                                   "without end")  # fmt: skip
            if waiting.get_map() and not whole:
                raise _refused(f"no answer came out of the container within {self._timeout:g} s", line,
                               "the engine hangs (restart it), or the program in the image does")  # fmt: skip
        if not whole:
            process.wait(self._timeout)
        return bytes(read[process.stdout]), bytes(read[process.stderr])

    # Testinfra asks the container how it writes text, and fails at text that is not written so.

    def encode(self, data: str) -> bytes:
        return data.encode("utf-8", "backslashreplace")

    def decode(self, data: bytes) -> str:
        return data.decode("utf-8", "replace")
