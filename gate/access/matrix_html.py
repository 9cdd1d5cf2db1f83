"""The access matrix as HTML for the report."""

from __future__ import annotations

from collections.abc import Iterable

from gate.access.matrix import BECOME, Cell, Matrix, PrincipalRow
from gate.text import for_html

_HEADS = {
    "push": "Push",
    "pull": "Pull",
    "delete": "Delete or archive images",
    "rules": "Change policy, mutability, lifecycle",
    "replicate": "Replicate into it",
    BECOME: "Become the CI role",
}


def render(matrix: Matrix, reviewed: Iterable[tuple[str, str]] = ()) -> str:
    """The access matrix as an HTML table with a caption and row headers; all text is escaped.

    Args:
        matrix: the access matrix.
        reviewed: pairs of principal and permission group with a review in force.
    """
    covered = frozenset(reviewed)
    heads = "".join(f'<th scope="col">{for_html(_HEADS[name])}</th>' for name in matrix.permission_groups)
    body = "".join(_html_row(row, covered) for row in matrix.rows if row.may_something)
    gone = ", ".join(for_html(f"{name} ({label})") for name, label in matrix.deleted)
    deleted = f" Policies still name deleted principals, which have no access: {gone}." if gone else ""
    caption = (
        f"Who can do what to {for_html(matrix.repository)}: {len(matrix.rows)} principals were evaluated, "
        f"{matrix.idle} of them have no access and are not shown. The account's root user is not checked.{deleted}"
    )
    return (
        f'<table class="access-matrix"><caption>{caption}</caption>'
        f'<thead><tr><th scope="col">Principal</th>{heads}</tr></thead><tbody>{body}</tbody></table>'
    )


def _html_row(row: PrincipalRow, covered: frozenset[tuple[str, str]]) -> str:
    note = "service-linked" if row.service_linked else "reviewed"
    noted = ((cell, row.service_linked or (row.name, group) in covered) for group, cell in row.cells)
    cells = "".join(_html_cell(cell, note if has else "") for cell, has in noted)
    return f'<tr><th scope="row">{for_html(row.name)}</th>{cells}</tr>'


def _html_cell(cell: Cell, note: str) -> str:
    if not cell.answer:
        return '<td class="no">no</td>'
    shown = f"{cell.word}, {note}" if note else cell.word
    first = cell.path or ", ".join(cell.actions())
    reasons = "".join(f"<li>{for_html(each)}</li>" for each in (first, *cell.because()))
    return f'<td class="{cell.word}"><details><summary>{shown}</summary><ul>{reasons}</ul></details></td>'
