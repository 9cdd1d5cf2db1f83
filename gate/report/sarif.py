"""The causes of a run's failures where developers look: SARIF 2.1.0, and annotations of a CI job on GitHub.

One result for each cause; where it names a file of the repository, there, else at the scenario that it failed.
Sources: OASIS SARIF 2.1.0; GitHub, "Workflow commands", "Setting an error message".
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from gate.causes import Cause
from gate.check import CHECKS, Rejection
from gate.errors import one_line

SARIF = "report.sarif"
_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
# Rules for what no check of the list said.
_UNKNOWN, _OTHER = "fact-missing", "gate"
_TEXTS = {
    _UNKNOWN: "A fact that scenarios need could not be had, so nobody knows whether they hold.",
    _OTHER: "A scenario does not hold.",
}
# GitHub shows at most ten annotations of errors for a step.
SHOWN_ANNOTATIONS = 10
_NAMED = re.compile(r"(?P<path>[A-Za-z0-9_./-]*[A-Za-z0-9_])(?::(?P<line>[1-9]\d{0,6})\b)?")


@dataclass(frozen=True)
class Place:
    """A file of the repository.

    Attributes:
        path: from the repository's root, with slashes.
        line: counted from 1; 0 where none is named.
    """

    path: str
    line: int = 0


@dataclass(frozen=True)
class SourceFiles:
    """Finds the files that a rejection names.

    Attributes:
        root: of the repository.
        context: the folder of the Dockerfile, beside which the other files of the release stand.
        reports: the folder of all runs, which is not part of the repository.
        scenarios: the place of each scenario in features/, by its name.
    """

    root: Path
    context: Path
    reports: Path
    scenarios: Mapping[str, Place]

    def of(self, cause: Cause) -> Place | None:
        """The first file that a cause names; else its first scenario."""
        named = (place for each in cause.rejections for place in self._in(each.where))
        return next(named, None) or next(
            (self.scenarios[c.name] for c in cause.scenarios if c.name in self.scenarios), None
        )

    def _in(self, where: str) -> Iterator[Place]:
        for found in _NAMED.finditer(where):
            for folder in (self.context, self.context.parent, self.root):
                if path := self._in_repository(folder / found["path"]):
                    yield Place(path, int(found["line"] or 0))
                    break

    def _in_repository(self, path: Path) -> str:
        """The path from the root, where anybody has the file who has the repository; "" for any other."""
        if not os.path.isfile(path):  # of a name that is too long Path.is_file() raises
            return ""
        found, root = path.resolve(), self.root.resolve()
        shared = found.is_relative_to(root) and not found.is_relative_to(self.reports.resolve())
        return found.relative_to(root).as_posix() if shared else ""


def sarif(causes: Iterable[Cause], files: SourceFiles, word: str, beside: Iterable[str] = ()) -> dict[str, Any]:
    """The SARIF log of a run; without a cause it has no result. What is `beside` is no scenario's, and notes say it."""
    told = tuple(causes)
    rules = list(dict.fromkeys(_rule(each) for each in told))
    notes = [{"level": "error", "message": {"text": _text(each)}} for each in beside]
    run = {
        "tool": {"driver": {"name": "release-gate", "rules": [_described(rule) for rule in rules]}},
        "columnKind": "utf16CodeUnits",
        "invocations": [{"executionSuccessful": not notes, "toolExecutionNotifications": notes}],
        "results": [_result(each, rules, files) for each in told],
        "properties": {"verdict": word},
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _result(cause: Cause, rules: list[str], files: SourceFiles) -> dict[str, Any]:
    rule, place = _rule(cause), files.of(cause)
    said = "\n".join(_message(each) for each in cause.rejections)
    # The same cause keeps its name from run to run, so that GitHub shows it as one alert.
    key = hashlib.sha256(json.dumps([rule, [each.cause for each in cause.rejections]]).encode()).hexdigest()
    return {
        "ruleId": rule,
        "ruleIndex": rules.index(rule),
        "level": "error",
        "kind": "fail",
        "message": {"text": _text(said)},
        "locations": [_location(place)] if place else [],
        "partialFingerprints": {"cause/v1": key},
        "properties": {"scenarios": [each.name for each in cause.scenarios], "checked": cause.checked},
    }


def _location(place: Place) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": quote(place.path), "uriBaseId": "%SRCROOT%"}}
    if place.line:
        physical["region"] = {"startLine": place.line}
    return {"physicalLocation": physical}


def _rule(cause: Cause) -> str:
    named = next((each.check for each in cause.rejections if each.check), "")
    return named or (_OTHER if cause.checked else _UNKNOWN)


def _described(rule: str) -> dict[str, Any]:
    said = CHECKS[rule].function.__doc__ if rule in CHECKS else ""
    text = _TEXTS.get(rule) or " ".join((said or rule).split("\n\n")[0].split())
    return {"id": rule, "shortDescription": {"text": _text(text)}}


def _message(each: Rejection) -> str:
    parts = (each.cause, f"where: {each.where}" if each.where else "", f"to do: {each.remedy}" if each.remedy else "")
    return "\n".join(part for part in (*parts, each.paste) if part)


def _text(text: str) -> str:
    # SARIF 2.1.0, 3.11.5 and 3.11.6: braces are doubled, and what is quoted from elsewhere must not become a link.
    return text.replace("{", "{{").replace("}", "}}").replace("](", "] (")


def error_commands(causes: Iterable[Cause], files: SourceFiles) -> Iterator[str]:
    """A line for each cause that GitHub shows at its file."""
    for cause in list(causes)[:SHOWN_ANNOTATIONS]:
        first, place = cause.rejections[0], files.of(cause)
        given = {"file": place.path if place else "", "line": str(place.line or "") if place else ""}
        given["title"] = f"release gate: {cause.criteria}" if cause.scenarios else "release gate"
        named = ",".join(f"{key}={_escaped(value, ':,')}" for key, value in given.items() if value)
        to_do = f" To do: {one_line(first.remedy)}" if first.remedy else ""
        yield f"::error {named}::{_escaped(one_line(first.cause) + to_do)}"


def _escaped(text: str, more: str = "") -> str:
    return "".join(f"%{ord(c):02X}" if c in f"%\r\n{more}" else c for c in text)
