"""Small drawings for the report: inline SVG, readable in light and dark, with the numbers in text. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

WIDTH, ROW, LABEL, VALUE = 720, 26, 280, 90


@dataclass(frozen=True)
class Bar:
    """One bar: its label, its value, and the value as a person reads it."""

    label: str
    value: float
    text: str
    tone: str = "plain"


def bars(title: str, rows: Sequence[Bar], *, limit: Bar | None = None) -> Markup:
    """Horizontal bars, and a line at the limit when there is one.

    The scale runs to the limit or to the longest bar, whichever is more, so a bar beyond the limit is seen to be so.
    """
    longest = max([row.value for row in rows] + [limit.value if limit else 0.0, 1e-9])
    span = WIDTH - LABEL - VALUE
    height = ROW * len(rows) + (ROW if limit else 4)
    parts = [_row(number, row, row.value / longest * span) for number, row in enumerate(rows)]
    if limit:
        x = LABEL + limit.value / longest * span
        parts.append(
            Markup('<line class="limit" x1="{x}" x2="{x}" y1="0" y2="{y}"/><text class="limit-text" x="{x}" y="{t}" '
                   'text-anchor="end">{label}</text>').format(
                x=round(x, 1), y=ROW * len(rows) + 4, t=height - 6, label=f"{limit.label} {limit.text}"
            )
        )  # fmt: skip
    described = "; ".join(f"{row.label}: {row.text}" for row in [*rows, *([limit] if limit else [])])
    return Markup(
        '<figure class="chart"><figcaption>{title}</figcaption><svg viewBox="0 0 {w} {h}" role="img" '
        'aria-label="{alt}">{body}</svg></figure>'
    ).format(title=title, w=WIDTH, h=height, alt=f"{title}. {described}", body=Markup("").join(parts))


def _row(number: int, row: Bar, length: float) -> Markup:
    y = number * ROW
    label = row.label if len(row.label) <= 44 else row.label[:43] + "…"  # noqa: PLR2004 - what fits in LABEL
    return Markup(
        '<text x="0" y="{ty}"><title>{full}</title>{label}</text>'
        '<rect class="bar {tone}" x="{x}" y="{y}" width="{length}" height="{h}" rx="3"/>'
        '<text class="value" x="{vx}" y="{ty}">{value}</text>'
    ).format(
        ty=y + 17, full=row.label, label=label, tone=escape(row.tone), x=LABEL, y=y + 5,
        length=round(max(length, 1.5), 1), h=ROW - 10, vx=round(LABEL + length + 8, 1), value=row.text,
    )  # fmt: skip
