"""`python -m gate.evidence DIR` (`make verify`): check a run's folder offline.

Ends with 0 (VERIFIED: nothing to object to, and signed by the given key), 3 (INTACT: nothing to object to, and the
signature is missing or was not checked), 1 (NOT VERIFIED, or not what --expect, --digest and --target ask for) or
2 (wrong use).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gate.errors import GateError, WrongUse, compose, one_line
from gate.evidence.expected import WORDS, ExpectedVerdict, as_expected
from gate.evidence.keyless import add_options, believed
from gate.evidence.reading import content, is_there, shown
from gate.evidence.reports_folder import ReportsFolder, verify_reports
from gate.evidence.statement import subject_of
from gate.evidence.store import ENVELOPE
from gate.evidence.verify import FolderCheck
from gate.text import for_terminal

VERIFIED, REFUSED, WRONG_USE, INTACT = 0, 1, 2, 3
# Of one check's objections, and of the things that it did not look at.
_TOLD = 20


def main(arguments: list[str] | None = None, now: datetime | None = None) -> int:
    """Print a line for each check, what was not looked at, and one word; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m gate.evidence", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, metavar="DIR", help="a run's folder: reports, reports/runs/…, or a copy")
    parser.add_argument("--key", type=Path, metavar="PUB", help="the public key (PEM) that is to have signed it")
    add_options(parser)
    parser.add_argument("--expect", choices=WORDS, metavar="VERDICT", help=f"refuse any but this: {', '.join(WORDS)}")
    parser.add_argument("--digest", metavar="SHA256", help="refuse a run about another image digest")
    parser.add_argument("--target", choices=("aws", "local"), help="refuse a run on another target")
    options = parser.parse_args(arguments)
    expected = ExpectedVerdict(options.expect, options.digest, options.target)
    try:
        expected.check()
        whose = believed(options)
    except WrongUse as wrong:
        _say(str(wrong))
        return WRONG_USE
    try:
        whole = verify_reports(options.folder, whose)
    except GateError as error:
        _say(f"NOT VERIFIED: {one_line(error.cause)}{compose('', error.where, error.remedy)}")
        return REFUSED
    for line in _lines(whole):
        _say(line)
    objections = list(dict.fromkeys(_failed(whole)))
    if objections:
        _say(f"NOT VERIFIED: {shown(str(options.folder))} ({', '.join(objections[:_TOLD])})")
        return REFUSED
    return _conclude(options.folder, whose is not None, expected, now or datetime.now(UTC))


def _conclude(folder: Path, checked: bool, expected: ExpectedVerdict, now: datetime) -> int:
    """The last line and the exit code for a folder without objections."""
    document = json.loads(content(folder / "verdict.json", "verdict.json"))
    refused = as_expected(document, expected, now).rejections
    for rejection in refused:
        _say(f"✗ expected: {rejection.cause}")
    says = _says(document, now)
    if refused:
        _say(f"REFUSED: {'; '.join(each.cause for each in refused)}")
        return REFUSED
    if checked:
        _say(f"VERIFIED; the verdict is {says}")
        return VERIFIED
    if is_there(folder / ENVELOPE):
        _say(f"INTACT, SIGNATURE NOT CHECKED (give the public key: KEY=pub.pem); it says {says}")
    else:
        _say(f"INTACT, UNSIGNED (anybody can make such a folder); it says {says}")
    return INTACT


def _say(text: str) -> None:
    # The folder's content is not trusted: no escape sequence reaches the terminal, and no line of it begins a line
    # here, which a CI system could take for a command.
    for line in text.split("\n"):
        indent = line[: len(line) - len(line.lstrip(" "))]
        # A terminal without these letters shows question marks.
        letters = sys.stdout.encoding or "utf-8"
        print((indent + for_terminal(line)).encode(letters, "replace").decode(letters))


def _failed(whole: ReportsFolder) -> Iterator[str]:
    yield from (check.name for check in whole.own if not check.result.accepted)
    for place, checks in whole.others.items():
        yield from (f"{shown(place)}: {check.name}" for check in checks if not check.result.accepted)


def _lines(whole: ReportsFolder) -> list[str]:
    told: set[str] = set()
    lines = [line for check in whole.own for line in _told(check, check.name, told)]
    for place, checks in whole.others.items():
        # Of another run in the folder: what speaks against it, and what was not looked at.
        bad = [check for check in checks if not check.result.accepted]
        lines += [line for check in bad for line in _told(check, f"{shown(place)}: {check.name}", told)]
    intact = sum(all(check.result.accepted for check in checks) for checks in whole.others.values())
    if whole.others:
        lines.append(f"– other runs: {intact} of {len(whole.others)} are as they were left")
    return [*lines, *_uncovered(whole)]


def _told(check: FolderCheck, name: str, told: set[str]) -> list[str]:
    rejections = check.result.rejections
    lines = [] if rejections else [f"{'–' if check.open else '✓'} {name}: {check.seen}"]
    for rejection in rejections[:_TOLD]:
        # One damaged file fails several checks, and one check finds much in it: the way out is told once.
        way_out = compose("", rejection.where, rejection.remedy)
        lines.append(f"✗ {name}: {one_line(rejection.cause)}{'' if way_out in told else way_out}")
        told.add(way_out)
    if len(rejections) > _TOLD:
        lines.append(f"✗ {name}: {len(rejections) - _TOLD} more objections")
    return lines


def _uncovered(whole: ReportsFolder) -> Iterable[str]:
    found = [phrase for check in whole.own for phrase in check.uncovered]
    for place, checks in whole.others.items():
        found += [f"{shown(place)}: {phrase}" for check in checks for phrase in check.uncovered]
    found += [f"{shown(place)}: the run was cut short before it sealed anything" for place in whole.cut_short]
    lines = [f"not covered: {one_line(phrase)}" for phrase in found[:_TOLD]]
    return lines if len(found) <= _TOLD else [*lines, f"not covered: {len(found) - _TOLD} more"]


def _says(document: Mapping[str, Any], now: datetime) -> str:
    says = f"{document['verdict']} for {subject_of(document) or 'no image'}, run of {document['started']}"
    until = document["valid_until"]
    if until is None:
        return says
    return (
        f"{says}, valid until {until}{' (past: scan and check again)' if datetime.fromisoformat(until) < now else ''}"
    )


if __name__ == "__main__":
    sys.exit(main())
