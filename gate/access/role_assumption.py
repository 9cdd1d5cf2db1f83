"""Whether a principal of the account can become another: by credentials, role assumption or a service with the role."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gate.access.access_facts import Identity, display_name
from gate.access.account_policies import AccountPolicies
from gate.access.decision import Decision, Ternary, all_of
from gate.access.document import Policy
from gate.access.escalation_methods import (
    CREDENTIALS,
    REPLACE_PROVIDER,
    REWRITE_TRUST,
    ROLE_PASSING,
    SERVICES,
    SSO,
    SSO_PATH,
    RoleUse,
)
from gate.access.evaluation import AccessRequest, may_assume
from gate.access.matching import covers, matches
from gate.access.principal import Principal
from gate.access.privilege_changes import Apply
from gate.access.request_context import of_iam_request

ASSUME = ("sts:AssumeRole", "sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML")
# A service principal may name a region, and in China has another ending.
_REGIONAL = re.compile(r"(.+?)(?:\.[a-z]{2}(?:-[a-z]+)+-\d)?\.amazonaws\.com(?:\.cn)?")
# Actions of a service without an entry in SERVICES that do not make it use a role, by the start of their names.
_NO_ROLE_USE = (
    "Get",
    "List",
    "Describe",
    "BatchGet",
    "Search",
    "Query",
    "Scan",
    "Invoke",
    "Lookup",
    "Check",
    "Validate",
)


@dataclass(frozen=True)
class Step:
    """One step of an escalation path.

    Attributes:
        method: the actions that it requires, as named in a sentence.
        on: the ARN that they are taken on, or the words for a principal of the actor's own making.
        decision: yes or undecided, and the statements that allow it.
        becomes: whether the actor becomes the principal with this ARN.
        apply: gives a principal after the step, if it changes one.
    """

    method: str
    on: str
    decision: Decision
    becomes: bool = False
    apply: Apply = lambda one: one

    def told(self, actor: str) -> str:
        """The step as words in a sentence about an actor, by ARN."""
        named = display_name(self.on) if self.on.startswith("arn:") else self.on
        return f"{self.method} on {'itself' if self.on == actor else named}"


def step_to(actor: Principal, target: Identity, account: AccountPolicies) -> Step | None:
    """The most certain way in which the actor can become the target, None if there is none."""
    if target.service_linked or not (actor.may_assume_others or account.trusts_principals(target)):
        return None
    best: Step | None = None
    methods = (
        _to_role(actor, target, account)
        if target.is_role
        else ((action, account.may(actor, action, target.arn)) for action in CREDENTIALS)
    )
    for method, decision in methods:
        if decision.answer is Ternary.YES:
            return Step(method, target.arn, decision, becomes=True)
        if decision.answer and best is None:
            best = Step(method, target.arn, decision, becomes=True)
    return best


def _to_role(actor: Principal, role: Identity, account: AccountPolicies) -> Iterator[tuple[str, Decision]]:
    trust = account.trust(role)
    request = AccessRequest(ASSUME[0], role.arn, (trust,), of_iam_request(account.facts, role))
    yield ASSUME[0], may_assume(actor, request)
    if not role.protected:
        rewriting = account.may(actor, REWRITE_TRUST, role.arn)
        yield f"{REWRITE_TRUST} (rewrites the trust)", _with_method("rewrites the trust", rewriting)
    if SSO_PATH in role.arn:
        for actions in SSO:
            yield " + ".join(actions), account.anywhere(actor, actions)
    for provider in _saml_providers(trust):
        for actions in REPLACE_PROVIDER:
            yield " + ".join(actions), all_of(account.may(actor, action, provider) for action in actions)
    for service in account.services(role):
        yield from _by_service(actor, role, service, account)


def _by_service(
    actor: Principal, role: Identity, service: str, account: AccountPolicies
) -> Iterator[tuple[str, Decision]]:
    passes = account.may(actor, ROLE_PASSING, role.arn, {"iam:passedtoservice": (service,)})
    runs = SERVICES.get(_REGIONAL.sub(r"\1.amazonaws.com", service))
    if runs is None:
        if passes.answer and (used := _role_use(actor, service)):
            decision = Decision(Ternary.UNDECIDED, (*passes.because, f"{used} may make {service} use the role"))
            yield f"{ROLE_PASSING} + {used}", _with_method("passes the role to a service", decision)
        return
    for actions in runs.passing if passes.answer else ():
        decision = all_of((passes, account.anywhere(actor, actions)))
        yield " + ".join((ROLE_PASSING, *actions)), _with_method("passes the role to a service", decision)
    yield from _by_takeover(actor, role, runs, account)


def _by_takeover(
    actor: Principal, role: Identity, runs: RoleUse, account: AccountPolicies
) -> Iterator[tuple[str, Decision]]:
    """Taking over something that already runs with the role: a function by its ARN, other things by their kind only."""
    for actions in runs.holding:
        named, functions = " + ".join(actions), actions[0].startswith("lambda:")
        known = account.facts.functions if functions else None
        running = [each.arn for each in known or () if each.role == role.arn]
        for arn in running:
            method = f"{named} on the function {arn.rpartition(':')[2]}, and so"
            yield method, all_of(account.may(actor, action, arn) for action in actions)
        if not running:
            listed = known is not None
            decision = account.anywhere(actor, actions, beyond=listed)
            if decision.answer:
                unknown = (
                    "functions of other regions were not listed" if listed else "what runs with the role is not known"
                )
                yield named, Decision(Ternary.UNDECIDED, (*decision.because, unknown))


def _role_use(actor: Principal, service: str) -> str:
    """An action that the actor may call and that may make an unknown service use the role; "" if there is none."""
    prefix = service.partition(".")[0].lower()
    for statement in actor.of_service(prefix):
        if statement.allows and statement.excepting_actions:
            return f"{prefix}:*"
        for pattern in statement.actions if statement.allows else ():
            named, _, name = pattern.partition(":")
            if matches(named.lower(), prefix) and not name.startswith(_NO_ROLE_USE):
                return f"{prefix}:{name or '*'}"
    return ""


def _saml_providers(trust: Policy) -> tuple[str, ...]:
    return tuple(
        value
        for each in trust.allowing
        if covers(each, ASSUME[2])
        for kind, value in each.principals
        if kind == "Federated" and ":saml-provider/" in value
    )


def _with_method(method: str, decision: Decision) -> Decision:
    return Decision(
        decision.answer, tuple(f"{method}: {why}" for why in decision.because), decision.keys, decision.denied
    )
