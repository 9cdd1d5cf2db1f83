"""The users and roles that a principal can create with any policy, and the groups that it can create and join."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from gate.access.account_policies import ALLOW_EVERYTHING, AccountPolicies
from gate.access.decision import Decision, all_of, any_of
from gate.access.document import Policy
from gate.access.escalation_methods import CREATIONS, ChangeTarget, PrincipalCreation
from gate.access.facts import Identity
from gate.access.principal import Principal, PrincipalKind
from gate.access.request_context import KnownValues, of_identity

_BOUNDARY = "iam:permissionsboundary"


def created_principals(
    actor: Principal, account: AccountPolicies
) -> Iterator[tuple[Principal, tuple[str, ...], Decision]]:
    """Each new user or role, or the actor in a new group; the steps to it, and whether the actor can take them.

    A new principal has a boundary if the actor may create it only with one.
    """
    for creation in CREATIONS:
        yield from _created(creation, actor, account)


def _created(
    creation: PrincipalCreation, actor: Principal, account: AccountPolicies
) -> Iterator[tuple[Principal, tuple[str, ...], Decision]]:
    conditions = (each for one in actor.statements(creation.makes, allowing=True) for each in one.conditions)
    bounded = any(each.key.lower() == _BOUNDARY for each in conditions)
    for place in dict.fromkeys(account.places(actor, creation.makes)):
        for boundary in (None, *(account.attachable if bounded else ())):
            capped: KnownValues = {_BOUNDARY: (boundary,) if boundary else ()}
            makes = account.may(actor, creation.makes, place, capped)
            takes = any_of(account.may(actor, action, place, capped) for action in creation.takes)
            if not makes.answer or (creation.takes and not takes.answer):
                continue
            for action, policy, gives in _given(creation, actor, account, place, capped):
                new = _new(creation, place, actor, policy, account.attachable[boundary] if boundary else None, account)
                needs = (makes, gives, takes) if creation.takes else (makes, gives)
                kind, name = creation.on.value, place.rpartition("/")[2]
                steps = (f"{creation.makes} and {action} on a {kind} of its own making, such as {name}",)
                if new is not None:
                    yield new, steps, all_of(needs)


def _given(
    creation: PrincipalCreation, actor: Principal, account: AccountPolicies, place: str, capped: KnownValues
) -> Iterator[tuple[str, Policy, Decision]]:
    for action in creation.gives:
        attaches = action.startswith("iam:Attach")
        for managed, policy in account.attachable.items() if attaches else (("", ALLOW_EVERYTHING),):
            more: KnownValues = {**capped, "iam:policyarn": (managed,)} if attaches else capped
            if (decision := account.may(actor, action, place, more)).answer:
                yield action, policy, decision
                if policy is ALLOW_EVERYTHING:
                    break


def _new(
    creation: PrincipalCreation,
    place: str,
    actor: Principal,
    policy: Policy,
    boundary: Policy | None,
    account: AccountPolicies,
) -> Principal | None:
    if creation.on is ChangeTarget.GROUP:
        joins = actor.kind is PrincipalKind.USER
        return replace(actor, policies=(*actor.policies, policy)) if joins else None
    kind = PrincipalKind.USER if creation.on is ChangeTarget.USER else PrincipalKind.ROLE
    context = of_identity(Identity(place, "", ()), account.facts)
    return Principal(place, kind, actor.account, ("AWS", place), context, "", (policy,), boundary)
