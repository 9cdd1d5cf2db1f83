"""Privilege escalation: who can get a permission by changing or assuming principals, as a fixpoint over all of them."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache

from gate.access.access_facts import AccessFacts
from gate.access.account_policies import AccountPolicies
from gate.access.decision import Decision, Ternary, all_of
from gate.access.principal import Principal
from gate.access.principal_changes import CHANGING, changes_by, created_principals, needed, strengthened
from gate.access.role_assumption import Step, step_to

Has = Callable[[Principal], Decision]


@dataclass(frozen=True)
class EscalationPath:
    """How a principal gets a permission.

    Attributes:
        steps: the steps in order; none if it has the permission already.
        decision: yes or undecided, and the statements that allow it.
    """

    steps: tuple[Step, ...]
    decision: Decision

    @property
    def through(self) -> tuple[str, ...]:
        """The principals that it becomes on the way, by ARN."""
        return tuple(each.on for each in self.steps if each.becomes)

    def told(self, actor: str) -> tuple[str, ...]:
        """The steps as parts of a sentence about the principal that takes the path."""
        becomes = [each.becomes for each in self.steps]
        # Only until it becomes another is what it does to its own ARN done "on itself".
        return tuple(each.told("" if any(becomes[:place]) else actor) for place, each in enumerate(self.steps))


@dataclass
class _SearchState:
    """The state of one search.

    Attributes:
        left: the ARNs of principals without a path so far.
        excluded: the ARNs of principals that no path may go through.
        found: the paths so far, by ARN.
        waiting: the principals whose assumption by others is still to be searched, most certain path first.
    """

    left: set[str]
    excluded: frozenset[str]
    found: dict[str, EscalationPath] = field(default_factory=dict)
    waiting: list[tuple[int, int, int, str]] = field(default_factory=list)

    def add(self, arn: str, path: EscalationPath | None) -> None:
        """Add the path of a principal; None is no path."""
        if path is None:
            return
        self.found[arn] = path
        self.left.discard(arn)
        if arn not in self.excluded:
            heapq.heappush(self.waiting, (-path.decision.answer, len(path.steps), len(self.found), arn))


@dataclass
class Escalation:
    """The privilege escalation within one account."""

    account: AccountPolicies
    _steps: dict[tuple[str, str], Step | None] = field(default_factory=dict)

    @cached_property
    def stronger(self) -> dict[str, tuple[Principal, tuple[Step, ...]]]:
        """Every principal after all changes that it can make to itself, and these changes."""
        return {
            arn: strengthened(principal, principal, self.account) for arn, principal in self.account.principals.items()
        }

    @cached_property
    def _assuming(self) -> frozenset[str]:
        """The principals that an identity policy may let become others."""
        return frozenset(arn for arn, (principal, _) in self.stronger.items() if principal.may_assume_others)

    def paths_to_holding(self, has: Has, *, excluded: Iterable[str] = ()) -> dict[str, EscalationPath]:
        """The path of every principal that has a permission or can get it.

        Args:
            has: whether a principal has the permission as it is.
            excluded: ARNs of principals that no path may go through.
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

    def step(self, actor: str, target: str) -> Step | None:
        """How one principal becomes another, after changes to itself if it needs them."""
        if (actor, target) not in self._steps:
            principal, identity = self.stronger[actor][0], self.account.identities[target]
            self._steps[actor, target] = None if actor == target else step_to(principal, identity, self.account)
        return self._steps[actor, target]

    def _alone(self, arn: str, has: Has) -> EscalationPath | None:
        base = has(self.account.principals[arn])
        changed, made = self.stronger[arn]
        decision = base if base.answer is Ternary.YES or not made else has(changed)
        if decision.answer <= base.answer:
            return EscalationPath((), base) if base.answer else None
        kept = needed(self.account.principals[arn], made, lambda one: has(one).answer)
        return EscalationPath(tuple(kept), all_of((*(each.decision for each in kept), decision)))

    def _by_becoming(self, target: str, search: _SearchState) -> None:
        # Pairs of all principals would be a million of a thousand; most may become nobody (see `step_to`).
        anybody = self.account.trusts_principals(self.account.identities[target])
        for actor in sorted(search.left if anybody else search.left & self._assuming):
            if step := self.step(actor, target):
                search.add(actor, self._joined(actor, step, search.found[target]))

    def _joined(self, actor: str, step: Step, rest: EscalationPath) -> EscalationPath:
        base, (_, made) = self.account.principals[actor], self.stronger[actor]
        target = self.account.identities[step.on]
        kept = needed(base, made, lambda one: _answer(step_to(one, target, self.account))) if made else ()
        decision = all_of((*(each.decision for each in kept), step.decision, rest.decision))
        because = tuple(dict.fromkeys((*step.decision.because, *rest.decision.because)))
        return EscalationPath((*kept, step, *rest.steps), replace(decision, because=because))

    def _all_by_making(self, has: Has, search: _SearchState) -> dict[str, EscalationPath]:
        found, settled = dict[str, EscalationPath](), set[str]()
        for arn in sorted(self._makers(search.left)):
            if arn not in settled:
                within = self._closure(arn, search.left)
                if path := self._by_making(within, has, search):
                    found[arn] = path
                else:  # the principals that it can become cannot do more here than it can itself
                    settled |= within.keys()
        return found

    def _by_making(self, within: dict[str, EscalationPath], has: Has, search: _SearchState) -> EscalationPath | None:
        """By changing a principal that it can become as well, or by creating one."""
        for actor, acting in within.items():
            for candidate, steps, needs in self._made_principals(actor, within):
                if path := self._attained(candidate, has, search):
                    decision = all_of((acting.decision, needs, path.decision))
                    because = (*acting.decision.because, *needs.because, *path.decision.because)
                    shown = replace(decision, because=tuple(dict.fromkeys(because)))
                    return EscalationPath((*acting.steps, *steps, *path.steps), shown)
        return None

    def _makers(self, left: set[str]) -> set[str]:
        """The principals that may change or create a principal, and those that can become one of them."""
        principal = self.account.principals
        makers = {arn for arn in left if any(principal[arn].statements(each, allowing=True) for each in CHANGING)}
        waiting = list(makers)
        while waiting:
            target = waiting.pop()
            more = {arn for arn in left - makers if self.step(arn, target)}
            makers |= more
            waiting += more
        return makers

    def _closure(self, arn: str, left: set[str]) -> dict[str, EscalationPath]:
        """The principals without a path that a principal can become, itself included."""
        within = {arn: EscalationPath((), Decision(Ternary.YES))}
        waiting = [arn]
        while waiting:
            actor = waiting.pop()
            for target in sorted(left - within.keys()):
                if step := self.step(actor, target):
                    before = within[actor]
                    decision = all_of((before.decision, step.decision))
                    within[target] = EscalationPath((*before.steps, step), decision)
                    waiting.append(target)
        return within

    def _made_principals(
        self, actor: str, within: dict[str, EscalationPath]
    ) -> Iterator[tuple[Principal, tuple[Step, ...], Decision]]:
        """Principals that it changes and can become, and new ones, each with the steps to it."""
        acting = self.stronger[actor][0]
        for target, becoming in within.items() if changes_by(acting) else ():
            if target != actor:
                principal, made = strengthened(self.stronger[target][0], acting, self.account)
                if made:
                    needs = (*(each.decision for each in made), becoming.decision)
                    yield principal, (*made, *becoming.steps), all_of(needs)
        for new, step in created_principals(acting, self.account):
            yield new, (step,), step.decision

    def _attained(self, candidate: Principal, has: Has, search: _SearchState) -> EscalationPath | None:
        decision = has(candidate)
        if decision.answer:
            return EscalationPath((), decision)
        for target, rest in search.found.items():
            allowed = target not in search.excluded
            if allowed and (step := step_to(candidate, self.account.identities[target], self.account)):
                return EscalationPath((step, *rest.steps), all_of((step.decision, rest.decision)))
        return None


@lru_cache(maxsize=2)
def escalation_of(facts: AccessFacts) -> Escalation:
    """The privilege escalation of these facts, computed once."""
    return Escalation(AccountPolicies(facts))


def _answer(step: Step | None) -> Ternary:
    return step.decision.answer if step else Ternary.NO
