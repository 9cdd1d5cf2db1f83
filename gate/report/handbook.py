"""docs/on-call.md: every check, how its "no" reads and what to do; made from the list, so that none is missing."""

from __future__ import annotations

import importlib
import inspect
from itertools import groupby
from pathlib import Path

from gate.check import CHECKS, Check
from gate.errors import GateError
from gate.text import for_markdown
from gate.verdict import CRITERIA

GATE = Path(__file__).resolve().parents[1]
INTRODUCTION = """# For the engineer on call

The last lines of a run (and the top of `reports/report.html`) say what failed: each cause once, then where, then what
to do, with the scenarios that it failed above it and what follows from it below. This page lists every check in the
order of the criteria, with the answer it gives to its known-bad value. It is made from the code: `make handbook`.

- The evidence of a scenario is under `reports/evidence/` (a restricted run's: `reports/partial/`), numbered as it came.
- One criterion again: `pytest features/ -m ac1`; one scenario, by its title or a part
  of it: `pytest features/ -k "Both tags name the digest"`.
- A run that is interrupted (Ctrl-C, SIGTERM) says a no, with what it has; one that is killed says INCOMPLETE. Both
  leave their evidence, and the next run removes what they left running.
- Restricting a run mends nothing: it says INCOMPLETE at best.
"""


def handbook() -> str:
    """The page as Markdown."""
    for path in sorted(GATE.rglob("*.py")):
        # By its text, because some modules are scripts that run in the image and not here.
        if path != Path(__file__) and "\n@check(" in path.read_text(encoding="utf-8"):
            importlib.import_module(".".join(path.relative_to(GATE.parent).with_suffix("").parts))
    checks = sorted(CHECKS.values(), key=lambda check: (check.criterion, check.name))
    parts = [INTRODUCTION]
    for criterion, group in groupby(checks, key=lambda check: check.criterion):
        parts += [f"## AC{criterion}: {CRITERIA[criterion]}", *map(_entry, group)]
    return "\n".join([*parts, _errors()])


def _entry(check: Check) -> str:
    rejection = check.function(*check.known_bad()).rejections[0]
    doc = (inspect.getdoc(check.function) or "").partition("\n\n")[0].replace("\n", " ")
    lines = [f"### `{check.name.removeprefix('gate.')}`", "", doc, "", f"- reads like: {for_markdown(rejection.cause)}"]
    if rejection.where:
        lines.append(f"- where: {for_markdown(rejection.where)}")
    return "\n".join([*lines, f"- to do: {for_markdown(rejection.remedy)}", ""])


def _errors() -> str:
    kinds = sorted(GateError.__subclasses__(), key=lambda kind: kind.__name__)
    rows = [f"| `{k.__name__}` | {inspect.getdoc(k)} | {for_markdown(k.usual_remedy)} |" for k in kinds]
    head = "## When a fact could not be had\n\nThat is a NO-GO too; the message gives cause, place and way out.\n"
    return "\n".join([head, "| error | what it means | what usually helps |", "|---|---|---|", *rows, ""])


if __name__ == "__main__":
    print(handbook(), end="")
