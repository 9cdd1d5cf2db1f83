"""`python -m gate.evidence DIR` (`make verify`): check a run's folder offline.

Ends with 0 (VERIFIED: nothing to object to, and signed by the given key), 3 (INTACT: nothing to object to, and the
signature is missing or was not checked), 1 (NOT VERIFIED, or not what --expect, --digest and --target ask for) or
2 (wrong use).
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gate.check import CheckResult, check, reject_each
from gate.errors import GateError, WrongUse, compose, one_line
from gate.evidence.reading import is_there, json_in, shown
from gate.evidence.signature import SKEW, add_options, believed, public_key
from gate.evidence.statement import subject_of
from gate.evidence.store import ENVELOPE
from gate.evidence.verify_reports import verify_reports
from gate.evidence.verify_run import FolderCheck
from gate.text import for_terminal
from gate.verdict import WORDS

VERIFIED, REFUSED, WRONG_USE, INTACT = 0, 1, 2, 3
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_NOW = datetime.fromisoformat("2026-01-02T00:00:00+00:00")
# Of one check's objections, and of the things that it did not look at.
_TOLD = 20


@check(8, known_bad=lambda: ({"verdict": "NO-GO", "release": {}, "target": "local"}, "GO", None, None, _NOW))
def as_expected(
    document: Mapping[str, Any], verdict: str | None, about: str | None, on: str | None, now: datetime
) -> CheckResult:
    """verdict.json is of the expected verdict, digest and target (None: any), and an expected GO is still valid.

    The target "aws" is AWS itself and no other endpoint.
    """
    word, digest = document.get("verdict"), document["release"].get("digest")
    target = document.get("target")
    if target == "aws" and not document.get("endpoint_is_aws"):
        target = "an endpoint that is not AWS"
    causes = []
    if verdict not in (None, word):
        causes.append(f"{verdict} was expected, and the verdict is {word}")
    if about not in (None, digest):
        causes.append(f"the digest {about} was expected, and the run is about {digest or 'no published image'}")
    if on not in (None, target):
        causes.append(f"a run on {on} was expected, and this one was on {target}")
    until = document.get("valid_until")
    if verdict == "GO" and word == "GO" and (until is None or datetime.fromisoformat(until) <= now):
        causes.append(f"a GO was expected that is valid now, and this one was valid until {until}")
    ended = document.get("finished")
    if verdict == "GO" and ended and datetime.fromisoformat(ended) > now + SKEW:
        causes.append(
            f"a GO was expected that is valid now, and this run ended at {ended}: this machine's clock is behind"
        )
    return reject_each(causes, "verdict.json", "name the folder of the run that is meant, or run the gate again")


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
    try:
        if options.digest is not None and not _DIGEST.fullmatch(options.digest):
            raise WrongUse(
                f"--digest takes a whole image digest, and {options.digest!r} is none",
                remedy="copy it from the release (sha256: and 64 hexadecimal digits)",
            )
        whose = believed(options)
    except WrongUse as wrong:
        _say(str(wrong))
        return WRONG_USE
    try:
        checks = verify_reports(options.folder, public_key(whose) if isinstance(whose, Path) else whose)
    except GateError as error:
        _say(f"NOT VERIFIED: {one_line(error.cause)}{compose('', error.where, error.remedy)}")
        return REFUSED
    for line in _lines(checks):
        _say(line)
    objections = list(dict.fromkeys(_name(each) for each in checks if not each.result.accepted))
    if objections:
        _say(f"NOT VERIFIED: {shown(str(options.folder))} ({', '.join(objections[:_TOLD])})")
        return REFUSED
    return _conclude(options, whose is not None, now or datetime.now(UTC))


def _conclude(options: argparse.Namespace, checked: bool, now: datetime) -> int:
    """The last line and the exit code for a folder without objections."""
    document = json_in(options.folder, "verdict.json")
    refused = as_expected(document, options.expect, options.digest, options.target, now).rejections
    for rejection in refused:
        _say(f"✗ expected: {rejection.cause}")
    says = _says(document, now)
    if refused:
        _say(f"REFUSED: {'; '.join(each.cause for each in refused)}")
        return REFUSED
    if checked:
        _say(f"VERIFIED; the verdict is {says}")
        return VERIFIED
    if is_there(options.folder / ENVELOPE):
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


def _name(check: FolderCheck) -> str:
    return f"{shown(check.place)}: {check.name}" if check.place else check.name


def _lines(checks: Sequence[FolderCheck]) -> Iterator[str]:
    told: set[str] = set()
    for each in checks:
        # Of another run in the folder: what speaks against it, and what was not looked at.
        if not each.place or not each.result.accepted:
            yield from _told(each, told)
    # Of a run that was cut short nothing was checked.
    others = {each.place for each in checks if each.place and not each.open}
    if others:
        damaged = {each.place for each in checks if each.place and not each.result.accepted}
        yield f"– other runs: {len(others - damaged)} of {len(others)} are as they were left"
    found = [f"{shown(each.place)}: " * bool(each.place) + phrase for each in checks for phrase in each.uncovered]
    yield from (f"not covered: {one_line(phrase)}" for phrase in found[:_TOLD])
    if len(found) > _TOLD:
        yield f"not covered: {len(found) - _TOLD} more"


def _told(check: FolderCheck, told: set[str]) -> Iterator[str]:
    name, rejections = _name(check), check.result.rejections
    if not rejections:
        yield f"{'–' if check.open else '✓'} {name}: {check.seen}"
    for rejection in rejections[:_TOLD]:
        # One damaged file fails several checks, and one check finds much in it: the way out is told once.
        way_out = compose("", rejection.where, rejection.remedy)
        yield f"✗ {name}: {one_line(rejection.cause)}{'' if way_out in told else way_out}"
        told.add(way_out)
    if len(rejections) > _TOLD:
        yield f"✗ {name}: {len(rejections) - _TOLD} more objections"


def _says(document: Mapping[str, Any], now: datetime) -> str:
    says, until = f"{document['verdict']} for {subject_of(document) or 'no image'}", document["valid_until"]
    past = until and datetime.fromisoformat(until) <= now
    ends = f", valid until {until}{' (past: scan and check again)' if past else ''}" if until is not None else ""
    return f"{says}, run of {document['started']}{ends}"


if __name__ == "__main__":
    sys.exit(main())
