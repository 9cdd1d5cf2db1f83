"""The access matrix: which permissions of each group every principal has, or can get by privilege escalation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from gate.access.access_facts import AccessFacts
from gate.access.decision import Decision, Ternary, all_of, any_of
from gate.access.document import Kind, parse
from gate.access.escalation import Escalation, EscalationPath, escalation_of
from gate.access.evaluation import AccessRequest, may, may_after_tagging, registry_request, resource_policies
from gate.access.external_principals import deleted, external_principals
from gate.access.permission_groups import PermissionGroup, permission_groups
from gate.access.principal import Principal, PrincipalKind
from gate.access.request_context import LAMBDA
from gate.access.reviewed_principals import too_wide
from gate.access.role_assumption import ASSUME, Step
from gate.access.trust import AssumptionPath, trusted_externals

BECOME = "become"
_WORDS = {Ternary.YES: "allowed", Ternary.UNDECIDED: "undecided", Ternary.NO: "no"}


@dataclass(frozen=True)
class Cell:
    """What one principal can do of one permission group.

    Attributes:
        decisions: one for each action of the group, or one for the path, if the principal only has them by that path.
        path: the escalation path as part of a sentence, "" if there is none or none is needed.
    """

    decisions: tuple[tuple[str, Decision], ...]
    path: str = ""

    @property
    def answer(self) -> Ternary:
        """The highest answer for an action of the group: one permission is already access."""
        return max((decision.answer for _, decision in self.decisions), default=Ternary.NO)

    @property
    def word(self) -> str:
        """The answer in one word: allowed, part, undecided or no."""
        answers = {decision.answer for _, decision in self.decisions}
        return "part" if self.answer is Ternary.YES and len(answers) > 1 else _WORDS[self.answer]

    def actions(self) -> tuple[str, ...]:
        """The allowed actions, or if there are none, the undecided ones."""
        return tuple(action for action, decision in self.decisions if decision.answer is self.answer is not Ternary.NO)

    def because(self) -> tuple[str, ...]:
        """The statements that decide the answer."""
        every = (why for _, decision in self.decisions if decision.answer is self.answer for why in decision.because)
        return tuple(dict.fromkeys(every))


@dataclass(frozen=True)
class PrincipalRow:
    """One principal and every permission group.

    Attributes:
        service_linked: whether it is a service-linked role, which only its AWS service can assume.
    """

    name: str
    inside: bool
    cells: tuple[tuple[str, Cell], ...]
    service_linked: bool = False

    def cell(self, group: str) -> Cell:
        """The cell of one permission group."""
        return dict(self.cells)[group]

    @property
    def may_something(self) -> bool:
        """Whether it has any access, undecided included."""
        return any(cell.answer for _, cell in self.cells)


@dataclass(frozen=True)
class Matrix:
    """Every role and user of the account, every service and account that a policy names, and anybody else.

    Attributes:
        deleted: deleted principals, each with a statement that still names it; they have no access.
    """

    repository: str
    permission_groups: tuple[str, ...]
    rows: tuple[PrincipalRow, ...]
    deleted: tuple[tuple[str, str], ...] = ()

    def row(self, name: str) -> PrincipalRow | None:
        """The row of this principal."""
        return next((row for row in self.rows if row.name == name), None)

    @property
    def idle(self) -> int:
        """The number of principals without any access."""
        return sum(not row.may_something for row in self.rows)


def access_matrix(facts: AccessFacts, paths: Iterable[AssumptionPath] = (), *, ci_role: str = "") -> Matrix:
    """Evaluate every permission group for every principal, escalation paths included.

    Args:
        facts: what was read from the account.
        paths: who can become the CI role (`gate.access.trust.who_can_assume`), the last column of the matrix.
        ci_role: its name. Paths through it are shown in the last column only, not in the groups that it has.

    Raises:
        GateError: a policy cannot be read.
    """
    request = registry_request(facts)
    groups = permission_groups()
    cells = {
        (each.name, each.inside): {**{group.name: _cell(each, group, request) for group in groups}, BECOME: Cell(())}
        for each in principals(facts)
    }
    nothing = {name: Cell(()) for name in _names()}
    role = facts.role(ci_role)
    excluded = [role.arn] if role else []
    for group in groups:
        for name, inside, path in escalation_paths(escalation_of(facts), group, request, excluded):
            row = cells.setdefault((name, inside), dict(nothing))
            if row[group.name].answer < path.decision.answer:
                row[group.name] = Cell(((group.actions[0], path.decision),), ", then ".join(path.told(name)))
    for each in paths:
        steps = (", then ".join(each.steps),) if each.steps else ()
        through = (f"through {' → '.join(each.path)}",) if each.path[1:] else ()
        because = (*each.decision.because, *steps, *through)
        cell = Cell((("sts:AssumeRole", replace(each.decision, because=because)),))
        cells.setdefault((each.name, each.inside), dict(nothing))[BECOME] = cell
    linked = {each.arn for each in facts.identities if each.service_linked}
    rows = (PrincipalRow(name, inside, tuple(row.items()), name in linked) for (name, inside), row in cells.items())
    trusts = (parse(role.trust, Kind.RESOURCE),) if role and role.trust else ()
    drawn = tuple(sorted(rows, key=lambda row: (not row.inside, row.name)))
    return Matrix(facts.repository, _names(), drawn, deleted((*resource_policies(facts), *trusts), facts))


def escalation_paths(
    escalation: Escalation,
    group: PermissionGroup,
    request: Callable[[str, bool], AccessRequest],
    excluded: Iterable[str],
) -> Iterator[tuple[str, bool, EscalationPath]]:
    """The principals of the account with an escalation path to the group, and anybody, if a trust allows that."""

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
                    step = Step(ASSUME[0], arn, decision, becomes=True)
                    whole = EscalationPath((step, *path.steps), all_of((decision, path.decision)))
                    yield principal.name, False, whole


def principals(facts: AccessFacts) -> tuple[Principal, ...]:
    """Every principal that is evaluated."""
    return (
        *escalation_of(facts).account.principals.values(),
        *external_principals(resource_policies(facts), facts, (LAMBDA,)),
    )


def plain(matrix: Matrix) -> dict[str, object]:
    """The matrix as evidence: the principals with access, each with the statements that decide it."""
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


def _names() -> tuple[str, ...]:
    return (*(each.name for each in permission_groups()), BECOME)


def _cell(principal: Principal, group: PermissionGroup, request: Callable[[str, bool], AccessRequest]) -> Cell:
    on_repository = [(action, may_after_tagging(principal, request(action, True))) for action in group.actions]
    # An external principal cannot act on the registry: that requires an identity policy of this account.
    on_registry = [
        (action, may(principal, request(action, False))) for action in group.registry_actions if principal.inside
    ]
    return Cell((*on_repository, *on_registry))
