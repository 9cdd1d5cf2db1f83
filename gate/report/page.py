"""From a run's results to the HTML that leads the report."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from gate.evidence.store import Record
from gate.judgement import Proof
from gate.verdict import CRITERIA, ScenarioOutcome, Verdict, criterion_status

HERE = Path(__file__).parent
STYLE = HERE / "report.css"
# The report must stay under 5 MB and open in a mail client: long evidence is cut here, whole on disk.
EMBEDDED_PER_RECORD = 12_000
EMBEDDED_IN_ALL = 2_000_000


@dataclass(frozen=True)
class Page:
    """All that the page shows.

    Attributes:
        document: verdict.json's content.
        facts: what the run learnt about the release, by the names that the template uses.
    """

    verdict: Verdict
    document: Mapping[str, Any]
    facts: Mapping[str, Any]
    outcomes: Sequence[ScenarioOutcome]
    records: Sequence[Record]
    proofs: Sequence[Proof]


def render(page: Page) -> str:
    """The page as HTML; whatever comes from outside is escaped by the template engine."""
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(HERE), autoescape=True, trim_blocks=True)
    return environment.get_template("page.html").render(
        page=page,
        criteria=[_criterion(n, page) for n in CRITERIA],
        records={r.number: r for r in page.records},
        excerpts=excerpts(page.records),
        tone=_tone(page.verdict),
        simulated=sorted({f"AC{o.criterion}" for o in page.outcomes if o.provenance == "simulated"}),
    )


def _criterion(number: int, page: Page) -> dict[str, Any]:
    own = [o for o in page.outcomes if o.criterion == number]
    status = criterion_status(own, page.document["target"])
    return {"number": number, "claim": CRITERIA[number], "status": status, "scenarios": own}


def _tone(verdict: Verdict) -> str:
    if verdict.word in {"GO", "REHEARSAL PASSED", "CLEAN"}:
        return "passed"
    return "incomplete" if verdict.word in {"INCOMPLETE", "UNKNOWN"} else "failed"


def excerpts(records: Sequence[Record]) -> dict[int, str]:
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
