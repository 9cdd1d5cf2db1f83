"""Who can do what to the repository: every asker against every power, as values, as plain data, and as HTML."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from gate.access.asker import Asker, Standing, deleted, outsiders
from gate.access.change import called
from gate.access.document import Kind, Policy, parse
from gate.access.evaluate import Request, may, registry_request, resource_policies
from gate.access.facts import AccessFacts
from gate.access.known import LAMBDA
from gate.access.logic import Answer, Finding, all_of, any_of
from gate.access.powers import Power, powers
from gate.access.reach import Path, Reach, reach_of
from gate.access.reviewed import too_wide
from gate.access.tagging import may_after_tagging
from gate.access.trust import Becoming, let_in
from gate.text import for_html

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
    """What one asker may do of one power.

    Attributes:
        findings: one for each action of the power; where it has none of them as it is, one for the way to get them.
        path: that way, None where there is none or none is needed.
    """

    findings: tuple[tuple[str, Finding], ...]
    path: Path | None = None

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
    """One asker against every power.

    Attributes:
        service_linked: whether it is a role that an AWS service made for itself, which nobody else can act as.
    """

    name: str
    inside: bool
    cells: tuple[tuple[str, Cell], ...]
    service_linked: bool = False

    def cell(self, power: str) -> Cell:
        """The cell of one power."""
        return dict(self.cells)[power]

    @property
    def may_something(self) -> bool:
        """Whether there is anything that it may do, or that cannot be ruled out."""
        return any(cell.answer for _, cell in self.cells)


@dataclass(frozen=True)
class Matrix:
    """Every role and user of the account, every service and account that a policy names, and anybody else.

    Attributes:
        deleted: principals that were deleted, each with a statement that still names it; they can do nothing.
    """

    repository: str
    powers: tuple[str, ...]
    rows: tuple[Row, ...]
    deleted: tuple[tuple[str, str], ...] = ()

    def row(self, name: str) -> Row | None:
        """The row of this asker."""
        return next((row for row in self.rows if row.name == name), None)

    @property
    def idle(self) -> int:
        """How many askers may do nothing at all."""
        return sum(not row.may_something for row in self.rows)


def draw(facts: AccessFacts, becoming: Iterable[Becoming] = (), *, ci_role: str = "") -> Matrix:
    """Evaluate every asker against every power, ways to give oneself a power included.

    Args:
        facts: what was read from the account.
        becoming: who can become the CI role (`gate.access.trust.who_becomes`), the matrix's last column.
        ci_role: its name: who can become it is that column's matter, and not told again for each of its powers.

    Raises:
        GateError: a policy cannot be read.
    """
    request = registry_request(facts)
    cells = {(asker.name, asker.inside): _cells(asker, request) for asker in askers(facts)}
    nothing = {name: Cell(()) for name in _names()}
    apart = [role.arn] if (role := facts.role(ci_role)) else []
    for power in powers():
        for name, inside, path in attained(reach_of(facts), power, request, apart):
            row = cells.setdefault((name, inside), dict(nothing))
            if row[power.name].answer < path.finding.answer:
                row[power.name] = Cell(((power.actions[0], path.finding),), path)
    for each in becoming:
        because = (*each.finding.because, *_way(each))
        cell = Cell((("sts:AssumeRole", replace(each.finding, because=because)),))
        cells.setdefault((each.name, each.inside), dict(nothing))[BECOME] = cell
    linked = {each.arn for each in facts.identities if each.service_linked}
    rows = (Row(name, inside, tuple(row.items()), name in linked) for (name, inside), row in cells.items())
    named = (*resource_policies(facts), *_trusts(facts, ci_role))
    drawn = tuple(sorted(rows, key=lambda row: (not row.inside, row.name)))
    return Matrix(facts.repository, _names(), drawn, deleted(named, facts))


def attained(
    reach: Reach, power: Power, request: Callable[[str, bool], Request], apart: Iterable[str]
) -> Iterator[tuple[str, bool, Path]]:
    """Who gives himself a power: principals of the account, and everybody where a trust policy lets everybody in."""

    def has(asker: Asker) -> Finding:
        return any_of(finding for _, finding in _cell(asker, power, request).findings)

    found = reach.attaining(has, apart=apart)
    for arn, path in found.items():
        if path.steps:
            yield arn, True, path
        identity = reach.estate.identities[arn]
        if identity.is_role and not identity.service_linked and arn not in set(apart):
            for asker, finding in let_in(identity, reach.estate):
                if too_wide(asker.name) and asker.standing is Standing.OUTSIDER:
                    steps = (f"sts:AssumeRole on {called(arn)}", *path.steps)
                    yield asker.name, False, Path(steps, (arn, *path.through), all_of((finding, path.finding)))


def askers(facts: AccessFacts) -> tuple[Asker, ...]:
    """Everyone who is asked about."""
    return (*reach_of(facts).estate.askers.values(), *outsiders(resource_policies(facts), facts, (LAMBDA,)))


def plain(matrix: Matrix) -> dict[str, object]:
    """The matrix as evidence: those who may something, each with the statements that decide it."""
    return {
        "repository": matrix.repository,
        "asked about": len(matrix.rows),
        "may do nothing": matrix.idle,
        "deleted, so may do nothing": dict(matrix.deleted),
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
    gone = ", ".join(for_html(f"{name} ({label})") for name, label in matrix.deleted)
    deleted = f" Policies still name principals that were deleted and can do nothing: {gone}." if gone else ""
    caption = (
        f"Who can do what to {for_html(matrix.repository)}: {len(matrix.rows)} principals were asked about, "
        f"{matrix.idle} of them may do nothing and are not shown. The account's root user is not checked.{deleted}"
    )
    return (
        f'<table class="access-matrix"><caption>{caption}</caption>'
        f'<thead><tr><th scope="col">Principal</th>{heads}</tr></thead><tbody>{body}</tbody></table>'
    )


def _names() -> tuple[str, ...]:
    return (*(each.name for each in powers()), BECOME)


def _way(each: Becoming) -> tuple[str, ...]:
    through = (f"through {' → '.join(each.path)}",) if len(each.path) > 1 else ()
    return (*((", then ".join(each.steps),) if each.steps else ()), *through)


def _trusts(facts: AccessFacts, ci_role: str) -> Iterator[Policy]:
    role = facts.role(ci_role)
    if role is not None and role.trust is not None:
        yield parse(role.trust, Kind.RESOURCE)


def _cells(asker: Asker, request: Callable[[str, bool], Request]) -> dict[str, Cell]:
    return {each.name: _cell(asker, each, request) for each in powers()} | {BECOME: Cell(())}


def _cell(asker: Asker, power: Power, request: Callable[[str, bool], Request]) -> Cell:
    on_repository = [(action, may_after_tagging(asker, request(action, True))) for action in power.actions]
    # Nobody outside can act on the registry as a whole: such actions take identity policies of this account.
    on_registry = [(action, may(asker, request(action, False))) for action in power.registry_actions if asker.inside]
    return Cell((*on_repository, *on_registry))


def _html_row(row: Row, covered: frozenset[tuple[str, str]]) -> str:
    note = "service-linked" if row.service_linked else "reviewed"
    noted = ((cell, row.service_linked or (row.name, power) in covered) for power, cell in row.cells)
    cells = "".join(_html_cell(cell, note if has else "") for cell, has in noted)
    return f'<tr><th scope="row">{for_html(row.name)}</th>{cells}</tr>'


def _html_cell(cell: Cell, note: str) -> str:
    if not cell.answer:
        return '<td class="no">no</td>'
    shown = f"{cell.word}, {note}" if note else cell.word
    first = cell.path.sentence if cell.path and cell.path.steps else ", ".join(cell.actions())
    reasons = "".join(f"<li>{for_html(each)}</li>" for each in (first, *cell.because()))
    return f'<td class="{cell.word}"><details><summary>{shown}</summary><ul>{reasons}</ul></details></td>'
