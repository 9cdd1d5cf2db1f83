"""A made-up machine: the set-up scripts on a PATH of stand-ins that note their calls."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Programs that the scripts use and that change nothing: the real ones.
REAL = (
    "awk",
    "bash",
    "cat",
    "cut",
    "dirname",
    "env",
    "flock",
    "grep",
    "mkdir",
    "mktemp",
    "printf",
    "rm",
    "setsid",
    "sh",
    "sha256sum",
)
REAL += ("sleep", "tail", "timeout", "touch", "chmod", "cp")
SECONDS = 60


@dataclass(frozen=True)
class Machine:
    """A made-up machine: a tree with the scripts, and stand-ins for the programs that they call."""

    tree: Path

    def has(self, program: str, script: str = "exit 0") -> None:
        """Put a stand-in on the PATH: it notes its arguments, then runs some shell."""
        path = self.tree / "bin" / program
        path.unlink(missing_ok=True)
        path.write_text(f'#!/bin/bash\necho "{program} $*" >> "{self.tree}/calls"\n{script}\n')
        path.chmod(0o755)

    def runs(self, script: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run one of the set-up scripts on this machine."""
        own = {
            "PATH": str(self.tree / "bin"),
            "HOME": str(self.tree),
            "OS_RELEASE": str(self.tree / "os-release"),
            "SYSTEMD_RUNS": str(self.tree / "systemd"),
        }
        return subprocess.run(
            [self.tree / "setup" / script],
            env={**own, **environment},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    def calls(self, program: str) -> list[str]:
        """The arguments of each call of a stand-in, in order."""
        log = self.tree / "calls"
        lines = log.read_text().splitlines() if log.exists() else []
        return [line.removeprefix(f"{program} ") for line in lines if line.split(" ")[0] == program]


def one_sentence(done: subprocess.CompletedProcess[str]) -> str:
    """The one line with which a script stopped."""
    assert done.returncode != 0, done.stdout
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("set-up: ")]
    return line
