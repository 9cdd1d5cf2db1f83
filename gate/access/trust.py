"""Who can become a role: whom its trust lets in, who could rewrite or pass it, and who can become one of those."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gate.access.asker import Asker, Standing, insider, outsiders
from gate.access.document import Condition, Kind, Policy, Statement, parse
from gate.access.evaluate import Request, may, may_assume
from gate.access.facts import AccessFacts, Identity
from gate.access.logic import Answer, Finding, any_of
from gate.access.pattern import Context, action_matches
from gate.errors import GateError

ASSUME = ("sts:AssumeRole", "sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML")
EVERY_SUBJECT = "*"
_CONTEXT = Context({"aws:securetransport": ("true",)})
# Operators that tie the subject down. ForAllValues is none: it also holds where the claim is missing.
_TYING = re.compile(r"(?i)(?:foranyvalue:)?(stringequals|stringequalsignorecase|stringlike)(?:ifexists)?")


@dataclass(frozen=True)
class Becoming:
    """Somebody who can become a role.

    Attributes:
        name: as the reviewed list calls it; a federated subject is `<provider's host>:sub=<pattern>`.
        path: the roles on the way, the wanted one last.
        finding: yes or undecided, and by which statement.
        inside: whether it is a role or user of the account.
    """

    name: str
    path: tuple[str, ...]
    finding: Finding
    inside: bool


def who_becomes(facts: AccessFacts, role: str) -> tuple[Becoming, ...]:
    """Everyone who can become the role, at once or through other roles of the account.

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
    inside = [insider(each, facts) for each in facts.identities]
    found: dict[str, Becoming] = {}
    waiting: list[tuple[Identity, tuple[str, ...]]] = [(target, (target.name,))]
    seen = {target.arn}
    while waiting:
        role_now, path = waiting.pop(0)
        for asker, finding in _direct(role_now, inside, facts):
            if asker.name not in seen:
                seen.add(asker.name)
                found[asker.name] = Becoming(asker.name, path, finding, asker.inside)
                waiting += _further(asker, path, facts)
    return tuple(found.values())


def subjects(statement: Statement, provider: str) -> tuple[tuple[str, bool], ...]:
    """The subjects of an identity provider that a trust statement lets in, each with whether it is exact.

    Where no condition ties the provider's `sub` claim down, that is every subject: anybody who can get a token.
    """
    key = f"{host(provider)}:sub".lower()
    tying = [each for each in statement.conditions if each.key.lower() == key and _TYING.fullmatch(each.operator)]
    if not tying:
        return ((EVERY_SUBJECT, False),)
    # All conditions have to hold, so each of them alone bounds the subjects: the narrowest is shown.
    narrowest = min(tying, key=lambda each: sum(not _exact(each, value) for value in each.values))
    return tuple((value, _exact(narrowest, value)) for value in narrowest.values)


def host(provider: str) -> str:
    """The host of an OpenID Connect provider, as condition keys begin with it."""
    return provider.partition("oidc-provider/")[2] or provider


def _direct(role: Identity, inside: list[Asker], facts: AccessFacts) -> Iterator[tuple[Asker, Finding]]:
    if role.trust is None:
        raise GateError(
            f"The role {role.arn} was read without its trust policy, so nobody knows who can become it",
            where=role.arn,
            remedy="grant iam:GetAccountAuthorizationDetails to the role that runs the gate",
        )
    trust = parse(role.trust, Kind.RESOURCE)
    strangers = [ask for ask in outsiders((trust,), facts) if ask.principal[0] != "Federated"]
    let_in: set[tuple[str, str]] = set()
    for asker in (*inside, *strangers):
        finding = any_of(_ways(asker, role, trust))
        # A service takes a role on for the role's own account (who may pass it is asked above), so it is named once.
        if finding.answer and not (asker.standing is Standing.SERVICE and asker.principal in let_in):
            let_in.add(asker.principal)
            yield asker, finding
    yield from _federated(role, trust)


def _ways(asker: Asker, role: Identity, trust: Policy) -> Iterator[Finding]:
    for action in ASSUME:
        yield may_assume(asker, Request(action, role.arn, (trust,), _CONTEXT))
    if not asker.inside:
        return
    yield _rewording(may(asker, Request("iam:UpdateAssumeRolePolicy", role.arn, (), _CONTEXT)), "rewrites the trust")
    if any(kind == "Service" for each in trust.statements if each.allows for kind, _ in each.principals):
        yield _rewording(may(asker, Request("iam:PassRole", role.arn, (), _CONTEXT)), "passes the role to a service")


def _rewording(finding: Finding, way: str) -> Finding:
    return Finding(finding.answer, tuple(f"{way}: {why}" for why in finding.because))


def _federated(role: Identity, trust: Policy) -> Iterator[tuple[Asker, Finding]]:
    for statement in trust.statements:
        if not statement.allows or statement.excepting_principals:
            continue
        for kind, provider in statement.principals:
            if kind == "Federated" and _assumes(statement):
                yield from _subjects_let_in(statement, provider, role, trust)


def _subjects_let_in(
    statement: Statement, provider: str, role: Identity, trust: Policy
) -> Iterator[tuple[Asker, Finding]]:
    for subject, exact in ((provider, False),) if ":saml-provider/" in provider else subjects(statement, provider):
        name = provider if subject == provider else f"{host(provider)}:sub={subject}"
        known = {f"{host(provider)}:sub".lower(): (subject,)} if exact else {}
        asker = Asker(name, Standing.OUTSIDER, "", ("Federated", provider), Context(known))
        requests = (Request(action, role.arn, (trust,), _CONTEXT) for action in ASSUME)
        if any(may_assume(asker, request).answer for request in requests):
            yield asker, Finding(Answer.YES, (f"{statement.label} allows it",))


def _further(asker: Asker, path: tuple[str, ...], facts: AccessFacts) -> list[tuple[Identity, tuple[str, ...]]]:
    role = facts.role(asker.name) if asker.standing is Standing.ROLE else None
    return [(role, (role.name, *path))] if role else []


def _assumes(statement: Statement) -> bool:
    covered = (any(action_matches(each, action) for each in statement.actions) for action in ASSUME)
    return any(one is not statement.excepting_actions for one in covered)


def _exact(condition: Condition, value: str) -> bool:
    return "like" not in condition.operator.lower() or not set("*?") & set(value)
