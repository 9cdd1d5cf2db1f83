"""A principal that may make requests, and whether a Principal or NotPrincipal element covers it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from gate.access import request_context
from gate.access.access_facts import AccessFacts, Identity
from gate.access.decision import Ternary
from gate.access.document import Kind, Policy, Statement, parse
from gate.access.escalation_methods import ASSUMPTION_ACTIONS
from gate.access.matching import NOTHING, Context, covers, matches

_ACCOUNT_PRINCIPAL = re.compile(r"(?:arn:[^:]+:iam::)?(\d{12})(?::root)?")
SESSION = re.compile(r"arn:[^:]+:sts::(\d{12}):assumed-role/([^/]+)/.+")
ANYBODY = "*"


class PrincipalKind(StrEnum):
    """What a principal is, seen from the account."""

    ROLE = "role"
    USER = "user"
    SERVICE = "service"
    EXTERNAL = "external"


@dataclass(frozen=True)
class Principal:
    """A principal with the policies that decide what it may do.

    Attributes:
        name: its ARN, account or service, as in the access matrix and the list of reviewed principals.
        kind: what it is.
        account: its account, "" if it has none or may be in any.
        element: type and value as in a Principal element.
        context: the known part of the request context of its requests.
        unique_id: IAM's unique identifier of a role or user.
        policies: its identity policies.
        boundary: its permissions boundary.
        groups: the ARNs of a user's groups.
    """

    name: str
    kind: PrincipalKind
    account: str
    element: tuple[str, str]
    context: Context = field(default=NOTHING, compare=False)
    unique_id: str = ""
    policies: tuple[Policy, ...] = field(default=(), compare=False)
    boundary: Policy | None = field(default=None, compare=False)
    groups: tuple[str, ...] = field(default=(), compare=False)

    @property
    def inside(self) -> bool:
        """True for a role or user of the account."""
        return self.kind in (PrincipalKind.ROLE, PrincipalKind.USER)

    @property
    def policies_and_boundary(self) -> tuple[Policy, ...]:
        """Its identity policies, and its permissions boundary if it has one."""
        return (*self.policies, self.boundary) if self.boundary else self.policies

    def statements(self, action: str, *, allowing: bool) -> tuple[Statement, ...]:
        """The statements of its identity policies that cover an action and allow it (or, with False, deny it)."""
        return tuple(each for each in self._covering(action) if each.allows is allowing)

    @cached_property
    def may_assume_others(self) -> bool:
        """Whether a statement of its own allows an action with which one assumes another principal."""
        return any(self.statements(action, allowing=True) for action in ASSUMPTION_ACTIONS)

    def of_service(self, prefix: str) -> tuple[Statement, ...]:
        """The statements of its identity policies that may cover actions of a service, by the service prefix."""
        return (*self._by_service.get(prefix, ()), *self._by_service.get(ANYBODY, ()))

    def _covering(self, action: str) -> tuple[Statement, ...]:
        # The evaluation looks up several hundred actions, and most statements of an account cover none of them.
        if (found := self._looked_up.get(action)) is None:
            near = self.of_service(action.partition(":")[0].lower())
            found = self._looked_up[action] = tuple(each for each in near if covers(each, action))
        return found

    @cached_property
    def _looked_up(self) -> dict[str, tuple[Statement, ...]]:
        return {}

    @cached_property
    def _by_service(self) -> dict[str, list[Statement]]:
        found: dict[str, list[Statement]] = {}
        for statement in (each for policy in self.policies for each in policy.statements):
            services = {pattern.partition(":")[0].lower() for pattern in statement.actions}
            if statement.excepting_actions or any(set("*?") & set(service) for service in services):
                services = {ANYBODY}
            for service in services:
                found.setdefault(service, []).append(statement)
        return found


def account_principal(identity: Identity, facts: AccessFacts) -> Principal:
    """A role or user of the account, with its policies parsed.

    Raises:
        GateError: one of its policies cannot be parsed.
    """
    return Principal(
        name=identity.arn,
        kind=PrincipalKind.ROLE if identity.is_role else PrincipalKind.USER,
        account=facts.account,
        element=("AWS", identity.arn),
        context=request_context.of_identity(identity, facts),
        unique_id=identity.unique_id,
        policies=tuple(parse(each, Kind.IDENTITY) for each in identity.policies),
        boundary=parse(identity.boundary, Kind.IDENTITY) if identity.boundary else None,
        groups=identity.groups,
    )


def names(statement: Statement, principal: Principal) -> Ternary:
    """Whether the statement's Principal or NotPrincipal element covers the principal."""
    if not statement.excepting_principals:
        return max((_covers(each, principal, statement.allows) for each in statement.principals), default=Ternary.NO)
    return _excepts(statement, principal).opposite


def delegates(statement: Statement, principal: Principal) -> bool:
    """Whether the statement names the principal's account, so that the principal's own policies must allow as well."""
    return not statement.excepting_principals and any(
        kind == "AWS" and account_named(value) == principal.account for kind, value in statement.principals
    )


def passes_boundary(statement: Statement, principal: Principal) -> bool:
    """Whether the boundary does not limit the grant: so for a user or a wildcard, and not for the ARN of a role."""
    by_wildcard = statement.excepting_principals or any(value == ANYBODY for _, value in statement.principals)
    return principal.kind is PrincipalKind.USER or by_wildcard


def account_named(value: str) -> str:
    """The account that a value of a Principal element names as a whole, else ""."""
    found = _ACCOUNT_PRINCIPAL.fullmatch(value)
    return found[1] if found else ""


def _covers(entry: tuple[str, str], principal: Principal, allows: bool) -> Ternary:
    kind, value = entry
    if value == ANYBODY:
        # {"AWS": "*"} means the same as "*": everybody, services included. {"Service": "*"} means every service.
        return Ternary.of(kind in ("AWS", principal.element[0]))
    if entry == principal.element or (kind == "AWS" and value == principal.unique_id != ""):
        return Ternary.YES
    if kind != "AWS" or not principal.account:
        return Ternary.NO
    if account_named(value) == principal.account:
        # An Allow to the principal's own account only delegates (see `delegates`); a Deny covers the whole account.
        return Ternary.of(not (allows and principal.inside))
    if (session := SESSION.fullmatch(value)) and principal.kind is PrincipalKind.ROLE:
        is_it = session[1] == principal.account and session[2] == principal.element[1].rpartition("/")[2]
        return Ternary.UNDECIDED if is_it else Ternary.NO
    # IAM does not support wildcards inside the ARN of a principal; one that is there is never taken as certain.
    wild = "*" in value or "?" in value
    return min(matches(value, principal.element[1]), Ternary.UNDECIDED) if wild else Ternary.NO


def _excepts(statement: Statement, principal: Principal) -> Ternary:
    """Whether NotPrincipal excepts the principal.

    A role makes its requests through sessions, and NotPrincipal must list the session as well as role and account, so
    for a role it is never certain (IAM User Guide, "NotPrincipal").
    """
    listed = statement.principals
    if ("AWS", ANYBODY) in listed:
        return Ternary.YES
    by_name = max((_covers(each, principal, True) for each in listed), default=Ternary.NO)
    if by_name is not Ternary.YES or not principal.account:
        return by_name
    whole_account = any(account_named(value) == principal.account for _, value in listed)
    return Ternary.YES if principal.kind is PrincipalKind.USER and whole_account else Ternary.UNDECIDED
