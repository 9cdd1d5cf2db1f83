"""Bars for the report: plain HTML that wraps on a narrow screen, with every number in text. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup


@dataclass(frozen=True)
class Bar:
    """One bar: its label, its value, and the value as a person reads it."""

    label: str
    value: float
    text: str
    tone: str = "plain"


def bars(title: str, rows: Sequence[Bar], *, limit: Bar | None = None, wide: bool = False) -> Markup:
    """Horizontal bars, and a line at the limit when there is one.

    The scale runs to the limit or to the longest bar, whichever is more, so a bar beyond the limit is seen to be so.
    A wide chart has room for long labels.
    """
    longest = max([row.value for row in rows] + [limit.value if limit else 0.0, 1e-9])
    mark, legend = Markup(""), Markup("")
    if limit:
        place = round(limit.value / longest * 100, 1)
        mark = Markup('<span class="limit" style="left:{}%"></span>').format(place)
        legend = Markup('<p class="limit-text">{} {}</p>').format(limit.label, limit.text)
    body = Markup("").join(_row(row, row.value / longest * 100, mark) for row in rows)
    return Markup('<figure class="chart{}"><figcaption>{}</figcaption><ul class="bars">{}</ul>{}</figure>').format(
        " wide" if wide else "", title, body, legend
    )


def _row(row: Bar, percent: float, mark: Markup) -> Markup:
    return Markup(
        '<li><span class="label" title="{label}">{label}</span><span class="track">'
        '<span class="bar {tone}" style="width:{width}%"></span>{mark}</span><span class="value">{value}</span></li>'
    ).format(
        label=row.label, tone=row.tone, width=round(max(percent, 0.5), 1) if row.value else 0, mark=mark, value=row.text
    )
