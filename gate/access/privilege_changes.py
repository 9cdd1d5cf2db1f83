"""`CHANGES`, the table of the IAM actions that change what a principal can do: its policies, groups, boundary or tags.

The sources are named as in `gate.access.escalation_methods`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from gate.access.account_policies import ALLOW_EVERYTHING, AccountPolicies
from gate.access.document import Policy
from gate.access.matching import SelfChosen
from gate.access.principal import Principal
from gate.access.request_context import KnownValues

Apply = Callable[[Principal], Principal]
# The ways of one change: the request context that it adds, and the principal after it.
_Outcomes = Iterator[tuple[KnownValues, Apply]]
_Effect = Callable[[str, Principal, AccountPolicies], _Outcomes]


@dataclass(frozen=True)
class PrivilegeChange:
    """One IAM action that changes the access of a principal.

    Attributes:
        action: the IAM action.
        on: what it changes: a "user", "role", "group" or "policy".
        effect: its outcomes for a user or role, by the ARN of what is changed.
        source: where it is described.
    """

    action: str
    on: str
    effect: _Effect
    source: str


def _undenied(one: Principal, chosen: Callable[[Policy], bool]) -> Principal:
    return replace(
        one, policies=tuple(replace(each, statements=each.allowing) if chosen(each) else each for each in one.policies)
    )


def _adding(one: Principal, *policies: Policy) -> Principal:
    return replace(one, policies=(*one.policies, *policies))


def _removed(arn: str, one: Principal, *, managed: str = "") -> Principal:
    """Without the Denies of one managed policy, or with "" of the inline policies, of a user, role or group."""
    return _undenied(one, lambda each: each.managed == managed and (each.holder or one.name) == arn)


def _once(change: Callable[[str, Principal], Principal]) -> _Effect:
    """The effect of a change that has one outcome, with nothing more in its request context."""
    return lambda arn, _target, _account: iter([({}, partial(change, arn))])


def _rewritten(arn: str, one: Principal) -> Principal:
    policies = tuple(ALLOW_EVERYTHING if each.managed == arn else each for each in one.policies)
    capped = one.boundary is not None and one.boundary.managed == arn
    return replace(one, policies=policies, boundary=None if capped else one.boundary)


def _attaches(_arn: str, _target: Principal, account: AccountPolicies) -> _Outcomes:
    for managed, policy in account.attachable.items():
        yield {"iam:policyarn": (managed,)}, partial(lambda policy, one: _adding(one, policy), policy)


def _reverts(arn: str, _target: Principal, account: AccountPolicies) -> _Outcomes:
    """Puts an older version of the managed policy in force."""

    def apply(older: Policy, one: Principal) -> Principal:
        if one.boundary is not None and one.boundary.managed == arn:
            return replace(one, boundary=older)
        return _adding(_undenied(one, lambda each: each.managed == arn), older)

    for older in account.older.get(arn, ()):
        yield {}, partial(apply, older)


def joins(arn: str, _target: Principal, account: AccountPolicies) -> _Outcomes:
    """A user is put into a group; the only effect that needs a group which the target is not in."""
    yield {}, lambda one: replace(_adding(one, *account.groups[arn]), groups=(*one.groups, arn))


def _recaps(_arn: str, target: Principal, account: AccountPolicies) -> _Outcomes:
    """Sets another permissions boundary."""

    def merged(policy: Policy, one: Principal) -> Principal:
        if policy is ALLOW_EVERYTHING or one.boundary is None:
            return replace(one, boundary=None)
        both = (*one.boundary.allowing, *policy.allowing)
        return replace(one, boundary=replace(policy, statements=tuple(dict.fromkeys(both))))

    for managed, policy in account.attachable.items() if target.boundary else ():
        yield {"iam:permissionsboundary": (managed,)}, partial(merged, policy)


def _detaches(arn: str, target: Principal, _account: AccountPolicies) -> _Outcomes:
    for managed in {each.managed for each in target.policies if each.managed and (each.holder or target.name) == arn}:
        yield {"iam:policyarn": (managed,)}, partial(_removed, arn, managed=managed)


def _knowing(known: KnownValues, one: Principal) -> Principal:
    return replace(one, context=one.context.with_more(known))


def _tags(_arn: str, _target: Principal, account: AccountPolicies) -> _Outcomes:
    for key in account.tag_keys:
        more: KnownValues = {"aws:tagkeys": (key,), f"aws:requesttag/{key.lower()}": None}
        yield more, partial(_knowing, {f"aws:principaltag/{key.lower()}": (SelfChosen(),)})


def _untags(_arn: str, target: Principal, account: AccountPolicies) -> _Outcomes:
    for key in account.tag_keys:
        named = f"aws:principaltag/{key.lower()}"
        if target.context.look(named):  # only a tag that is there can be removed
            yield {"aws:tagkeys": (key,)}, partial(_knowing, {named: None})


def _on(action: str, kinds: str, effect: _Effect, source: str) -> Iterator[PrivilegeChange]:
    """The change on each kind of thing; `{}` in the action stands for the kind."""
    for kind in kinds.split():
        yield PrivilegeChange(f"iam:{action.format(kind.title())}", kind, effect, source)


CHANGES: tuple[PrivilegeChange, ...] = (
    # The inline policy that is written may replace one with a Deny.
    *_on("Put{}Policy", "user role group", _once(lambda arn, one: _adding(_removed(arn, one), ALLOW_EVERYTHING)),
         "pathfinding.cloud iam-005, iam-007, iam-011"),
    *_on("Attach{}Policy", "user role group", _attaches, "pathfinding.cloud iam-008, iam-009, iam-010"),
    *_on("CreatePolicyVersion", "policy", _once(_rewritten), "pathfinding.cloud iam-001"),
    *_on("SetDefaultPolicyVersion", "policy", _reverts, "Rhino Security Labs, method 2"),
    *_on("AddUserToGroup", "group", joins, "pathfinding.cloud iam-013"),
    *_on("Delete{}PermissionsBoundary", "user role", _once(lambda _arn, one: replace(one, boundary=None)), "SAR"),
    *_on("Put{}PermissionsBoundary", "user role", _recaps, "SAR"),
    *_on("Delete{}Policy", "user role group", _once(_removed), "SAR: a Deny in the policy is taken away"),
    *_on("Detach{}Policy", "user role group", _detaches, "SAR: a Deny in the policy is taken away"),
    *_on("RemoveUserFromGroup", "group", _once(lambda arn, one: _undenied(one, lambda each: each.holder == arn)),
         "SAR: the group's Denies no longer apply"),
    *_on("Tag{}", "user role", _tags, "IAM User Guide, ABAC: its tags decide what a principal may do"),
    *_on("Untag{}", "user role", _untags, "SAR"),
)  # fmt: skip
