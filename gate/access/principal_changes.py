"""What a principal can do after changes: of its own making or another's, and the new principals that it can create."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from gate.access.access_facts import Identity
from gate.access.account_policies import ALLOW_EVERYTHING, AccountPolicies
from gate.access.decision import Decision, Ternary, all_of, any_of
from gate.access.document import Policy
from gate.access.principal import Principal, PrincipalKind
from gate.access.privilege_changes import CHANGES, PrivilegeChange, joins
from gate.access.request_context import KnownValues, of_identity
from gate.access.role_assumption import Step

# A round adds a policy or a group, or removes a Deny or the boundary: more rounds than this gain nothing.
_ROUNDS = 8
_BOUNDARY = "iam:permissionsboundary"


@dataclass(frozen=True)
class PrincipalCreation:
    """Actions that together create a principal with any policy, and give its credentials.

    One of `gives` and one of `takes` suffices. A new role can trust its creator, so it requires no `takes`.
    """

    makes: str
    kind: str
    takes: tuple[str, ...]
    source: str

    @property
    def gives(self) -> tuple[str, str]:
        """The actions that give it a policy: inline, or by attaching one."""
        return f"iam:Put{self.kind.title()}Policy", f"iam:Attach{self.kind.title()}Policy"


CREATIONS: tuple[PrincipalCreation, ...] = (
    PrincipalCreation("iam:CreateUser", "user", ("iam:CreateAccessKey", "iam:CreateLoginProfile"),
                      "pathfinding.cloud iam-015, iam-018"),
    PrincipalCreation("iam:CreateRole", "role", (), "pathfinding.cloud iam-014, iam-017"),
    PrincipalCreation("iam:CreateGroup", "group", ("iam:AddUserToGroup",),
                      "pathfinding.cloud iam-010, iam-011, iam-013"),
)  # fmt: skip
# Every action that changes or creates a principal.
CHANGING = (*(each.action for each in CHANGES), *(each.makes for each in CREATIONS))


def changes_by(actor: Principal) -> list[PrivilegeChange]:
    """The privilege changes that a statement of the principal's own policies allows on something."""
    return [each for each in CHANGES if actor.statements(each.action, allowing=True)]


def strengthened(target: Principal, actor: Principal, account: AccountPolicies) -> tuple[Principal, tuple[Step, ...]]:
    """The target after every change that the actor can make and that adds access, and these changes.

    A principal that changes itself may be able to make more changes after each one, so this is repeated.
    """
    itself = target.name == actor.name
    done: list[Step] = []
    for _ in range(_ROUNDS if itself else 1):
        before = len(done)
        for change in changes_by(actor):
            for made in _possible(change, target, actor, account):
                target = made.apply(target)
                actor = target if itself else actor
                done.append(made)
        if len(done) == before:
            break
    return target, tuple(done)


def needed(target: Principal, made: tuple[Step, ...], enough: Callable[[Principal], Ternary]) -> list[Step]:
    """The smallest part of these changes, found by leaving out one after the other, that gives the same answer."""

    def answer(changes: Iterable[Step]) -> Ternary:
        changed = target
        for each in changes:
            changed = each.apply(changed)
        return enough(changed)

    most, kept = answer(made), list(made)
    for each in reversed(made):
        without = [one for one in kept if one is not each]
        if answer(without) is most:
            kept = without
    return kept


def created_principals(actor: Principal, account: AccountPolicies) -> Iterator[tuple[Principal, Step]]:
    """Each new user or role, or the actor in a new group, and the step to it.

    A new principal has a boundary if the actor may create it only with one.
    """
    for creation in CREATIONS:
        conditions = (each for one in actor.statements(creation.makes, allowing=True) for each in one.conditions)
        bounded = any(each.key.lower() == _BOUNDARY for each in conditions)
        for place in dict.fromkeys(account.places(actor, creation.makes)):
            for boundary in (None, *(account.attachable if bounded else ())):
                yield from _created(creation, actor, account, place, boundary)


def _created(
    creation: PrincipalCreation, actor: Principal, account: AccountPolicies, place: str, boundary: str | None
) -> Iterator[tuple[Principal, Step]]:
    known: KnownValues = {_BOUNDARY: (boundary,) if boundary else ()}
    needs = [account.may(actor, creation.makes, place, known)]
    if creation.takes:
        needs.append(any_of(account.may(actor, action, place, known) for action in creation.takes))
    if not all(each.answer for each in needs):
        return
    cap = account.attachable[boundary] if boundary else None
    for action, policy, gives in _given(creation, actor, account, place, known):
        if creation.kind != "group":
            context = of_identity(Identity(place, "", ()), account.facts)
            kind = PrincipalKind(creation.kind)
            new = Principal(place, kind, actor.account, ("AWS", place), context, "", (policy,), cap)
        elif actor.kind is PrincipalKind.USER:
            new = replace(actor, policies=(*actor.policies, policy))
        else:
            continue  # only a user can join a group
        made = f"a {creation.kind} of its own making, such as {place.rpartition('/')[2]}"
        yield new, Step(f"{creation.makes} and {action}", made, all_of((*needs, gives)))


def _given(
    creation: PrincipalCreation, actor: Principal, account: AccountPolicies, place: str, known: KnownValues
) -> Iterator[tuple[str, Policy, Decision]]:
    """The policies that the actor can give to what it created: by which action, and whether it can."""
    put, attach = creation.gives
    if (decision := account.may(actor, put, place, known)).answer:
        yield put, ALLOW_EVERYTHING, decision
    for managed, policy in account.attachable.items():
        if (decision := account.may(actor, attach, place, {**known, "iam:policyarn": (managed,)})).answer:
            yield attach, policy, decision
            if policy is ALLOW_EVERYTHING:
                break


def _possible(change: PrivilegeChange, target: Principal, actor: Principal, account: AccountPolicies) -> Iterator[Step]:
    for arn in _objects(change, target, actor, account):
        for more, apply in change.effect(arn, target, account):
            stronger = apply(target)
            if _access_of(stronger) == _access_of(target):
                continue
            decision = account.may(actor, change.action, arn, more)
            if decision.answer:
                yield Step(change.action, arn, decision, apply=apply)
                target = stronger


def _objects(change: PrivilegeChange, target: Principal, actor: Principal, account: AccountPolicies) -> Iterable[str]:
    """The ARNs of what can be changed and affects the target."""
    if change.on == "policy":
        own = f":iam::{account.facts.account}:"
        return dict.fromkeys(each.managed for each in target.policies_and_boundary if own in each.managed)
    if change.on != "group":
        return [target.name] if target.kind == change.on and not account.protected(target.name) else []
    if change.effect is not joins:
        return target.groups
    # Joining a group without policies gives nothing, unless the actor can give it policies.
    fills = any(actor.statements(action, allowing=True) for action in ("iam:PutGroupPolicy", "iam:AttachGroupPolicy"))
    others = (arn for arn, policies in account.groups.items() if arn not in target.groups and (policies or fills))
    return others if target.kind == "user" else []


def _access_of(principal: Principal) -> tuple[object, ...]:
    """What decides the access of a principal, to see whether a change adds any."""
    # With everything allowed, one more Allow or group adds nothing.
    whole = ALLOW_EVERYTHING in principal.policies
    policies = [each for each in principal.policies if not whole or each.denying]
    known = dict(principal.context.known)
    return whole, policies, principal.boundary, principal.groups if not whole else (), known
