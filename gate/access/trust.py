"""Who can become a role: by its trust policy, or by an escalation path in the account."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gate.access.access_facts import AccessFacts, Identity
from gate.access.account_policies import AccountPolicies
from gate.access.decision import Decision, Ternary, any_of
from gate.access.document import Condition, Statement
from gate.access.escalation import escalation_of
from gate.access.evaluation import AccessRequest, may_assume
from gate.access.external_principals import external_principals
from gate.access.matching import Context, covers
from gate.access.principal import Principal, PrincipalKind
from gate.access.request_context import of_iam_request
from gate.access.reviewed_principals import too_wide
from gate.access.role_assumption import ASSUME
from gate.errors import GateError

EVERY_SUBJECT = "*"
# Operators that limit the subject. ForAllValues does not: it also holds if the claim is missing.
_LIMITING = re.compile(r"(?i)(?:foranyvalue:)?(stringequals|stringequalsignorecase|stringlike)(?:ifexists)?")


@dataclass(frozen=True)
class AssumptionPath:
    """A principal that can become a role.

    Attributes:
        name: as in the list of reviewed principals; a federated subject is `<provider's host>:sub=<pattern>`, or has
            another claim that names the repository in the place of `sub`.
        path: the principals that it becomes, the role last.
        decision: yes or undecided, and the statements that allow it.
        inside: whether it is a role or user of the account.
        steps: the steps of an escalation path, in order; none for an external principal.
    """

    name: str
    path: tuple[str, ...]
    decision: Decision
    inside: bool
    steps: tuple[str, ...] = ()


def who_can_assume(facts: AccessFacts, role: str) -> tuple[AssumptionPath, ...]:
    """Every principal that can become the role, directly or through other principals of the account.

    Raises:
        GateError: there is no such role, or a policy cannot be read.
    """
    target = facts.role(role)
    if target is None:
        raise GateError(
            f"The account {facts.account} has no role {role}",
            where="iam:GetAccountAuthorizationDetails",
            remedy="create the role, or correct its name in pytest.ini",
        )
    escalation = escalation_of(facts)
    found: dict[str, AssumptionPath] = {}
    paths = escalation.paths_to_holding(lambda principal: Decision(Ternary.of(principal.name == target.arn)))
    for arn, path in paths.items():
        names = tuple(each.rpartition("/")[2] for each in path.through)
        if arn != target.arn:
            found[arn] = AssumptionPath(arn, names, path.decision, True, path.told(arn))
        identity = escalation.account.identities[arn]
        if identity.is_role:
            for principal, decision in trusted_externals(identity, escalation.account):
                through = (identity.name, *names)
                found.setdefault(principal.name, AssumptionPath(principal.name, through, decision, False))
    return tuple(found.values())


def trusted_externals(role: Identity, account: AccountPolicies) -> Iterator[tuple[Principal, Decision]]:
    """The external principals that a role's trust policy allows; a federated one is a subject of an identity provider.

    Raises:
        GateError: the trust policy cannot be read.
    """
    trust, facts = account.trust(role), account.facts
    context, services = of_iam_request(facts, role), set[tuple[str, str]]()
    requests = tuple(AccessRequest(action, role.arn, (trust,), context) for action in ASSUME)
    for principal in external_principals((trust,), facts):
        if principal.element[0] == "Federated":
            continue
        decision = any_of(may_assume(principal, request) for request in requests)
        # A service assumes a role only for the role's own account, so it is named once; passing it is an escalation.
        if decision.answer and not (principal.kind is PrincipalKind.SERVICE and principal.element in services):
            services.add(principal.element)
            yield principal, decision
    for statement in trust.allowing:
        assumes = any(covers(statement, action) for action in ASSUME)
        for kind, provider in statement.principals if assumes and not statement.excepting_principals else ():
            if kind == "Federated":
                yield from _allowed_subjects(statement, provider, requests)


def subjects(statement: Statement, provider: str) -> tuple[tuple[str, str, bool], ...]:
    """The subjects of an identity provider that a trust statement allows: claim, pattern, and whether it is exact.

    If no condition limits the `sub` claim to one repository, another claim that names the repository counts instead
    (IAM User Guide, "Available keys for AWS OIDC federation"); else it is everybody who can get a token.
    """
    by_subject = _limited(statement, provider, "sub") or ((EVERY_SUBJECT, False),)
    if any(too_wide(f"{host(provider)}:sub={value}") for value, _ in by_subject):
        for claim in ("repository_id", "repository"):
            named = _limited(statement, provider, claim)
            if named and all(exact for _, exact in named):
                return tuple((claim, value, exact) for value, exact in named)
    return tuple(("sub", value, exact) for value, exact in by_subject)


def _limited(statement: Statement, provider: str, claim: str) -> tuple[tuple[str, bool], ...]:
    key = f"{host(provider)}:{claim}".lower()
    limiting = [each for each in statement.conditions if each.key.lower() == key and _LIMITING.fullmatch(each.operator)]
    if not limiting:
        return ()
    # All conditions must hold, so each alone limits the subjects: the narrowest one is shown.
    narrowest = min(limiting, key=lambda each: sum(not _exact(each, value) for value in each.values))
    return tuple((value, _exact(narrowest, value)) for value in narrowest.values)


def host(provider: str) -> str:
    """The host of an OpenID Connect provider, as condition keys begin with it."""
    return provider.partition("oidc-provider/")[2] or provider


def _allowed_subjects(
    statement: Statement, provider: str, requests: tuple[AccessRequest, ...]
) -> Iterator[tuple[Principal, Decision]]:
    saml = ":saml-provider/" in provider
    for claim, value, exact in (("", provider, False),) if saml else subjects(statement, provider):
        name = provider if saml else f"{host(provider)}:{claim}={value}"
        known = {f"{host(provider)}:{claim}".lower(): (value,)} if exact else {}
        principal = Principal(name, PrincipalKind.EXTERNAL, "", ("Federated", provider), Context(known))
        if any(may_assume(principal, request).answer for request in requests):
            yield principal, Decision(Ternary.YES, (f"{statement.label} allows it",))


def _exact(condition: Condition, value: str) -> bool:
    return "like" not in condition.operator.lower() or not set("*?") & set(value)
