"""`python -m gate.report.job_summary verdict.json`: the verdict as Markdown, for the page of a CI job."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from math import ceil
from pathlib import Path
from typing import Any

from gate.errors import EvidenceDamaged
from gate.evidence.reading import content, json_object
from gate.scan.findings import Severity
from gate.text import for_markdown, plain
from gate.verdict import CRITERIA

_MARK = {"passed": "✅", "failed": "❌", "incomplete": "➖"}
SHOWN_REASONS = 20
# Of the picture of the nights: how many scans, and how many letters the longest line has.
SHOWN_NIGHTS, WIDEST = 14, 60
# Of the other rejections that are told with the first of a cause.
SHOWN_MORE = 5
_PARTS = (("where", "where"), ("to do", "remedy"))


def summary(document: Mapping[str, Any]) -> str:
    """The verdict, the release, the nine criteria, and what stands against a GO."""
    release = document["release"]
    tags = ", ".join(release["tags"] or ()) or "–"
    lines = [
        f"## {_cell(document['verdict'])}",
        "",
        f"{_cell(release['digest'] or 'nothing was published')}, tags: {_cell(tags)}",
        "",
        f"Target {_cell(document['target'])}{_aside(document)}; checks that said no: "
        f"{_cell(document['judges']['said_no'])} of {_cell(document['judges']['of'])}; "
        f"valid until {_cell(document['valid_until'] or '–')}",
        "",
        "| AC | criterion | status | scenarios passed |",
        "|---|---|---|---|",
        *(_row(number, title, document["criteria"][str(number)]) for number, title in CRITERIA.items()),
    ]
    reasons = _reasons(document)
    if reasons:
        lines += ["", "### What stands against it", ""]
        lines += reasons[:SHOWN_REASONS]
    if len(reasons) > SHOWN_REASONS:
        lines.append(f"- … and {len(reasons) - SHOWN_REASONS} more, in the report")
    if document.get("remarks"):
        lines += ["", "### To know", "", *(_line(each) for each in document["remarks"])]
    if left_out := document.get("not_part", ()):
        lines += ["", "### Not part of this release", ""]
        lines += [_line(f"AC{each['criterion']} {each['name']}: {each['reason']}") for each in left_out]
    return "\n".join(lines) + "\n"


def _reasons(document: Mapping[str, Any]) -> list[str]:
    """Each cause of failed scenarios with its way out; then what stands against the release beside them."""
    told = [_cause(cause) for cause in document.get("causes", ())]
    return told + [_line(reason) for reason in document["beside" if told else "reasons"]]


def _cause(cause: Mapping[str, Any]) -> str:
    scenarios, consequences = cause["claims"], cause["consequences"]
    hit = ", ".join(dict.fromkeys(f"AC{scenario['criterion']}" for scenario in scenarios))
    count = f"{len(scenarios)} scenarios of " if len(scenarios) > 1 else ""
    first, *more = cause["rejections"]
    lines = [_line(f"{count}{hit}: {_first(first['cause'])}" if scenarios else first["cause"])]
    lines += [f"  - {label}: {for_markdown(first[key])}" for label, key in _PARTS if first[key]]
    lines += [f"  - and: {for_markdown(_first(each['cause']))}" for each in more[:SHOWN_MORE]]
    if consequences:
        failed = {(one["criterion"], one["name"]) for each in consequences for one in each["claims"]}
        lines.append(f"  - {len(failed)} more scenarios failed with it")
    return "\n".join(lines)


def _line(text: str) -> str:
    return f"- {for_markdown(_first(text))}"


def _first(text: str) -> str:
    return (text.splitlines() or ["no cause was given"])[0]


def _row(number: int, title: str, criterion: Mapping[str, Any]) -> str:
    scenarios, status = criterion["scenarios"], criterion["status"]
    passed = sum(each["status"] == "passed" for each in scenarios)
    return f"| {number} | {_cell(title)} | {_MARK[status]} {status} | {passed} of {len(scenarios)} |"


def _aside(document: Mapping[str, Any]) -> str:
    rehearsed = document["target"] == "aws" and not document.get("endpoint_is_aws", True)
    return " (with an endpoint that is not AWS: a rehearsal)" if rehearsed else ""


def _cell(text: object) -> str:
    return for_markdown(str(text))


def _nights(scans: Path, document: Mapping[str, Any]) -> str:
    """The picture of the nights; a record that cannot be read has been told by the scenarios, and hides no verdict."""
    place = "aws-rehearsal" if document["target"] == "aws" and not document["endpoint_is_aws"] else document["target"]
    try:
        return picture(scans, place)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return f"The recorded nights cannot be shown: {_cell(error)}.\n"


def picture(scans: Path, target: str) -> str:
    """The last recorded scans of a target as Markdown: a line for each, a letter for each open finding.

    It needs no package beyond the standard library: the page of a CI job is written without any. "" without a scan.

    Raises:
        ValueError, KeyError, TypeError, AttributeError, OSError: a record cannot be read.
    """
    every = (json.loads(path.read_text(encoding="utf-8")) for path in sorted(scans.glob("*.json")))
    shown = [each for each in every if each["target"] == target][-SHOWN_NIGHTS:]
    counts = [_counts(each["findings"]) for each in shown]
    most = max((sum(each.values()) for each in counts), default=0)
    if not shown:
        return ""
    scale = min(1.0, WIDEST / max(most, 1))
    lines = [
        f"{plain(record['at'])[:16]} {plain(record['digest'])[7:15]} {_bar(each, scale)}  {_said(each)}"
        for record, each in zip(shown, counts, strict=True)
    ]
    return "\n".join(["### Findings over the nights", "", "```text", *lines, "```", ""])


def _counts(findings: Iterable[Mapping[str, Any]]) -> dict[Severity, int]:
    # As `gate.scan.records` ranks them: a finding without an identifier counts as critical.
    ranks = [Severity.of(each["severity"]) if each["id"] else Severity.CRITICAL for each in findings]
    return {severity: ranks.count(severity) for severity in sorted(Severity, reverse=True) if severity in ranks}


def _bar(counts: Mapping[Severity, int], scale: float) -> str:
    # Rounded up, so that a single finding is never lost.
    return "".join(severity.name[0] * ceil(number * scale) for severity, number in counts.items()) or "·"


def _said(counts: Mapping[Severity, int]) -> str:
    return ", ".join(f"{number} {severity.name.lower()}" for severity, number in counts.items()) or "none"


def main(path: Path) -> int:
    """Print the summary of a run's verdict; one that is missing or unreadable is said so, and is no success."""
    try:
        document = json_object(content(path, path.name), path.name)
        print(summary(document), end="")
        if document.get("kind") == "rescan":
            print(f"\n{_nights(path.parent / 'scans', document)}", end="")
    except (EvidenceDamaged, ValueError, KeyError, TypeError, AttributeError) as error:
        print(f"## No verdict\n\nThe run left no {_cell(path.name)} that can be read: {_cell(error)}.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
