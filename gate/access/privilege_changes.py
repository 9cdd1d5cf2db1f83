"""What a principal becomes when somebody, or it itself, changes its policies, groups, boundary or tags."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from gate.access.account_policies import ALLOW_EVERYTHING, AccountPolicies
from gate.access.decision import Decision, Ternary
from gate.access.document import Policy
from gate.access.escalation_methods import ChangeEffect, ChangeTarget, PrivilegeChange
from gate.access.matching import SelfChosen
from gate.access.principal import Principal, PrincipalKind
from gate.access.request_context import KnownValues

_ROUNDS = 8  # a round gains a policy, a group, or loses a Deny or the boundary; there is no longer row of these
_Apply = Callable[[Principal], Principal]


@dataclass(frozen=True)
class MadeChange:
    """One change that was made.

    Attributes:
        action: the action that makes it.
        on: what it is exercised on, as a sentence calls it.
        finding: whether the one who makes it may, and by which statement.
        apply: the principal after it.
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
    """The target after all changes of it that the actor may make and that give it more, and those changes.

    Who changes itself may do more after each change, so it goes on until nothing is gained.
    """
    itself = target.name == actor.name
    done: list[MadeChange] = []
    for _ in range(_ROUNDS if itself else 1):
        before = len(done)
        for change in actor.changes:
            for made in _made(change, target, actor, account):
                target = made.apply(target)
                actor = target if itself else actor
                done.append(made)
        if len(done) == before:
            break
    return target, tuple(done)


def needed(
    target: Principal, made: tuple[MadeChange, ...], enough: Callable[[Principal], Ternary]
) -> tuple[MadeChange, ...]:
    """Those of the changes without which the target would not have what all of them give it."""
    most, kept = enough(after(target, made)), list(made)
    for each in reversed(made):
        without = [one for one in kept if one is not each]
        if enough(after(target, tuple(without))) is most:
            kept = without
    return tuple(kept)


def after(target: Principal, made: tuple[MadeChange, ...]) -> Principal:
    """The target after these changes."""
    for each in made:
        target = each.apply(target)
    return target


def display_name(arn: str) -> str:
    """What an ARN of IAM names, as a sentence calls it: "role ci"."""
    kind, _, name = arn.split(":", 5)[-1].partition("/")
    return f"{kind} {name.rpartition('/')[2]}"


def _made(
    change: PrivilegeChange, target: Principal, actor: Principal, account: AccountPolicies
) -> Iterator[MadeChange]:
    for arn in _objects(change, target, actor, account):
        for more, apply in _EFFECTS[change.effect](arn, target, account):
            stronger = apply(target)
            if _state(stronger) == _state(target):
                continue
            decision = account.may(actor, change.action, arn, more)
            if decision.answer:
                on = "itself" if arn == target.name == actor.name else display_name(arn)
                yield MadeChange(change.action, on, decision, apply)
                target = stronger


def _objects(change: PrivilegeChange, target: Principal, actor: Principal, account: AccountPolicies) -> tuple[str, ...]:
    """The ARNs on which a change can be made that reaches the target."""
    if change.on is ChangeTarget.POLICY:
        policies = (*target.policies, target.boundary) if target.boundary else target.policies
        own = f":iam::{account.facts.account}:"
        return tuple(dict.fromkeys(each.managed for each in policies if own in each.managed))
    if change.on is not ChangeTarget.GROUP:
        kind = PrincipalKind.USER if change.on is ChangeTarget.USER else PrincipalKind.ROLE
        return (target.name,) if target.kind is kind and not account.protected(target.name) else ()
    if change.effect is not ChangeEffect.JOINS:
        return target.groups
    # An empty group gives nothing, unless one may fill it.
    fills = any(actor.statements(action, allowing=True) for action in ("iam:PutGroupPolicy", "iam:AttachGroupPolicy"))
    others = (arn for arn, policies in account.groups.items() if arn not in target.groups and (policies or fills))
    return tuple(others) if target.kind is PrincipalKind.USER else ()


def _state(principal: Principal) -> tuple[object, ...]:
    # Whoever is allowed everything gains nothing by one more policy.
    whole = ALLOW_EVERYTHING in principal.policies
    policies = tuple(each for each in principal.policies if not whole or _denies(each))
    return whole, policies, principal.boundary, principal.groups if not whole else (), dict(principal.context.known)


def _denies(policy: Policy) -> bool:
    return any(not each.allows for each in policy.statements)


def _undenied(policy: Policy) -> Policy:
    return replace(policy, statements=tuple(each for each in policy.statements if each.allows))


def _held_by(policy: Policy, arn: str, target: Principal) -> bool:
    return (policy.holder or target.name) == arn


def _with(target: Principal, *more: Policy) -> Principal:
    return replace(target, policies=(*target.policies, *more))


def _joined(target: Principal, policy: Policy) -> Principal:
    return _with(target, policy)


def _told(target: Principal, known: KnownValues) -> Principal:
    return replace(target, context=target.context.with_more(known))


def _where(target: Principal, chosen: Callable[[Policy], bool], make: Callable[[Policy], Policy]) -> Principal:
    return replace(target, policies=tuple(make(each) if chosen(each) else each for each in target.policies))


def _without_denies(target: Principal, holder: str, managed: str) -> Principal:
    """Without the Denies of one managed policy, or with "" of the inline ones, that a holder has."""
    return _where(target, lambda each: each.managed == managed and _held_by(each, holder, target), _undenied)


def _writes(arn: str, _target: Principal, _estate: AccountPolicies) -> Iterator[tuple[KnownValues, _Apply]]:
    def apply(target: Principal) -> Principal:
        return _with(_without_denies(target, arn, ""), ALLOW_EVERYTHING)

    yield {}, apply


def _attaches(_arn: str, _target: Principal, account: AccountPolicies) -> Iterator[tuple[KnownValues, _Apply]]:
    for managed, policy in account.attachable.items():
        yield {"iam:policyarn": (managed,)}, partial(_joined, policy=policy)


def _rewrites(arn: str, _target: Principal, _estate: AccountPolicies) -> Iterator[tuple[KnownValues, _Apply]]:
    def apply(target: Principal) -> Principal:
        capped = target.boundary is not None and target.boundary.managed == arn
        changed = replace(target, boundary=None) if capped else target
        return _where(changed, lambda each: each.managed == arn, lambda _old: ALLOW_EVERYTHING)

    yield {}, apply


def _reverts(arn: str, _target: Principal, account: AccountPolicies) -> Iterator[tuple[KnownValues, _Apply]]:
    for older in account.older.get(arn, ()):

        def apply(target: Principal, older: Policy = older) -> Principal:
            if target.boundary is not None and target.boundary.managed == arn:
                return replace(target, boundary=older)
            return _with(_where(target, lambda each: each.managed == arn, _undenied), older)

        yield {}, apply


def _joins(arn: str, _target: Principal, account: AccountPolicies) -> Iterator[tuple[KnownValues, _Apply]]:
    def apply(target: Principal) -> Principal:
        return replace(_with(target, *account.groups[arn]), groups=(*target.groups, arn))

    yield {}, apply


def _uncaps(_arn: str, _target: Principal, _estate: AccountPolicies) -> Iterator[tuple[KnownValues, _Apply]]:
    yield {}, lambda target: replace(target, boundary=None)


def _recaps(_arn: str, target: Principal, account: AccountPolicies) -> Iterator[tuple[KnownValues, _Apply]]:
    if target.boundary is None:
        return
    for managed, policy in account.attachable.items():

        def apply(target: Principal, policy: Policy = policy) -> Principal:
            if policy is ALLOW_EVERYTHING or target.boundary is None:
                return replace(target, boundary=None)
            both = (*_undenied(target.boundary).statements, *_undenied(policy).statements)
            return replace(target, boundary=replace(policy, statements=tuple(dict.fromkeys(both))))

        yield {"iam:permissionsboundary": (managed,)}, apply


def _unwrites(arn: str, _target: Principal, _estate: AccountPolicies) -> Iterator[tuple[KnownValues, _Apply]]:
    yield {}, lambda target: _without_denies(target, arn, "")


def _detaches(arn: str, target: Principal, _estate: AccountPolicies) -> Iterator[tuple[KnownValues, _Apply]]:
    for managed in {each.managed for each in target.policies if each.managed and _held_by(each, arn, target)}:

        def apply(target: Principal, managed: str = managed) -> Principal:
            return _without_denies(target, arn, managed)

        yield {"iam:policyarn": (managed,)}, apply


def _leaves(arn: str, _target: Principal, _estate: AccountPolicies) -> Iterator[tuple[KnownValues, _Apply]]:
    yield {}, lambda target: _where(target, lambda each: each.holder == arn, _undenied)


def _tags(_arn: str, _target: Principal, account: AccountPolicies) -> Iterator[tuple[KnownValues, _Apply]]:
    for key in account.tag_keys:
        given: KnownValues = {f"aws:principaltag/{key.lower()}": (SelfChosen(),)}
        more: KnownValues = {"aws:tagkeys": (key,), f"aws:requesttag/{key.lower()}": None}
        yield more, partial(_told, known=given)


def _untags(_arn: str, target: Principal, account: AccountPolicies) -> Iterator[tuple[KnownValues, _Apply]]:
    for key in account.tag_keys:
        named = f"aws:principaltag/{key.lower()}"
        if target.context.look(named):  # what is not there cannot be taken away
            yield {"aws:tagkeys": (key,)}, partial(_told, known={named: None})


_EFFECTS: dict[ChangeEffect, Callable[[str, Principal, AccountPolicies], Iterator[tuple[KnownValues, _Apply]]]] = {
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
