"""Who asks: every role and user of the account, and everyone outside of it whom a policy could let in."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from gate.access import request_context
from gate.access.decision import Ternary
from gate.access.document import Kind, Policy, Statement, parse
from gate.access.escalation_methods import CHANGES, TRIED, PrivilegeChange
from gate.access.facts import AccessFacts, Identity
from gate.access.matching import NOTHING, Context, action_matches, matches

_ACCOUNT_PRINCIPAL = re.compile(r"(?:arn:[^:]+:iam::)?(\d{12})(?::root)?")
_SESSION = re.compile(r"arn:[^:]+:sts::(\d{12}):assumed-role/([^/]+)/.+")
_UNIQUE_ID = re.compile(r"A(?:IDA|ROA)[A-Z0-9]{12,124}")
ANYBODY = "*"


class PrincipalKind(StrEnum):
    """How an asker stands to the account."""

    ROLE = "role"
    USER = "user"
    SERVICE = "service"
    EXTERNAL = "outsider"


@dataclass(frozen=True)
class Principal:
    """Somebody who may make a request.

    Attributes:
        name: as the matrix and the reviewed list call it: ARN, account, service.
        standing: how it stands to the account.
        account: its account, "" when it has none or any.
        element: type and value as a Principal element would name it.
        context: what is known of its requests.
        unique_id: IAM's identifier of a role or user.
        policies: its identity policies.
        boundary: its permissions boundary.
        groups: the ARNs of the groups that a user is in.
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

    def statements(self, action: str, *, allowing: bool) -> tuple[Statement, ...]:
        """Those statements of its own policies that are about an action, and allow it (or else deny it)."""
        return tuple(each for each in self._about(action) if each.allows is allowing)

    @cached_property
    def changes(self) -> tuple[PrivilegeChange, ...]:
        """The changes of principals that any statement of its own is about."""
        return tuple(each for each in CHANGES if self.statements(each.action, allowing=True))

    @cached_property
    def tries(self) -> bool:
        """Whether any statement of its own could let it become somebody else."""
        return any(self.statements(action, allowing=True) for action in TRIED)

    def of_service(self, prefix: str) -> tuple[Statement, ...]:
        """Those statements of its own policies that may be about a service, by IAM's prefix of it."""
        return (*self._by_service.get(prefix, ()), *self._by_service.get(ANYBODY, ()))

    def _about(self, action: str) -> tuple[Statement, ...]:
        # Asked for each of some hundred actions, of which most statements of an account speak of none.
        if (found := self._asked.get(action)) is None:
            near = self.of_service(action.partition(":")[0].lower())
            found = self._asked[action] = tuple(each for each in near if covers(each, action))
        return found

    @cached_property
    def _asked(self) -> dict[str, tuple[Statement, ...]]:
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


def covers(statement: Statement, action: str) -> bool:
    """Whether the statement's Action or NotAction element covers an action."""
    return any(action_matches(each, action) for each in statement.actions) is not statement.excepting_actions


def account_principal(identity: Identity, facts: AccessFacts) -> Principal:
    """A role or user of the account, with its policies read.

    Raises:
        GateError: one of its policies cannot be read.
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


def service_names(service: str, account: str) -> tuple[str, str]:
    """The two names of an AWS service: acting for this account, and acting for others."""
    return f"{service} for account {account}", f"{service} for other accounts"


def external_principals(
    policies: Iterable[Policy], facts: AccessFacts, services: tuple[str, ...] = ()
) -> tuple[Principal, ...]:
    """Everyone outside whom these policies name, these services, and anybody at all."""
    allowing = [each for policy in policies for each in policy.statements if each.allows]
    named = {pair for each in allowing if not each.excepting_principals for pair in each.principals}
    named |= {("Service", service) for service in services}
    own = {name for each in facts.identities for name in (each.arn, each.unique_id)}
    found = [ask for pair in sorted(named) if pair[1] not in own for ask in _external(pair, facts)]
    anybody = Principal("anybody else", PrincipalKind.EXTERNAL, "", ("", ""), request_context.of_anybody(facts))
    return (anybody, *found)


def deleted(policies: Iterable[Policy], facts: AccessFacts) -> tuple[tuple[str, str], ...]:
    """The principals in these policies that were deleted, each with the statement that names it.

    AWS shows a deleted role or user as the unique identifier that it had. Nobody can have it again, a role of the same
    name included, so such an entry lets nobody in (IAM User Guide, "AWS JSON policy elements: Principal").
    """
    alive = {each.unique_id for each in facts.identities}
    return tuple(
        (value, each.label)
        for policy in policies
        for each in policy.statements
        for kind, value in each.principals
        if kind == "AWS" and _UNIQUE_ID.fullmatch(value) and value not in alive
    )


def is_unique_id(value: str) -> bool:
    """Whether a Principal names a role or user by the identifier that IAM gave it (IAM User Guide, "Unique IDs")."""
    return bool(_UNIQUE_ID.fullmatch(value))


def names(statement: Statement, principal: Principal) -> Ternary:
    """Whether the statement's Principal or NotPrincipal element covers the asker."""
    if not statement.excepting_principals:
        return max((_covers(each, principal, statement.allows) for each in statement.principals), default=Ternary.NO)
    return _excepts(statement, principal).opposite


def delegates(statement: Statement, principal: Principal) -> bool:
    """Whether the statement names the asker's whole account: then the asker's own policies have to allow, too."""
    return not statement.excepting_principals and any(
        kind == "AWS" and _account_named(value) == principal.account for kind, value in statement.principals
    )


def passes_boundary(statement: Statement, principal: Principal) -> bool:
    """Whether the grant is not capped by the asker's boundary: to a user, or to anybody, but not to a role's ARN."""
    by_wildcard = statement.excepting_principals or any(value == ANYBODY for _, value in statement.principals)
    return principal.kind is PrincipalKind.USER or by_wildcard


def _covers(entry: tuple[str, str], principal: Principal, allows: bool) -> Ternary:
    kind, value = entry
    if value == ANYBODY:
        # {"AWS": "*"} and "*" are one: everybody, services included; {"Service": "*"} is every service.
        return Ternary.of(kind in ("AWS", principal.element[0]))
    if entry == principal.element or (kind == "AWS" and value == principal.unique_id != ""):
        return Ternary.YES
    if kind != "AWS" or not principal.account:
        return Ternary.NO
    if _account_named(value) == principal.account:
        # An allow to one's own account only delegates (see `delegates`); a deny to it denies all of it.
        return Ternary.of(not (allows and principal.inside))
    if (session := _SESSION.fullmatch(value)) and principal.kind is PrincipalKind.ROLE:
        is_it = session[1] == principal.account and session[2] == principal.element[1].rpartition("/")[2]
        return Ternary.UNDECIDED if is_it else Ternary.NO
    # IAM knows no wildcard inside a principal's ARN; should one be there, it is not counted on.
    return min(matches(value, principal.element[1]), Ternary.UNDECIDED) if "*" in value or "?" in value else Ternary.NO


def _excepts(statement: Statement, principal: Principal) -> Ternary:
    """Whether NotPrincipal leaves the asker out.

    A role acts through sessions, which NotPrincipal has to name as well as the role and the account, so for a role it
    is never certain (IAM User Guide, "NotPrincipal").
    """
    listed = statement.principals
    if ("AWS", ANYBODY) in listed:
        return Ternary.YES
    by_name = max((_covers(each, principal, True) for each in listed), default=Ternary.NO)
    if by_name is not Ternary.YES or not principal.account:
        return by_name
    whole_account = any(_account_named(value) == principal.account for _, value in listed)
    return Ternary.YES if principal.kind is PrincipalKind.USER and whole_account else Ternary.UNDECIDED


def _account_named(value: str) -> str:
    found = _ACCOUNT_PRINCIPAL.fullmatch(value)
    return found[1] if found else ""


def _external(pair: tuple[str, str], facts: AccessFacts) -> tuple[Principal, ...]:
    kind, value = pair
    if value == ANYBODY:
        every = Principal(
            "any AWS service", PrincipalKind.SERVICE, "", ("Service", ""), request_context.of_any_service(facts)
        )
        return (every,) if kind == "Service" else ()
    if kind == "Service":
        return _service(value, facts)
    if _UNIQUE_ID.fullmatch(value):
        return ()  # it was deleted (see `deleted`)
    if kind != "AWS":
        return (Principal(f"{kind.lower()} {value}", PrincipalKind.EXTERNAL, "", pair),)
    if account := _account_named(value):
        return () if account == facts.account else (_foreign(f"account {account}", account, pair, facts),)
    fields = value.split(":")
    account = fields[4] if len(fields) > 5 else ""  # noqa: PLR2004 - an ARN has six fields, the fifth is the account
    session = _SESSION.fullmatch(value)
    if session and session[1] == facts.account and facts.role(session[2]):
        return ()  # a session of a role that is asked about itself
    return (_foreign(value, account, pair, facts),)


def _foreign(name: str, account: str, pair: tuple[str, str], facts: AccessFacts) -> Principal:
    return Principal(name, PrincipalKind.EXTERNAL, account, pair, request_context.of_foreign(account, facts))


def _service(service: str, facts: AccessFacts) -> tuple[Principal, ...]:
    own, other = service_names(service, facts.account)
    here, there = request_context.of_service(service, facts)
    return (
        Principal(own, PrincipalKind.SERVICE, "", ("Service", service), here),
        Principal(other, PrincipalKind.SERVICE, "", ("Service", service), there),
    )
