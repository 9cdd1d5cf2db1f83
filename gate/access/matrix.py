"""Who can do what to the repository: every asker against every power, as values, as plain data, and as HTML."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from gate.access.decision import Decision, Ternary, all_of, any_of
from gate.access.document import Kind, Policy, parse
from gate.access.escalation import Escalation, EscalationPath, escalation_of
from gate.access.evaluation import AccessRequest, may, registry_request, resource_policies
from gate.access.external_principals import deleted, external_principals
from gate.access.facts import AccessFacts
from gate.access.permission_groups import PermissionGroup, permission_groups
from gate.access.principal import Principal, PrincipalKind
from gate.access.privilege_changes import display_name
from gate.access.request_context import LAMBDA
from gate.access.reviewed_principals import too_wide
from gate.access.tagging import may_after_tagging
from gate.access.trust import AssumptionPath, trusted_externals
from gate.text import for_html

BECOME = "become"
_WORDS = {Ternary.YES: "allowed", Ternary.UNDECIDED: "undecided", Ternary.NO: "no"}
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

    decisions: tuple[tuple[str, Decision], ...]
    path: EscalationPath | None = None

    @property
    def answer(self) -> Ternary:
        """The most that the asker may do of it: a part of a power counts against a stranger."""
        return max((decision.answer for _, decision in self.decisions), default=Ternary.NO)

    @property
    def word(self) -> str:
        """The answer in one word: allowed, part, undecided or no."""
        answers = {decision.answer for _, decision in self.decisions}
        return "part" if self.answer is Ternary.YES and len(answers) > 1 else _WORDS[self.answer]

    def actions(self) -> tuple[str, ...]:
        """The actions that are allowed, or where none is, those that are undecided."""
        return tuple(action for action, decision in self.decisions if decision.answer is self.answer is not Ternary.NO)

    def because(self) -> tuple[str, ...]:
        """The statements that give that answer."""
        every = (why for _, decision in self.decisions if decision.answer is self.answer for why in decision.because)
        return tuple(dict.fromkeys(every))


@dataclass(frozen=True)
class PrincipalRow:
    """One asker against every power.

    Attributes:
        service_linked: whether it is a role that an AWS service made for itself, which nobody else can act as.
    """

    name: str
    inside: bool
    cells: tuple[tuple[str, Cell], ...]
    service_linked: bool = False

    def cell(self, group: str) -> Cell:
        """The cell of one power."""
        return dict(self.cells)[group]

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
    permission_groups: tuple[str, ...]
    rows: tuple[PrincipalRow, ...]
    deleted: tuple[tuple[str, str], ...] = ()

    def row(self, name: str) -> PrincipalRow | None:
        """The row of this asker."""
        return next((row for row in self.rows if row.name == name), None)

    @property
    def idle(self) -> int:
        """How many askers may do nothing at all."""
        return sum(not row.may_something for row in self.rows)


def access_matrix(facts: AccessFacts, assumption_paths: Iterable[AssumptionPath] = (), *, ci_role: str = "") -> Matrix:
    """Evaluate every asker against every power, ways to give oneself a power included.

    Args:
        facts: what was read from the account.
        becoming: who can become the CI role (`gate.access.trust.who_becomes`), the matrix's last column.
        ci_role: its name: who can become it is that column's matter, and not told again for each of its powers.

    Raises:
        GateError: a policy cannot be read.
    """
    request = registry_request(facts)
    cells = {(principal.name, principal.inside): _cells(principal, request) for principal in principals(facts)}
    nothing = {name: Cell(()) for name in _names()}
    excluded = [role.arn] if (role := facts.role(ci_role)) else []
    for group in permission_groups():
        for name, inside, path in escalation_paths(escalation_of(facts), group, request, excluded):
            row = cells.setdefault((name, inside), dict(nothing))
            if row[group.name].answer < path.decision.answer:
                row[group.name] = Cell(((group.actions[0], path.decision),), path)
    for each in assumption_paths:
        because = (*each.decision.because, *_method(each))
        cell = Cell((("sts:AssumeRole", replace(each.decision, because=because)),))
        cells.setdefault((each.name, each.inside), dict(nothing))[BECOME] = cell
    linked = {each.arn for each in facts.identities if each.service_linked}
    rows = (PrincipalRow(name, inside, tuple(row.items()), name in linked) for (name, inside), row in cells.items())
    named = (*resource_policies(facts), *_trusts(facts, ci_role))
    drawn = tuple(sorted(rows, key=lambda row: (not row.inside, row.name)))
    return Matrix(facts.repository, _names(), drawn, deleted(named, facts))


def escalation_paths(
    escalation: Escalation,
    group: PermissionGroup,
    request: Callable[[str, bool], AccessRequest],
    excluded: Iterable[str],
) -> Iterator[tuple[str, bool, EscalationPath]]:
    """Who gives himself a power: principals of the account, and everybody where a trust policy lets everybody in."""

    def has(principal: Principal) -> Decision:
        return any_of(decision for _, decision in _cell(principal, group, request).decisions)

    found = escalation.paths_to_holding(has, excluded=excluded)
    for arn, path in found.items():
        if path.steps:
            yield arn, True, path
        identity = escalation.account.identities[arn]
        if identity.is_role and not identity.service_linked and arn not in set(excluded):
            for principal, decision in trusted_externals(identity, escalation.account):
                if too_wide(principal.name) and principal.kind is PrincipalKind.EXTERNAL:
                    steps = (f"sts:AssumeRole on {display_name(arn)}", *path.steps)
                    yield (
                        principal.name,
                        False,
                        EscalationPath(steps, (arn, *path.through), all_of((decision, path.decision))),
                    )


def principals(facts: AccessFacts) -> tuple[Principal, ...]:
    """Everyone who is asked about."""
    return (
        *escalation_of(facts).account.principals.values(),
        *external_principals(resource_policies(facts), facts, (LAMBDA,)),
    )


def plain(matrix: Matrix) -> dict[str, object]:
    """The matrix as evidence: those who may something, each with the statements that decide it."""
    return {
        "repository": matrix.repository,
        "asked about": len(matrix.rows),
        "may do nothing": matrix.idle,
        "deleted, so may do nothing": dict(matrix.deleted),
        "who may": {
            row.name: {
                group: {"answer": cell.word, "actions": cell.actions(), "because": cell.because()}
                for group, cell in row.cells
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
    heads = "".join(f'<th scope="col">{for_html(_HEADS[name])}</th>' for name in matrix.permission_groups)
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
    return (*(each.name for each in permission_groups()), BECOME)


def _method(each: AssumptionPath) -> tuple[str, ...]:
    through = (f"through {' → '.join(each.path)}",) if len(each.path) > 1 else ()
    return (*((", then ".join(each.steps),) if each.steps else ()), *through)


def _trusts(facts: AccessFacts, ci_role: str) -> Iterator[Policy]:
    role = facts.role(ci_role)
    if role is not None and role.trust is not None:
        yield parse(role.trust, Kind.RESOURCE)


def _cells(principal: Principal, request: Callable[[str, bool], AccessRequest]) -> dict[str, Cell]:
    return {each.name: _cell(principal, each, request) for each in permission_groups()} | {BECOME: Cell(())}


def _cell(principal: Principal, group: PermissionGroup, request: Callable[[str, bool], AccessRequest]) -> Cell:
    on_repository = [(action, may_after_tagging(principal, request(action, True))) for action in group.actions]
    # Nobody outside can act on the registry as a whole: such actions take identity policies of this account.
    on_registry = [
        (action, may(principal, request(action, False))) for action in group.registry_actions if principal.inside
    ]
    return Cell((*on_repository, *on_registry))


def _html_row(row: PrincipalRow, covered: frozenset[tuple[str, str]]) -> str:
    note = "service-linked" if row.service_linked else "reviewed"
    noted = ((cell, row.service_linked or (row.name, group) in covered) for group, cell in row.cells)
    cells = "".join(_html_cell(cell, note if has else "") for cell, has in noted)
    return f'<tr><th scope="row">{for_html(row.name)}</th>{cells}</tr>'


def _html_cell(cell: Cell, note: str) -> str:
    if not cell.answer:
        return '<td class="no">no</td>'
    shown = f"{cell.word}, {note}" if note else cell.word
    first = cell.path.sentence if cell.path and cell.path.steps else ", ".join(cell.actions())
    reasons = "".join(f"<li>{for_html(each)}</li>" for each in (first, *cell.because()))
    return f'<td class="{cell.word}"><details><summary>{shown}</summary><ul>{reasons}</ul></details></td>'
