"""`python -m gate.evidence DIR` (`make verify`): check a run's folder offline; 0 when it is what the run left."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from gate.errors import GateError, compose
from gate.evidence.statement import subject_of
from gate.evidence.verify import Check, verify
from gate.text import for_terminal


def main(arguments: list[str] | None = None, now: datetime | None = None) -> int:
    """Print a line for each check and one verdict; returns the exit code, 0 or 1."""
    parser = argparse.ArgumentParser(prog="python -m gate.evidence", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, metavar="DIR", help="a run's folder: reports, reports/runs/…, or a copy")
    parser.add_argument("--key", type=Path, metavar="PUB", help="the public key (PEM) that is to have signed it")
    options = parser.parse_args(arguments)
    try:
        checks = verify(options.folder, options.key)
    except GateError as error:
        _say(f"NOT VERIFIED: {error}")
        return 1
    for line in _lines(checks):
        _say(line)
    failed = [check.name for check in checks if not check.judgement.accepted]
    if failed:
        _say(f"NOT VERIFIED: {options.folder} ({', '.join(failed)})")
        return 1
    _say(f"VERIFIED; the verdict is {_says(options.folder, now or datetime.now(UTC))}")
    return 0


def _say(text: str) -> None:
    # What stands in the folder may have been written by a stranger: no escape sequence reaches the terminal.
    for line in text.split("\n"):
        indent = line[: len(line) - len(line.lstrip(" "))]
        print(indent + for_terminal(line))


def _lines(checks: tuple[Check, ...]) -> list[str]:
    lines: list[str] = []
    told: set[str] = set()
    for check in checks:
        if check.judgement.accepted:
            lines.append(f"{'–' if check.open else '✓'} {check.name}: {check.seen}")
        for rejection in check.judgement.rejections:
            # One damaged file fails several checks, and one check finds much in it: the way out is told once.
            way_out = compose("", rejection.where, rejection.remedy)
            lines.append(f"✗ {check.name}: {rejection.cause}{'' if way_out in told else way_out}")
            told.add(way_out)
    return lines


def _says(folder: Path, now: datetime) -> str:
    document = json.loads((folder / "verdict.json").read_text(encoding="utf-8"))
    says = f"{document['verdict']} for {subject_of(document) or 'no image'}, run of {document['started']}"
    until = document["valid_until"]
    if until is None:
        return says
    return (
        f"{says}, valid until {until}{' (past: scan and judge again)' if datetime.fromisoformat(until) < now else ''}"
    )


if __name__ == "__main__":
    sys.exit(main())
