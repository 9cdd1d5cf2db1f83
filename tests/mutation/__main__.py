"""Mutation testing of the pure checks: `python -m tests.mutation [MODULE…]`.

Each check is changed in every small way that matters (mutants.py), and its tests have to notice (trial.py). What no
test notices has to be explained in survivors.yaml, or the run ends with 1; so it does when an explanation explains
nothing any more, and when a module was not run as it stands now. docs/mutation.md is written after each module, from
all results there are. A module whose code, tests and all that these import are as they were is not run again: a run
that was ended goes on where it stood.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from tests.mutation import page
from tests.mutation.tool import CACHE, ROOT, mutants_of

_HERE = Path(__file__).parent
_PAGE = ROOT / "docs" / "mutation.md"


@dataclass(frozen=True)
class Plan:
    """Which tests have to notice a change of which module, and which a change of the list of checks."""

    tests: dict[str, list[str]]
    roll: list[str]

    @classmethod
    def read(cls) -> Plan:
        """The plan in modules.yaml.

        Raises:
            SystemExit: when a module with checks is missing there: it would never be tried.
        """
        data = yaml.safe_load((_HERE / "modules.yaml").read_text())
        missing = _with_checks() - set(data["modules"])
        if missing:
            raise SystemExit(f"tests/mutation/modules.yaml lacks {', '.join(sorted(missing))}: name the tests of each")
        return cls(data["modules"], data["roll"])


def main(chosen: list[str]) -> int:
    """0 when every module was run, every survivor is explained and every explanation is needed, else 1."""
    plan = Plan.read()
    unknown = set(chosen) - set(plan.tests)
    if unknown:
        raise SystemExit(f"no module of tests/mutation/modules.yaml: {', '.join(sorted(unknown))}")
    explanations = yaml.safe_load((_HERE / "survivors.yaml").read_text()) or {}
    results: dict[str, page.Result] = {}
    for module in chosen or plan.tests:
        _try_unless_known(module, plan)
        results = {each: _result(each, plan, explanations.get(each, [])) for each in plan.tests}
        _PAGE.write_text(page.markdown(list(results.values())), encoding="utf-8")
        print(results[module].line(), *results[module].complaints(), sep="\n  ", flush=True)
    stray = set(explanations) - set(plan.tests)
    for module in sorted(stray):
        print(f"survivors.yaml explains {module}, which is not in modules.yaml")
    return int(bool(stray) or any(each.complaints() for each in results.values()))


def _try_unless_known(module: str, plan: Plan) -> None:
    if _known(module, plan) is None:
        kept = _kept(module)
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(_tried(module, plan), indent=1))


def _result(module: str, plan: Plan, explained: list[dict[str, str]]) -> page.Result:
    known = _known(module, plan)
    if known is None:
        return page.Result(module, page.NOT_RUN, [], explained)
    return page.Result(module, known["date"], known["mutants"], explained)


def _known(module: str, plan: Plan) -> dict[str, Any] | None:
    """What was found of the module as it stands now; what was found of it before a change does not count."""
    kept = _kept(module)
    known = json.loads(kept.read_text()) if kept.exists() else None
    return known if known and known["of"] == _fingerprint(ROOT, known["files"], plan.tests[module]) else None


def _kept(module: str) -> Path:
    return CACHE / "mutation" / f"{module.replace('/', '.')}.json"


def _tried(module: str, plan: Plan) -> dict[str, object]:
    mutants, tests = mutants_of(ROOT / module), plan.tests[module]
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        copy = Path(folder).resolve() / "tree"
        _copy(copy)
        command = [sys.executable, str(_HERE / "trial.py"), str(copy), module, *tests]
        given = json.dumps([{"source": each.source, "more": plan.roll if each.on_roll else []} for each in mutants])
        tried = subprocess.run(command, input=given, stdout=subprocess.PIPE, text=True, check=False, env=_environment())
        if tried.returncode:
            raise SystemExit(f"{module} could not be tried")
        found = json.loads(tried.stdout)
        files = sorted({*found["files"], module, *plan.roll, *_own_files()})
        # Of the copy: that is what was tried, whoever edits the tree meanwhile.
        fingerprint = _fingerprint(copy, files, tests)
    rows = [
        {"operator": each.operator, "line": each.line, "was": each.was, "becomes": each.becomes, "outcome": outcome}
        for each, outcome in zip(mutants, found["outcomes"], strict=True)
    ]
    return {"of": fingerprint, "files": files, "date": f"{datetime.now(UTC):%Y-%m-%d}", "mutants": rows}


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _copy(to: Path) -> None:
    for each in _git("ls-files", "--cached", "--others", "--exclude-standard", "-z").split("\0"):
        if each and (ROOT / each).is_file():
            (to / each).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / each, to / each)


def _fingerprint(tree: Path, files: Iterable[str], tests: list[str]) -> str:
    content = {each: (tree / each).read_bytes().hex() if (tree / each).is_file() else "" for each in files}
    return hashlib.sha256(json.dumps([content, tests], sort_keys=True).encode()).hexdigest()


def _own_files() -> list[str]:
    return [
        f"tests/mutation/{name}"
        for name in ("mutants.py", "meaning.py", "operators.py", "trial.py", "requirements.txt")
    ]


def _with_checks() -> set[str]:
    files = _git("ls-files", "-z", "--cached", "--others", "--exclude-standard", "gate").split("\0")
    texts = {each: (ROOT / each).read_text() for each in files if each.endswith(".py") and (ROOT / each).is_file()}
    entered = {each for each, text in texts.items() if any(line.startswith("@check(") for line in text.splitlines())}
    return entered - {"gate/check.py"}


def _git(*command: str) -> str:
    return subprocess.run(["git", *command], cwd=ROOT, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the copy and the trial in it end too
    sys.exit(main(sys.argv[1:]))
