"""The pictures of a run: drawn from facts that were gathered anyway, left out where they were not."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from gate.access.matrix_html import render as render_matrix
from gate.errors import EvidenceDamaged
from gate.scan.findings import Severity
from gate.scan.records import read_all
from gate.scan.scan_diff import trend
from gate.verdict import INIT_LIMIT_SECONDS

if TYPE_CHECKING:
    from gate.browser.page_checks import ProbeRun
    from gate.engine import InspectedImage
    from gate.report.timeline import RunPart
    from gate.run.model import Run
    from gate.runtime.report import HandlerRun, Invocation

MB = 1_000_000
MIB = 1024 * 1024
SHOWN_NIGHTS = 14
LABEL = 90
# The classic builder names what COPY took by its hash.
_SOURCE = re.compile(r"\b(?:dir|file|multi):[0-9a-f]{64} in ")


@dataclass(frozen=True)
class Bar:
    """One bar: its label, its value, and the value as a person reads it.

    Attributes:
        begin: where it begins on the scale.
        parts: what the value is the sum of, each with its tone; one part when empty.
    """

    label: str
    value: float
    text: str
    tone: str = "plain"
    begin: float = 0.0
    parts: tuple[tuple[str, float], ...] = ()


def bars(title: str, rows: Sequence[Bar], *, limit: Bar | None = None, wide: bool = False) -> Markup:
    """Horizontal bars, and a line at the limit when there is one.

    The scale runs to the limit or to the longest bar, whichever is more, so a bar beyond the limit is seen to be so.
    A wide chart has room for long labels.
    """
    longest = max([row.begin + row.value for row in rows] + [limit.value if limit else 0.0, 1e-9])
    mark, legend = Markup(""), Markup("")
    if limit:
        place = round(limit.value / longest * 100, 1)
        mark = Markup('<span class="limit" style="left:{}%"></span>').format(place)
        legend = Markup('<p class="limit-text">{} {}</p>').format(limit.label, limit.text)
    body = Markup("").join(_bar(row, 100 / longest, mark) for row in rows)
    return Markup('<figure class="chart{}"><figcaption>{}</figcaption><ul class="bars">{}</ul>{}</figure>').format(
        " wide" if wide else "", title, body, legend
    )


def _bar(row: Bar, scale: float, mark: Markup) -> Markup:
    one = Markup('<span class="bar {}" style="margin-left:{}%;width:{}%"></span>')
    left = round(row.begin * scale, 1)
    drawn = Markup("").join(
        one.format(tone, 0 if number else left, round(max(value * scale, 0.5), 1) if value else 0)
        for number, (tone, value) in enumerate(row.parts or ((row.tone, row.value),))
    )
    return Markup(
        '<li><span class="label" title="{label}">{label}</span><span class="track">{drawn}{mark}</span>'
        '<span class="value">{value}</span></li>'
    ).format(label=row.label, drawn=drawn, mark=mark, value=row.text)


def figures(run: Run) -> list[Markup]:
    """Every figure for which this run has the facts, in the order of the criteria."""
    return list(_figures(run, vars(run.facts.candidate) if run.facts.candidate else {}))


def _figures(run: Run, known: dict[str, Any]) -> Iterator[Markup]:
    if probe := known.get("probe_run"):
        yield from _screenshot(probe)
    if handler := known.get("handler_run"):
        yield from _runtime(handler)
    if image := known.get("image"):
        yield _layers(image)
    if matrix := run.facts.matrix:
        yield Markup(
            '<figure class="wide"><figcaption>Who can do what in the repository</figcaption><div class="scroll" '
            'tabindex="0" role="region" aria-label="Who can do what">{}</div></figure>'
        ).format(
            Markup(render_matrix(matrix, run.facts.reviewed))  # noqa: S704  # nosec B704 - escaped where it is made
        )
    if report := run.facts.scan_report:
        yield _severities(report)
    yield from _nights(run)
    if parts := run.timeline.parts(run.facts.candidate):
        yield _time(parts)


def _screenshot(probe: ProbeRun) -> Iterator[Markup]:
    if probe.png:
        encoded = base64.b64encode(probe.png).decode()
        yield Markup(
            "<figure><figcaption>Chrome under Lambda's constraints: this run's secret and the agreed text</figcaption>"
            "<p class='meta'>The boxes in the last row are meant: they show how a missing glyph would look.</p>"
            '<img alt="{}" src="data:image/png;base64,{}"></figure>'
        ).format(f"The gate's page as the image's Chrome drew it; its title came back as {probe.title!r}", encoded)


def _runtime(run: HandlerRun) -> Iterator[Markup]:
    limit = Bar("Lambda's limit", INIT_LIMIT_SECONDS, f"{INIT_LIMIT_SECONDS:g} s")
    if run.init.seconds is not None:
        bar = Bar("init", run.init.seconds, f"{run.init.seconds:.2f} s", _tone(run.init.seconds, INIT_LIMIT_SECONDS))
        yield bars(f"Init time at {run.settings.memory_mb} MB", [bar], limit=limit)
    if run.invocations:
        yield bars("Warm invocations of the safe event", [_invocation(each) for each in run.invocations])
    used = run.footprint.working_set_bytes
    if used:
        row = Bar("most in use", used / MIB, f"{used / MIB:.0f} MB", _tone(used / MIB, run.settings.memory_mb))
        memory = float(run.settings.memory_mb)
        title = "Memory of the function, without those pages of its files that the host had cached before"
        yield bars(title, [row], limit=Bar("configured", memory, f"{memory:.0f} MB"))


def _invocation(each: Invocation) -> Bar:
    """One invocation; of one that failed the time says nothing, so that it has no length."""
    label = f"invocation {each.number}"
    if each.outcome != "answered" or each.seconds is None:
        return Bar(label, 0.0, each.outcome, "bad")
    return Bar(label, each.seconds, f"{each.seconds:.1f} s")


def _time(parts: Sequence[RunPart]) -> Markup:
    rows = [Bar(each.name, each.seconds, f"{each.seconds:.1f} s", begin=each.began) for each in parts]
    title = "Where the time of the run went, until this page was written: parts one below the other ran side by side"
    return bars(title, rows)


def _tone(value: float, limit: float) -> str:
    return "good" if value < limit else "bad"


def _layers(image: InspectedImage) -> Markup:
    rows = [
        Bar(_instruction(entry.instruction), entry.size_bytes / MB, f"{entry.size_bytes / MB:.1f} MB")
        for entry in image.layer_costs
        if entry.size_bytes > MB / 10
    ]
    return bars(f"Layers over 0.1 MB, lowest first ({image.size_bytes / MB:,.0f} MB in all)", rows, wide=True)


def _instruction(text: str) -> str:
    bare = _SOURCE.sub("", text.removeprefix("/bin/sh -c ").removeprefix("#(nop)"))
    words = " ".join(bare.split())
    return (words if len(words) <= LABEL else f"{words[:LABEL]}…") or "the base's own files"


def _severities(report: Any) -> Markup:
    ranks = [finding.rank for finding in report.open]
    rows = [
        Bar(
            severity.title,
            ranks.count(severity),
            str(ranks.count(severity)),
            "bad" if severity is Severity.CRITICAL else "plain",
        )
        for severity in sorted(Severity, reverse=True)
    ]
    return bars("Findings by severity", rows)


def _nights(run: Run) -> Iterator[Markup]:
    try:
        points = trend(read_all(run.scans, run.target))[-SHOWN_NIGHTS:]
    except EvidenceDamaged as damage:  # the scenarios that need it have said so; the report must not die of it
        yield Markup("<figure><figcaption>Recorded scans</figcaption><p>{}</p></figure>").format(str(damage))
        return
    if points:
        rows = [
            Bar(
                f"{p.at:%Y-%m-%d %H:%M} {p.digest[7:15]}",
                sum(n for _, n in p.counts),
                ", ".join(f"{n} {word.lower()}" for word, n in p.counts if n) or "none",
                parts=tuple((f"severity {word.lower()}", n) for word, n in p.counts if n),
            )
            for p in points
        ]
        yield bars("Recorded scans: open findings, the worst first", rows, wide=True)
