"""The mutation tool cosmic-ray: installed on first use in an environment of its own, kept under .cache/."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.pypi import installed

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache"
_HERE = Path(__file__).parent
_LOCK = _HERE / "requirements.txt"


@dataclass(frozen=True)
class Mutant:
    """One small change of a module.

    Attributes:
        operator: what made the change.
        line: where it begins, counted from 1.
        was: the changed lines as they are.
        becomes: the same as the mutant has them.
        source: the whole module with the change.
    """

    operator: str
    line: int
    was: str
    becomes: str
    source: str

    @property
    def on_roll(self) -> bool:
        """Whether it changes how a check is entered on the list of checks."""
        return self.was.startswith("@check(")


def mutants_of(module: Path) -> list[Mutant]:
    """Every mutant of a module, in the order of its lines."""
    made = _run(str(installed(_LOCK, "mutation-tool") / "python"), str(_HERE / "mutants.py"), str(module))
    return [Mutant(**each) for each in json.loads(made)]


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout}\n{done.stderr}")
    return done.stdout
