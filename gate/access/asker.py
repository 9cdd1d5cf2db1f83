"""Who asks: every role and user of the account, and everyone outside of it whom a policy could let in."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from gate.access import known
from gate.access.document import Kind, Policy, Statement, parse
from gate.access.facts import AccessFacts, Identity
from gate.access.logic import Answer
from gate.access.pattern import NOTHING, Context, action_matches, matches
from gate.access.ways import CHANGES, TRIED, Change

_ACCOUNT_PRINCIPAL = re.compile(r"(?:arn:[^:]+:iam::)?(\d{12})(?::root)?")
_SESSION = re.compile(r"arn:[^:]+:sts::(\d{12}):assumed-role/([^/]+)/.+")
_UNIQUE_ID = re.compile(r"A(?:IDA|ROA)[A-Z0-9]{12,124}")
ANYBODY = "*"


class Standing(StrEnum):
    """How an asker stands to the account."""

    ROLE = "role"
    USER = "user"
    SERVICE = "service"
    OUTSIDER = "outsider"


@dataclass(frozen=True)
class Asker:
    """Somebody who may make a request.

    Attributes:
        name: as the matrix and the reviewed list call it: ARN, account, service.
        standing: how it stands to the account.
        account: its account, "" when it has none or any.
        principal: type and value as a Principal element would name it.
        context: what is known of its requests.
        unique_id: IAM's identifier of a role or user.
        policies: its identity policies.
        boundary: its permissions boundary.
        groups: the ARNs of the groups that a user is in.
    """

    name: str
    standing: Standing
    account: str
    principal: tuple[str, str]
    context: Context = field(default=NOTHING, compare=False)
    unique_id: str = ""
    policies: tuple[Policy, ...] = field(default=(), compare=False)
    boundary: Policy | None = field(default=None, compare=False)
    groups: tuple[str, ...] = field(default=(), compare=False)

    @property
    def inside(self) -> bool:
        """True for a role or user of the account."""
        return self.standing in (Standing.ROLE, Standing.USER)

    def statements(self, action: str, *, allowing: bool) -> tuple[Statement, ...]:
        """Those statements of its own policies that are about an action, and allow it (or else deny it)."""
        return tuple(each for each in self._about(action) if each.allows is allowing)

    @cached_property
    def changes(self) -> tuple[Change, ...]:
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


def insider(identity: Identity, facts: AccessFacts) -> Asker:
    """A role or user of the account, with its policies read.

    Raises:
        GateError: one of its policies cannot be read.
    """
    return Asker(
        name=identity.arn,
        standing=Standing.ROLE if identity.is_role else Standing.USER,
        account=facts.account,
        principal=("AWS", identity.arn),
        context=known.of_identity(identity, facts),
        unique_id=identity.unique_id,
        policies=tuple(parse(each, Kind.IDENTITY) for each in identity.policies),
        boundary=parse(identity.boundary, Kind.IDENTITY) if identity.boundary else None,
        groups=identity.groups,
    )


def service_names(service: str, account: str) -> tuple[str, str]:
    """The two names of an AWS service: acting for this account, and acting for others."""
    return f"{service} for account {account}", f"{service} for other accounts"


def outsiders(policies: Iterable[Policy], facts: AccessFacts, services: tuple[str, ...] = ()) -> tuple[Asker, ...]:
    """Everyone outside whom these policies name, these services, and anybody at all."""
    allowing = [each for policy in policies for each in policy.statements if each.allows]
    named = {pair for each in allowing if not each.excepting_principals for pair in each.principals}
    named |= {("Service", service) for service in services}
    own = {name for each in facts.identities for name in (each.arn, each.unique_id)}
    found = [ask for pair in sorted(named) if pair[1] not in own for ask in _outsiders(pair, facts)]
    anybody = Asker("anybody else", Standing.OUTSIDER, "", ("", ""), known.of_anybody(facts))
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


def names(statement: Statement, asker: Asker) -> Answer:
    """Whether the statement's Principal or NotPrincipal element covers the asker."""
    if not statement.excepting_principals:
        return max((_covers(each, asker, statement.allows) for each in statement.principals), default=Answer.NO)
    return _excepts(statement, asker).opposite


def delegates(statement: Statement, asker: Asker) -> bool:
    """Whether the statement names the asker's whole account: then the asker's own policies have to allow, too."""
    return not statement.excepting_principals and any(
        kind == "AWS" and _account_named(value) == asker.account for kind, value in statement.principals
    )


def passes_boundary(statement: Statement, asker: Asker) -> bool:
    """Whether the grant is not capped by the asker's boundary: to a user, or to anybody, but not to a role's ARN."""
    by_wildcard = statement.excepting_principals or any(value == ANYBODY for _, value in statement.principals)
    return asker.standing is Standing.USER or by_wildcard


def _covers(entry: tuple[str, str], asker: Asker, allows: bool) -> Answer:
    kind, value = entry
    if value == ANYBODY:
        # {"AWS": "*"} and "*" are one: everybody, services included; {"Service": "*"} is every service.
        return Answer.of(kind in ("AWS", asker.principal[0]))
    if entry == asker.principal or (kind == "AWS" and value == asker.unique_id != ""):
        return Answer.YES
    if kind != "AWS" or not asker.account:
        return Answer.NO
    if _account_named(value) == asker.account:
        # An allow to one's own account only delegates (see `delegates`); a deny to it denies all of it.
        return Answer.of(not (allows and asker.inside))
    if (session := _SESSION.fullmatch(value)) and asker.standing is Standing.ROLE:
        is_it = session[1] == asker.account and session[2] == asker.principal[1].rpartition("/")[2]
        return Answer.UNDECIDED if is_it else Answer.NO
    # IAM knows no wildcard inside a principal's ARN; should one be there, it is not counted on.
    return min(matches(value, asker.principal[1]), Answer.UNDECIDED) if "*" in value or "?" in value else Answer.NO


def _excepts(statement: Statement, asker: Asker) -> Answer:
    """Whether NotPrincipal leaves the asker out.

    A role acts through sessions, which NotPrincipal has to name as well as the role and the account, so for a role it
    is never certain (IAM User Guide, "NotPrincipal").
    """
    listed = statement.principals
    if ("AWS", ANYBODY) in listed:
        return Answer.YES
    by_name = max((_covers(each, asker, True) for each in listed), default=Answer.NO)
    if by_name is not Answer.YES or not asker.account:
        return by_name
    whole_account = any(_account_named(value) == asker.account for _, value in listed)
    return Answer.YES if asker.standing is Standing.USER and whole_account else Answer.UNDECIDED


def _account_named(value: str) -> str:
    found = _ACCOUNT_PRINCIPAL.fullmatch(value)
    return found[1] if found else ""


def _outsiders(pair: tuple[str, str], facts: AccessFacts) -> tuple[Asker, ...]:
    kind, value = pair
    if value == ANYBODY:
        every = Asker("any AWS service", Standing.SERVICE, "", ("Service", ""), known.of_any_service(facts))
        return (every,) if kind == "Service" else ()
    if kind == "Service":
        return _service(value, facts)
    if _UNIQUE_ID.fullmatch(value):
        return ()  # it was deleted (see `deleted`)
    if kind != "AWS":
        return (Asker(f"{kind.lower()} {value}", Standing.OUTSIDER, "", pair),)
    if account := _account_named(value):
        return () if account == facts.account else (_foreign(f"account {account}", account, pair, facts),)
    fields = value.split(":")
    account = fields[4] if len(fields) > 5 else ""  # noqa: PLR2004 - an ARN has six fields, the fifth is the account
    session = _SESSION.fullmatch(value)
    if session and session[1] == facts.account and facts.role(session[2]):
        return ()  # a session of a role that is asked about itself
    return (_foreign(value, account, pair, facts),)


def _foreign(name: str, account: str, pair: tuple[str, str], facts: AccessFacts) -> Asker:
    return Asker(name, Standing.OUTSIDER, account, pair, known.of_foreign(account, facts))


def _service(service: str, facts: AccessFacts) -> tuple[Asker, ...]:
    own, other = service_names(service, facts.account)
    here, there = known.of_service(service, facts)
    return (
        Asker(own, Standing.SERVICE, "", ("Service", service), here),
        Asker(other, Standing.SERVICE, "", ("Service", service), there),
    )
