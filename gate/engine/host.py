"""Testinfra's host in a container, with an end to its patience and an eye for answers that broke off."""

from __future__ import annotations

import dataclasses
import secrets
import shlex
import subprocess
from typing import Any

from testinfra.backend.base import CommandResult
from testinfra.backend.docker import DockerBackend
from testinfra.host import Host

from gate.errors import EngineUnavailable


def host_of(container: str, timeout: float) -> Any:
    """Testinfra's host for a running container.

    Args:
        container: its identity.
        timeout: seconds that one question may take; then `EngineUnavailable` is raised. Testinfra itself would wait
            for ever, for an engine that hangs as for a program in the image that does.
    """
    return Host(_Patient(container, timeout))


class _Patient(DockerBackend):  # type: ignore[misc]
    def __init__(self, container: str, timeout: float) -> None:
        super().__init__(container)
        self._timeout = timeout

    def run(self, command: str, *args: str, **_: Any) -> CommandResult:
        """Run a command to its end.

        `docker exec` reports success also when the engine breaks off in the middle of the output: only the mark behind
        it shows that all of it came.

        Raises:
            EngineUnavailable: no answer came in time, or not all of it.
        """
        mark = secrets.token_hex(8)
        asked = self.quote(command, *args)
        done = super().run(f"{asked}\nended=$?; printf %s {mark}; exit $ended")
        stdout, found, _rest = done.stdout.rpartition(mark)
        if not found and done.rc == 0:
            raise EngineUnavailable(
                "the answer that came out of the container broke off",
                where=asked,
                remedy="run again; if it stays so, see why the Docker engine stops (`docker info`)",
            )
        return dataclasses.replace(done, command=asked.encode(), _stdout=stdout if found else done.stdout)

    def run_local(self, command: str, *args: str) -> CommandResult:
        line = self.quote(command, *args)
        try:
            done = subprocess.run(
                shlex.split(line), stdin=subprocess.DEVNULL, capture_output=True, timeout=self._timeout, check=False
            )
        except subprocess.TimeoutExpired as late:
            raise EngineUnavailable(
                f"no answer came out of the container within {self._timeout:g} s",
                where=line,
                remedy="run the command by hand: the engine hangs (restart it), or the program in the image does",
            ) from late
        return self.result(done.returncode, self.encode(line), done.stdout, done.stderr)

    # Testinfra asks the container how it writes text, and fails at text that is not written so.

    def encode(self, data: str) -> bytes:
        return data.encode("utf-8", "backslashreplace")

    def decode(self, data: bytes) -> str:
        return data.decode("utf-8", "replace")
