"""Testinfra's host in a container, with an end to its patience."""

from __future__ import annotations

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
