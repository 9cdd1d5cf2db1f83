"""Who attains something by what the account lets them give themselves: computed to a fixpoint over all principals."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache

from gate.access.account_policies import ALLOW_EVERYTHING, AccountPolicies
from gate.access.assumption import Assumption, step_to
from gate.access.decision import Decision, Ternary, all_of, any_of
from gate.access.document import Policy
from gate.access.escalation_methods import CHANGES, CREATIONS, ChangeTarget, PrincipalCreation
from gate.access.facts import AccessFacts, Identity
from gate.access.principal import Principal, PrincipalKind
from gate.access.privilege_changes import MadeChange, display_name, needed, strengthened
from gate.access.request_context import KnownValues, of_identity

Has = Callable[[Principal], Decision]


@dataclass(frozen=True)
class EscalationPath:
    """How a principal attains something.

    Attributes:
        steps: each as "action on whom", in order; none where it has it as it is.
        through: the principals that it becomes on the way, by ARN.
        finding: yes or undecided, and the statements that let it.
    """

    steps: tuple[str, ...]
    through: tuple[str, ...]
    decision: Decision

    @property
    def sentence(self) -> str:
        """The steps in one sentence's middle."""
        return ", then ".join(self.steps)


@dataclass
class _SearchState:
    """The state of one search: who was found, who is left, and whom others may become next (the surest path first).

    Attributes:
        apart: ARNs of principals through whom nobody attains anything.
    """

    left: set[str]
    excluded: frozenset[str]
    found: dict[str, EscalationPath] = field(default_factory=dict)
    waiting: list[tuple[int, int, int, str]] = field(default_factory=list)

    def add(self, arn: str, path: EscalationPath | None) -> None:
        """One more who attains it; None is nobody."""
        if path is None:
            return
        self.found[arn] = path
        self.left.discard(arn)
        if arn not in self.excluded:
            heapq.heappush(self.waiting, (-path.decision.answer, len(path.steps), len(self.found), arn))


@dataclass
class Escalation:
    """Everything that the principals of one account can make of themselves and of each other."""

    account: AccountPolicies
    _steps: dict[tuple[str, str], Assumption | None] = field(default_factory=dict)

    @cached_property
    def stronger(self) -> dict[str, tuple[Principal, tuple[MadeChange, ...]]]:
        """Every principal after the changes that it may make of itself, and those changes."""
        return {
            arn: strengthened(principal, principal, self.account) for arn, principal in self.account.principals.items()
        }

    def paths_to_holding(self, has: Has, *, excluded: Iterable[str] = ()) -> dict[str, EscalationPath]:
        """Every principal that has something, or can get it, with the way.

        Args:
            has: what a principal has as it is.
            apart: ARNs of principals whose powers nobody is said to attain by becoming them.
        """
        search = _SearchState(set(self.account.principals), frozenset(excluded))
        for arn in self.account.principals:
            search.add(arn, self._alone(arn, has))
        while True:
            while search.waiting:
                self._by_becoming(heapq.heappop(search.waiting)[-1], search)
            later = self._all_by_making(has, search)
            if not later:
                return search.found
            for arn, path in later.items():
                search.add(arn, path)

    def step(self, actor: str, target: str) -> Assumption | None:
        """How one principal becomes another, changes of itself included."""
        if (actor, target) not in self._steps:
            principal, identity = self.stronger[actor][0], self.account.identities[target]
            self._steps[actor, target] = None if actor == target else step_to(principal, identity, self.account)
        return self._steps[actor, target]

    def _alone(self, arn: str, has: Has) -> EscalationPath | None:
        base = has(self.account.principals[arn])
        principal, made = self.stronger[arn]
        if base.answer is Ternary.YES or not made:
            return EscalationPath((), (), base) if base.answer else None
        decision = has(principal)
        if decision.answer <= base.answer:
            return EscalationPath((), (), base) if base.answer else None
        kept = needed(self.account.principals[arn], made, lambda one: has(one).answer)
        return EscalationPath(tuple(map(str, kept)), (), all_of((*(each.decision for each in kept), decision)))

    def _by_becoming(self, target: str, search: _SearchState) -> None:
        for actor in sorted(search.left):
            if step := self.step(actor, target):
                search.add(actor, self._joined(actor, step, search.found[target]))

    def _joined(self, actor: str, step: Assumption, rest: EscalationPath) -> EscalationPath:
        base, (_, made) = self.account.principals[actor], self.stronger[actor]
        target = self.account.identities[step.to]
        kept = needed(base, made, lambda one: _answer(step_to(one, target, self.account))) if made else ()
        steps = (*map(str, kept), str(step), *(_named(each, step.to) for each in rest.steps))
        decision = all_of((*(each.decision for each in kept), step.decision, rest.decision))
        because = tuple(dict.fromkeys((*step.decision.because, *rest.decision.because)))
        return EscalationPath(steps, (step.to, *rest.through), replace(decision, because=because))

    def _all_by_making(self, has: Has, search: _SearchState) -> dict[str, EscalationPath]:
        found, settled = dict[str, EscalationPath](), set[str]()
        for arn in sorted(self._makers(search.left)):
            if arn not in settled:
                within = self._closure(arn, search.left)
                if path := self._by_making(within, has, search):
                    found[arn] = path
                else:  # whom it can become can make no more of it than it can itself
                    settled |= within.keys()
        return found

    def _by_making(self, within: dict[str, EscalationPath], has: Has, search: _SearchState) -> EscalationPath | None:
        """By changing a principal that one can become as well, or by making a new one."""
        for actor, acting in within.items():
            for candidate, steps, needs in self._made_principals(actor, within):
                if path := self._attained(candidate, has, search):
                    decision = all_of((acting.decision, needs, path.decision))
                    because = (*acting.decision.because, *needs.because, *path.decision.because)
                    shown = replace(decision, because=tuple(dict.fromkeys(because)))
                    return EscalationPath((*acting.steps, *steps, *path.steps), (*acting.through, *path.through), shown)
        return None

    def _makers(self, left: set[str]) -> set[str]:
        """Those who may change or make a principal, and those who can become one of them."""
        principal = self.account.principals
        makers = {arn for arn in left if any(principal[arn].statements(each, allowing=True) for each in _MAKING)}
        waiting = list(makers)
        while waiting:
            target = waiting.pop()
            more = {arn for arn in left - makers if self.step(arn, target)}
            makers |= more
            waiting += more
        return makers

    def _closure(self, arn: str, left: set[str]) -> dict[str, EscalationPath]:
        """Whom a principal can become of those that do not attain it either, itself included."""
        within = {arn: EscalationPath((), (), Decision(Ternary.YES))}
        waiting = [arn]
        while waiting:
            actor = waiting.pop()
            for target in sorted(left - within.keys()):
                if step := self.step(actor, target):
                    before = within[actor]
                    decision = all_of((before.decision, step.decision))
                    within[target] = EscalationPath((*before.steps, str(step)), (*before.through, target), decision)
                    waiting.append(target)
        return within

    def _made_principals(
        self, actor: str, within: dict[str, EscalationPath]
    ) -> Iterator[tuple[Principal, tuple[str, ...], Decision]]:
        """Whom one makes of others that one can become, and of new ones: with the steps to it."""
        acting = self.stronger[actor][0]
        for target, assumption_paths in within.items() if acting.changes else ():
            if target != actor:
                principal, made = strengthened(self.stronger[target][0], acting, self.account)
                if made:
                    needs = (*(each.decision for each in made), assumption_paths.decision)
                    yield principal, (*map(str, made), *assumption_paths.steps), all_of(needs)
        for creation in CREATIONS:
            yield from _created(creation, acting, self.account)

    def _attained(self, candidate: Principal, has: Has, search: _SearchState) -> EscalationPath | None:
        decision = has(candidate)
        if decision.answer:
            return EscalationPath((), (), decision)
        for target, rest in search.found.items():
            if target in search.excluded:
                continue
            if step := step_to(candidate, self.account.identities[target], self.account):
                steps = (str(step), *(_named(each, target) for each in rest.steps))
                return EscalationPath(steps, (target, *rest.through), all_of((step.decision, rest.decision)))
        return None


@lru_cache(maxsize=2)
def escalation_of(facts: AccessFacts) -> Escalation:
    """The reach within one account, computed once for one reading of it."""
    return Escalation(AccountPolicies(facts))


_BOUNDARY = "iam:permissionsboundary"
_MAKING = (*(each.action for each in CHANGES), *(each.makes for each in CREATIONS))


def _named(step: str, of: str) -> str:
    """A step that a principal takes on itself, as somebody else who became it would say it."""
    own = " on itself"
    return f"{step.removesuffix(own)} on {display_name(of)}" if step.endswith(own) else step


def _answer(step: Assumption | None) -> Ternary:
    return step.decision.answer if step else Ternary.NO


def _created(
    creation: PrincipalCreation, actor: Principal, account: AccountPolicies
) -> Iterator[tuple[Principal, tuple[str, ...], Decision]]:
    """A new user or role, or oneself in a new group, with a policy and under the boundary that it has to have."""
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
