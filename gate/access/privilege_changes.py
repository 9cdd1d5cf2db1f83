"""What a principal can do after it, or another principal, changes its policies, groups, boundary or tags."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from gate.access.account_policies import ALLOW_EVERYTHING, AccountPolicies
from gate.access.decision import Decision, Ternary
from gate.access.document import Policy
from gate.access.escalation_methods import ChangeEffect, ChangeTarget, PrivilegeChange
from gate.access.facts import display_name
from gate.access.matching import SelfChosen
from gate.access.principal import Principal, PrincipalKind
from gate.access.request_context import KnownValues

# A round adds a policy or a group, or removes a Deny or the boundary: more rounds than this gain nothing.
_ROUNDS = 8
_Apply = Callable[[Principal], Principal]
# The ways of one change: the request context that it adds, and the principal after it.
_Outcomes = Iterable[tuple[KnownValues, _Apply]]


@dataclass(frozen=True)
class MadeChange:
    """One privilege change that a principal can make.

    Attributes:
        action: the action that makes it.
        on: the user, role, group or policy that it changes, as named in a sentence.
        decision: yes or undecided, and the statements that allow it.
        apply: gives the changed principal.
    """

    action: str
    on: str
    decision: Decision
    apply: _Apply

    def __str__(self) -> str:
        return f"{self.action} on {self.on}"


def strengthened(
    target: Principal, actor: Principal, account: AccountPolicies
) -> tuple[Principal, tuple[MadeChange, ...]]:
    """The target after every change that the actor can make and that adds access, and these changes.

    A principal that changes itself may be able to make more changes after each one, so this is repeated.
    """
    itself = target.name == actor.name
    done: list[MadeChange] = []
    for _ in range(_ROUNDS if itself else 1):
        before = len(done)
        for change in actor.changes:
            for made in _possible(change, target, actor, account):
                target = made.apply(target)
                actor = target if itself else actor
                done.append(made)
        if len(done) == before:
            break
    return target, tuple(done)


def needed(target: Principal, made: tuple[MadeChange, ...], enough: Callable[[Principal], Ternary]) -> list[MadeChange]:
    """The smallest part of these changes, found by leaving out one after the other, that gives the same answer."""
    most, kept = enough(_after(target, made)), list(made)
    for each in reversed(made):
        without = [one for one in kept if one is not each]
        if enough(_after(target, without)) is most:
            kept = without
    return kept


def _after(target: Principal, made: Iterable[MadeChange]) -> Principal:
    for each in made:
        target = each.apply(target)
    return target


def _possible(
    change: PrivilegeChange, target: Principal, actor: Principal, account: AccountPolicies
) -> Iterator[MadeChange]:
    for arn in _objects(change, target, actor, account):
        for more, apply in _EFFECTS[change.effect](arn, target, account):
            stronger = apply(target)
            if _access_of(stronger) == _access_of(target):
                continue
            decision = account.may(actor, change.action, arn, more)
            if decision.answer:
                on = "itself" if arn == target.name == actor.name else display_name(arn)
                yield MadeChange(change.action, on, decision, apply)
                target = stronger


def _objects(change: PrivilegeChange, target: Principal, actor: Principal, account: AccountPolicies) -> tuple[str, ...]:
    """The ARNs of what can be changed and affects the target."""
    if change.on is ChangeTarget.POLICY:
        own = f":iam::{account.facts.account}:"
        return tuple(dict.fromkeys(each.managed for each in target.policies_and_boundary if own in each.managed))
    if change.on is not ChangeTarget.GROUP:
        kind = PrincipalKind.USER if change.on is ChangeTarget.USER else PrincipalKind.ROLE
        return (target.name,) if target.kind is kind and not account.protected(target.name) else ()
    if change.effect is not ChangeEffect.JOINS:
        return target.groups
    # Joining a group without policies gives nothing, unless the actor can give it policies.
    fills = any(actor.statements(action, allowing=True) for action in ("iam:PutGroupPolicy", "iam:AttachGroupPolicy"))
    others = (arn for arn, policies in account.groups.items() if arn not in target.groups and (policies or fills))
    return tuple(others) if target.kind is PrincipalKind.USER else ()


def _access_of(principal: Principal) -> tuple[object, ...]:
    """What decides the access of a principal, to see whether a change adds any."""
    # With everything allowed, one more Allow or group adds nothing.
    whole = ALLOW_EVERYTHING in principal.policies
    policies = tuple(each for each in principal.policies if not whole or _denies(each))
    known = dict(principal.context.known)
    return whole, policies, principal.boundary, principal.groups if not whole else (), known


def _denies(policy: Policy) -> bool:
    return any(not each.allows for each in policy.statements)


def _without_deny(policy: Policy) -> Policy:
    return replace(policy, statements=tuple(each for each in policy.statements if each.allows))


def _adding(*policies: Policy) -> _Apply:
    return lambda one: replace(one, policies=(*one.policies, *policies))


def _replacing(chosen: Callable[[Principal, Policy], bool], make: Callable[[Policy], Policy]) -> _Apply:
    return lambda one: replace(one, policies=tuple(make(each) if chosen(one, each) else each for each in one.policies))


def _removing_denies(holder: str, managed: str) -> _Apply:
    """Removes the Denies of one managed policy, or with "" of the inline policies, of a user, role or group."""
    return _replacing(lambda one, each: each.managed == managed and (each.holder or one.name) == holder, _without_deny)


def _knowing(known: KnownValues) -> _Apply:
    return lambda one: replace(one, context=one.context.with_more(known))


def _bounded_by(boundary: Policy | None) -> _Apply:
    return lambda one: replace(one, boundary=boundary)


def _writes(arn: str, _target: Principal, _account: AccountPolicies) -> _Outcomes:
    undenied, adding = _removing_denies(arn, ""), _adding(ALLOW_EVERYTHING)
    return [({}, lambda one: adding(undenied(one)))]


def _attaches(_arn: str, _target: Principal, account: AccountPolicies) -> _Outcomes:
    return [({"iam:policyarn": (managed,)}, _adding(policy)) for managed, policy in account.attachable.items()]


def _rewrites(arn: str, _target: Principal, _account: AccountPolicies) -> _Outcomes:
    rewritten = _replacing(lambda _one, each: each.managed == arn, lambda _old: ALLOW_EVERYTHING)

    def apply(one: Principal) -> Principal:
        capped = one.boundary is not None and one.boundary.managed == arn
        return rewritten(replace(one, boundary=None) if capped else one)

    return [({}, apply)]


def _reverts(arn: str, _target: Principal, account: AccountPolicies) -> _Outcomes:
    undenied = _replacing(lambda _one, each: each.managed == arn, _without_deny)

    def reverting(older: Policy) -> _Apply:
        def apply(one: Principal) -> Principal:
            if one.boundary is not None and one.boundary.managed == arn:
                return replace(one, boundary=older)
            return _adding(older)(undenied(one))

        return apply

    return [({}, reverting(older)) for older in account.older.get(arn, ())]


def _joins(arn: str, _target: Principal, account: AccountPolicies) -> _Outcomes:
    adding = _adding(*account.groups[arn])
    return [({}, lambda one: replace(adding(one), groups=(*one.groups, arn)))]


def _uncaps(_arn: str, _target: Principal, _account: AccountPolicies) -> _Outcomes:
    return [({}, _bounded_by(None))]


def _recaps(_arn: str, target: Principal, account: AccountPolicies) -> _Outcomes:
    def merged(one: Principal, policy: Policy) -> Principal:
        if policy is ALLOW_EVERYTHING or one.boundary is None:
            return replace(one, boundary=None)
        both = (*_without_deny(one.boundary).statements, *_without_deny(policy).statements)
        return replace(one, boundary=replace(policy, statements=tuple(dict.fromkeys(both))))

    for managed, policy in account.attachable.items() if target.boundary else ():
        yield {"iam:permissionsboundary": (managed,)}, partial(merged, policy=policy)


def _unwrites(arn: str, _target: Principal, _account: AccountPolicies) -> _Outcomes:
    return [({}, _removing_denies(arn, ""))]


def _detaches(arn: str, target: Principal, _account: AccountPolicies) -> _Outcomes:
    attached = {each.managed for each in target.policies if each.managed and (each.holder or target.name) == arn}
    return [({"iam:policyarn": (managed,)}, _removing_denies(arn, managed)) for managed in attached]


def _leaves(arn: str, _target: Principal, _account: AccountPolicies) -> _Outcomes:
    return [({}, _replacing(lambda _one, each: each.holder == arn, _without_deny))]


def _tags(_arn: str, _target: Principal, account: AccountPolicies) -> _Outcomes:
    for key in account.tag_keys:
        more: KnownValues = {"aws:tagkeys": (key,), f"aws:requesttag/{key.lower()}": None}
        yield more, _knowing({f"aws:principaltag/{key.lower()}": (SelfChosen(),)})


def _untags(_arn: str, target: Principal, account: AccountPolicies) -> _Outcomes:
    for key in account.tag_keys:
        named = f"aws:principaltag/{key.lower()}"
        if target.context.look(named):  # only a tag that is there can be removed
            yield {"aws:tagkeys": (key,)}, _knowing({named: None})


_EFFECTS: dict[ChangeEffect, Callable[[str, Principal, AccountPolicies], _Outcomes]] = {
    ChangeEffect.WRITES: _writes,
    ChangeEffect.ATTACHES: _attaches,
    ChangeEffect.REWRITES: _rewrites,
    ChangeEffect.REVERTS: _reverts,
    ChangeEffect.JOINS: _joins,
    ChangeEffect.UNCAPS: _uncaps,
    ChangeEffect.RECAPS: _recaps,
    ChangeEffect.UNWRITES: _unwrites,
    ChangeEffect.DETACHES: _detaches,
    ChangeEffect.LEAVES: _leaves,
    ChangeEffect.TAGS: _tags,
    ChangeEffect.UNTAGS: _untags,
}
