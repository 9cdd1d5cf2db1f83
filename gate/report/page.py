"""From a run's results to the HTML that leads the report."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from gate.causes import Cause, causes
from gate.check import SelfTest
from gate.errors import one_line
from gate.evidence.store import EvidenceRecord
from gate.report.findings import FindingsTable
from gate.verdict import CRITERIA, NotPart, ScenarioOutcome, Verdict, criterion_status

HERE = Path(__file__).parent
STYLE = HERE / "report.css"
# Of a criterion that counts as failed although no check said no: facts were missing.
NOT_JUDGED = "not checked"
# Of a criterion all of whose scenarios are about something that the release does not have.
NOT_PART = "not part"
# The report must stay under 5 MB and open in a mail client: long evidence is cut here, whole on disk.
EMBEDDED_PER_RECORD = 12_000
EMBEDDED_IN_ALL = 2_000_000
# Of all that is shown at once; what is beyond is folded.
SHOWN_CAUSES, SHOWN_REJECTIONS = 8, 3
_WARNINGS = "warnings: "
# Of each verdict its colour, by the status that has it, and its meaning.
MEANINGS = {
    "GO": ("passed", "This digest may go live until the time below."),
    "NO-GO": ("failed", "This release must not go live."),
    "REHEARSAL PASSED": ("passed", "All that can be shown without AWS holds. This is a rehearsal and never a GO."),
    "REHEARSAL FAILED": ("failed", "The release as it is now would be refused."),
    "INCOMPLETE": ("incomplete", "Not everything was checked, so nothing may go live on this report."),
    "CLEAN": ("passed", "The published digest is as clean as when it was released."),
    "NOT CLEAN": ("failed", "The published digest needs somebody's decision."),
    "UNKNOWN": ("incomplete", "Nobody knows how the published digest stands: find out why before relying on it."),
}


@dataclass(frozen=True)
class ReportPage:
    """All that the page shows.

    Attributes:
        document: verdict.json's content.
        headline: what was checked and where, in one line.
        summary: name and text of the facts that QA looks for first.
        pictures: charts and screenshots, as HTML.
        findings: of the release's scan, None where none was read.
        warnings: beside those that the records hold.
    """

    verdict: Verdict
    document: Mapping[str, Any]
    headline: str
    summary: Sequence[tuple[str, str]]
    pictures: Sequence[str]
    outcomes: Sequence[ScenarioOutcome]
    records: Sequence[EvidenceRecord]
    proofs: Sequence[SelfTest]
    not_part: Sequence[NotPart] = ()
    findings: FindingsTable | None = None
    warnings: Sequence[str] = ()


def render(page: ReportPage) -> str:
    """The page as HTML; whatever comes from outside is escaped by the template engine, or replaced if it is no text."""
    found, (tone, meaning) = causes(page.outcomes), MEANINGS[page.verdict.word]
    criteria = [_criterion(n, page) for n in CRITERIA]
    reasons = dict.fromkeys(each.reason for each in page.not_part)
    not_part = {reason: [each for each in page.not_part if each.reason == reason] for reason in reasons}
    html = (
        _templates()
        .get_template("page.html")
        .render(
            page=page,
            tone=tone,
            meaning=meaning,
            causes=found,
            follows=_follows(found),
            SHOWN_CAUSES=SHOWN_CAUSES,
            SHOWN_REJECTIONS=SHOWN_REJECTIONS,
            others=(*page.verdict.beside, *page.verdict.not_begun),
            NOT_JUDGED=NOT_JUDGED,
            anchors={o.name: f"scenario-{number}" for number, o in enumerate(page.outcomes, 1)},
            criteria=criteria,
            simulated=_simulated(page.outcomes),
            absent=", ".join(f"AC{c['number']}" for c in criteria if not (c["scenarios"] or c["not_part"])),
            not_part=not_part,
            warnings=[*page.warnings, *_warnings(page.records)],
            records={r.number: r for r in page.records},
            excerpts=excerpts(page.records),
        )
    )
    return html.encode("utf-8", "replace").decode()


@cache
def _templates() -> jinja2.Environment:
    loader = jinja2.FileSystemLoader(HERE)
    return jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)


def _follows(found: Sequence[Cause]) -> dict[str, dict[str, Any]]:
    """Of each scenario that failed only by what follows from a cause: number and sentence of that cause."""
    own = {scenario.name for cause in found for scenario in cause.scenarios}
    return {
        scenario.name: {"number": number, "sentence": one_line(cause.rejections[0].cause)}
        for number, cause in enumerate(found, 1)
        for scenario in cause.failed_with_it
        if scenario.name not in own
    }


def _warnings(records: Sequence[EvidenceRecord]) -> list[str]:
    """What will have to be decided soon: the answers of the records whose title begins with "warnings: ", each once."""
    entitled = [record.answer for record in records if record.title.startswith(_WARNINGS)]
    return list(dict.fromkeys(str(each).partition("\n")[0] for answer in entitled for each in answer))


def _simulated(outcomes: Sequence[ScenarioOutcome]) -> str:
    scenarios = [o for o in outcomes if o.provenance == "simulated" and o.status != "not run"]
    names = ", ".join(f"AC{n}" for n in sorted({o.criterion for o in scenarios}))
    return f"{len(scenarios)} of {len(outcomes)} scenarios met a stand-in ({names})" if scenarios else ""


def _criterion(number: int, page: ReportPage) -> dict[str, Any]:
    own = [o for o in page.outcomes if o.criterion == number]
    # What only AWS can prove is not held against a run that another endpoint answered.
    place = page.document["target"] if page.document.get("endpoint_is_aws", True) else "local"
    status = criterion_status(own, place)
    undecided = status == "failed" and not any(o.checked for o in own if o.status == "failed")
    left_out = [each for each in page.not_part if each.criterion == number]
    word = NOT_JUDGED if undecided else NOT_PART if left_out and not own else status
    only_aws = sum(o.only_aws and o.status == "not run" for o in own) if place == "local" else 0
    return {
        "number": number,
        "title": CRITERIA[number],
        "status": status,
        "word": word,
        "scenarios": own,
        "passed": sum(o.status == "passed" for o in own),
        "counted": len(own) - only_aws,
        "only_aws": only_aws,
        "not_part": len(left_out),
    }


def excerpts(records: Sequence[EvidenceRecord]) -> dict[int, str]:
    """Each record's answer as text, cut where the report would grow beyond a mail attachment."""
    left, found = EMBEDDED_IN_ALL, {}
    for record in records:
        text = (
            record.answer if isinstance(record.answer, str) else json.dumps(record.answer, indent=1, ensure_ascii=False)
        )
        allowed = min(EMBEDDED_PER_RECORD, left)
        left -= min(len(text), allowed)
        rest = len(text) - allowed
        found[record.number] = (
            text if rest <= 0 else f"{text[:allowed]}\n… {rest} more characters in {record.file_name}"
        )
    return found
