"""Who can do what to the repository: every asker against every power, as values, as plain data, and as HTML."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gate.access.asker import Asker, insider, outsiders
from gate.access.evaluate import Request, may, registry_request, resource_policies
from gate.access.facts import AccessFacts
from gate.access.logic import Answer, Finding
from gate.access.powers import Power, powers
from gate.access.trust import Becoming
from gate.text import for_html

LAMBDA = "lambda.amazonaws.com"
BECOME = "become"
_WORDS = {Answer.YES: "allowed", Answer.UNDECIDED: "undecided", Answer.NO: "no"}
_HEADS = {
    "push": "Push",
    "pull": "Pull",
    "delete": "Delete or archive images",
    "rules": "Change policy, mutability, lifecycle",
    "replicate": "Replicate into it",
    BECOME: "Become the CI role",
}


@dataclass(frozen=True)
class Cell:
    """What one asker may do of one power: a finding for each of its actions."""

    findings: tuple[tuple[str, Finding], ...]

    @property
    def answer(self) -> Answer:
        """The most that the asker may do of it: a part of a power counts against a stranger."""
        return max((finding.answer for _, finding in self.findings), default=Answer.NO)

    @property
    def word(self) -> str:
        """The answer in one word: allowed, part, undecided or no."""
        answers = {finding.answer for _, finding in self.findings}
        return "part" if self.answer is Answer.YES and len(answers) > 1 else _WORDS[self.answer]

    def actions(self) -> tuple[str, ...]:
        """The actions that are allowed, or where none is, those that are undecided."""
        return tuple(action for action, finding in self.findings if finding.answer is self.answer is not Answer.NO)

    def because(self) -> tuple[str, ...]:
        """The statements that give that answer."""
        every = (why for _, finding in self.findings if finding.answer is self.answer for why in finding.because)
        return tuple(dict.fromkeys(every))


@dataclass(frozen=True)
class Row:
    """One asker against every power."""

    name: str
    inside: bool
    cells: tuple[tuple[str, Cell], ...]

    def cell(self, power: str) -> Cell:
        """The cell of one power."""
        return dict(self.cells)[power]

    @property
    def may_something(self) -> bool:
        """Whether there is anything that it may do, or that cannot be ruled out."""
        return any(cell.answer for _, cell in self.cells)


@dataclass(frozen=True)
class Matrix:
    """Every role and user of the account, every service and account that a policy names, and anybody else."""

    repository: str
    powers: tuple[str, ...]
    rows: tuple[Row, ...]

    def row(self, name: str) -> Row | None:
        """The row of this asker."""
        return next((row for row in self.rows if row.name == name), None)

    @property
    def idle(self) -> int:
        """How many askers may do nothing at all."""
        return sum(not row.may_something for row in self.rows)


def draw(facts: AccessFacts, becoming: Iterable[Becoming] = ()) -> Matrix:
    """Evaluate every asker against every power.

    Args:
        facts: what was read from the account.
        becoming: who can become the CI role (`gate.access.trust.who_becomes`), the matrix's last column.

    Raises:
        GateError: a policy cannot be read.
    """
    request = registry_request(facts)
    cells = {(asker.name, asker.inside): _cells(asker, request) for asker in askers(facts)}
    nothing = {name: Cell(()) for name in _names()}
    for each in becoming:
        because = (*each.finding.because, *_way(each))
        cell = Cell((("sts:AssumeRole", Finding(each.finding.answer, because)),))
        cells.setdefault((each.name, each.inside), dict(nothing))[BECOME] = cell
    rows = (Row(name, inside, tuple(row.items())) for (name, inside), row in cells.items())
    return Matrix(facts.repository, _names(), tuple(sorted(rows, key=lambda row: (not row.inside, row.name))))


def askers(facts: AccessFacts) -> tuple[Asker, ...]:
    """Everyone who is asked about."""
    inside = (insider(each, facts) for each in facts.identities)
    return (*inside, *outsiders(resource_policies(facts), facts, (LAMBDA,)))


def plain(matrix: Matrix) -> dict[str, object]:
    """The matrix as evidence: those who may something, each with the statements that decide it."""
    return {
        "repository": matrix.repository,
        "asked about": len(matrix.rows),
        "may do nothing": matrix.idle,
        "who may": {
            row.name: {
                power: {"answer": cell.word, "actions": cell.actions(), "because": cell.because()}
                for power, cell in row.cells
                if cell.answer
            }
            for row in matrix.rows
            if row.may_something
        },
    }


def render(matrix: Matrix, reviewed: Iterable[tuple[str, str]] = ()) -> str:
    """The matrix as a fragment of HTML: a table with a caption and headed rows; every foreign text is escaped.

    Args:
        matrix: what to show.
        reviewed: pairs of principal and power that the reviewed list covers.
    """
    covered = frozenset(reviewed)
    heads = "".join(f'<th scope="col">{for_html(_HEADS[name])}</th>' for name in matrix.powers)
    body = "".join(_html_row(row, covered) for row in matrix.rows if row.may_something)
    caption = (
        f"Who can do what to {for_html(matrix.repository)}: {len(matrix.rows)} principals were asked about, "
        f"{matrix.idle} of them may do nothing and are not shown. The account's root user is not judged."
    )
    return (
        f'<table class="access-matrix"><caption>{caption}</caption>'
        f'<thead><tr><th scope="col">Principal</th>{heads}</tr></thead><tbody>{body}</tbody></table>'
    )


def _names() -> tuple[str, ...]:
    return (*(each.name for each in powers()), BECOME)


def _way(each: Becoming) -> tuple[str, ...]:
    return (f"through {' → '.join(each.path)}",) if len(each.path) > 1 else ()


def _cells(asker: Asker, request: Callable[[str, bool], Request]) -> dict[str, Cell]:
    return {each.name: _cell(asker, each, request) for each in powers()} | {BECOME: Cell(())}


def _cell(asker: Asker, power: Power, request: Callable[[str, bool], Request]) -> Cell:
    on_repository = [(action, may(asker, request(action, True))) for action in power.actions]
    # Nobody outside can act on the registry as a whole: such actions take identity policies of this account.
    on_registry = [(action, may(asker, request(action, False))) for action in power.registry_actions if asker.inside]
    return Cell((*on_repository, *on_registry))


def _html_row(row: Row, covered: frozenset[tuple[str, str]]) -> str:
    cells = "".join(_html_cell(cell, (row.name, power) in covered) for power, cell in row.cells)
    return f'<tr><th scope="row">{for_html(row.name)}</th>{cells}</tr>'


def _html_cell(cell: Cell, reviewed: bool) -> str:
    if not cell.answer:
        return '<td class="no">no</td>'
    shown = f"{cell.word}, reviewed" if reviewed else cell.word
    reasons = "".join(f"<li>{for_html(each)}</li>" for each in (", ".join(cell.actions()), *cell.because()))
    return f'<td class="{cell.word}"><details><summary>{shown}</summary><ul>{reasons}</ul></details></td>'
