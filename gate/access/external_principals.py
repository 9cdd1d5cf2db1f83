"""The principals outside the account that its policies name: services, other accounts, and anybody else."""

from __future__ import annotations

import re
from collections.abc import Iterable

from gate.access import request_context
from gate.access.access_facts import AccessFacts
from gate.access.document import Policy
from gate.access.principal import ANYBODY, SESSION, Principal, PrincipalKind, account_named

_UNIQUE_ID = re.compile(r"A(?:IDA|ROA)[A-Z0-9]{12,124}")


def external_principals(
    policies: Iterable[Policy], facts: AccessFacts, services: tuple[str, ...] = ()
) -> tuple[Principal, ...]:
    """Every external principal that these policies name, the given services, and anybody else."""
    allowing = [each for policy in policies for each in policy.allowing]
    named = {pair for each in allowing if not each.excepting_principals for pair in each.principals}
    named |= {("Service", service) for service in services}
    own = {name for each in facts.identities for name in (each.arn, each.unique_id)}
    found = [principal for pair in sorted(named) if pair[1] not in own for principal in _external(pair, facts)]
    anybody = Principal("anybody else", PrincipalKind.EXTERNAL, "", ("", ""), request_context.of_anybody(facts))
    return (anybody, *found)


def service_names(service: str, account: str) -> tuple[str, str]:
    """The names of the two principals of an AWS service: acting for this account, and acting for other accounts."""
    return f"{service} for account {account}", f"{service} for other accounts"


def deleted(policies: Iterable[Policy], facts: AccessFacts) -> tuple[tuple[str, str], ...]:
    """The deleted principals in these policies, each with the label of the statement that names it.

    AWS shows a deleted role or user as its former unique identifier. No other role or user gets that identifier, even
    with the same name, so the entry gives access to nobody (IAM User Guide, "AWS JSON policy elements: Principal").
    """
    alive = {each.unique_id for each in facts.identities}
    return tuple(
        (value, each.label)
        for policy in policies
        for each in policy.statements
        for kind, value in each.principals
        if kind == "AWS" and is_unique_id(value) and value not in alive
    )


def is_unique_id(value: str) -> bool:
    """Whether a Principal names a role or user by its unique identifier (IAM User Guide, "Unique identifiers")."""
    return bool(_UNIQUE_ID.fullmatch(value))


def _external(pair: tuple[str, str], facts: AccessFacts) -> tuple[Principal, ...]:
    kind, value = pair
    if value == ANYBODY:
        context = request_context.of_any_service(facts)
        every = Principal("any AWS service", PrincipalKind.SERVICE, "", ("Service", ""), context)
        return (every,) if kind == "Service" else ()
    if kind == "Service":
        contexts = request_context.of_service(value, facts)
        both = zip(service_names(value, facts.account), contexts, strict=True)
        return tuple(Principal(name, PrincipalKind.SERVICE, "", pair, context) for name, context in both)
    if is_unique_id(value):
        return ()  # it was deleted (see `deleted`)
    if kind != "AWS":
        return (Principal(f"{kind.lower()} {value}", PrincipalKind.EXTERNAL, "", pair),)
    if account := account_named(value):
        return () if account == facts.account else (_of_account(f"account {account}", account, pair, facts),)
    fields = value.split(":")
    account = fields[4] if len(fields) > 5 else ""  # noqa: PLR2004 - an ARN has six fields, the fifth is the account
    session = SESSION.fullmatch(value)
    if session and session[1] == facts.account and facts.role(session[2]):
        return ()  # a session of a role that is itself evaluated
    return (_of_account(value, account, pair, facts),)


def _of_account(name: str, account: str, pair: tuple[str, str], facts: AccessFacts) -> Principal:
    return Principal(name, PrincipalKind.EXTERNAL, account, pair, request_context.of_foreign(account, facts))
