"""Effective access: what identity policies, boundary and resource policies give together (IAM, "Policy evaluation")."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gate.access.condition import all_hold, undecided_keys
from gate.access.decision import Decision, Ternary, all_of, any_of, negate
from gate.access.document import Kind, Policy, Statement, parse
from gate.access.facts import AccessFacts
from gate.access.matching import NOTHING, Context, arn_matches
from gate.access.principal import Principal, covers, delegates, names, passes_boundary
from gate.access.request_context import of_request

UNCAPPED = Decision(Ternary.YES)


@dataclass(frozen=True)
class AccessRequest:
    """One action on one resource.

    Attributes:
        action: as `ecr:PutImage`.
        resource: an ARN, or `*` for an action that knows no resource.
        resource_policies: the policies on the resource.
        context: what is known of the request, whoever makes it.
    """

    action: str
    resource: str
    resource_policies: tuple[Policy, ...] = ()
    context: Context = NOTHING


def resource_policies(facts: AccessFacts) -> tuple[Policy, ...]:
    """The repository's policy and the registry's, as far as there are any.

    Raises:
        GateError: one of them cannot be read.
    """
    texts = (facts.repository_policy, facts.registry_policy)
    return tuple(parse(each, Kind.RESOURCE) for each in texts if each is not None)


def registry_request(facts: AccessFacts, more: Context = NOTHING) -> Callable[[str, bool], AccessRequest]:
    """Makes the requests to the repository (or, with False, to the whole registry).

    Args:
        facts: what was read from the account.
        more: what else is known of these requests.

    Raises:
        GateError: a policy on the repository or the registry cannot be read.
    """
    policies = resource_policies(facts)
    context = of_request(facts).with_more(more.known, more.complete)
    repository = facts.repository_arn

    def make(action: str, on_repository: bool) -> AccessRequest:
        if on_repository:
            return AccessRequest(action, repository, policies, context)
        return AccessRequest(action, "*", (), context)

    return make


def may(principal: Principal, request: AccessRequest) -> Decision:
    """Whether the asker may do it: for an insider an allow on either side suffices, and a deny anywhere wins.

    An outsider's own policies lie in another account and are taken to allow everything.
    """
    granted = _granted(principal, request)
    if principal.inside:
        return _unless_denied(any_of((identity_grants(principal, request), granted)), principal, request)
    return _unless_denied(granted, principal, request)


def may_assume(principal: Principal, request: AccessRequest) -> Decision:
    """Whether the asker may assume a role: its trust policy has to say so; the asker's own policies do not suffice."""
    delegated = all_of((_delegated(principal, request), identity_grants(principal, request)))
    return _unless_denied(any_of((_granted(principal, request), delegated)), principal, request)


def identity_part(principal: Principal, request: AccessRequest) -> Decision:
    """What identity policies and boundary alone decide: the part that SimulatePrincipalPolicy can be asked about."""
    denied = any_of(_applies(each, principal, request) for each in _denials(principal, request))
    return all_of((identity_grants(principal, request), negate(denied)))


def identity_grants(principal: Principal, request: AccessRequest) -> Decision:
    """Whether the asker's own policies and its boundary both allow; denies are not looked at."""
    allowed = any_of(_applies(each, principal, request) for each in principal.statements(request.action, allowing=True))
    if allowed.answer is Ternary.NO:
        return Decision(Ternary.NO, ("no statement allows it",))
    return all_of((allowed, _cap(principal, request)))


def _granted(principal: Principal, request: AccessRequest) -> Decision:
    grants = []
    for statement in _allows(request.resource_policies):
        grant = _applies(statement, principal, request)
        if grant.answer is not Ternary.NO:
            free = not principal.inside or passes_boundary(statement, principal)
            grants.append(grant if free else all_of((grant, _cap(principal, request))))
    return any_of(grants) if grants else Decision(Ternary.NO, ("no statement allows it",))


def _delegated(principal: Principal, request: AccessRequest) -> Decision:
    statements = (each for each in _allows(request.resource_policies) if delegates(each, principal))
    return any_of(_reached(each, principal, request, Ternary.YES) for each in statements)


def _unless_denied(granted: Decision, principal: Principal, request: AccessRequest) -> Decision:
    if granted.answer is Ternary.NO:
        return granted
    denying = (*_denials(principal, request), *_denies(request.resource_policies))
    denied = any_of(_applies(each, principal, request) for each in denying)
    return all_of((granted, negate(denied)))


def _cap(principal: Principal, request: AccessRequest) -> Decision:
    if principal.boundary is None:
        return UNCAPPED
    capped = any_of(_applies(each, principal, request) for each in _allows((principal.boundary,)))
    return Decision(Ternary.NO, (f"{principal.boundary.source} does not allow it",)) if not capped.answer else capped


def _boundary(principal: Principal) -> tuple[Policy, ...]:
    return (principal.boundary,) if principal.boundary else ()


def _denials(principal: Principal, request: AccessRequest) -> list[Statement]:
    return [*principal.statements(request.action, allowing=False), *_denies(_boundary(principal))]


def _allows(policies: tuple[Policy, ...]) -> list[Statement]:
    return [each for policy in policies for each in policy.statements if each.allows]


def _denies(policies: tuple[Policy, ...]) -> list[Statement]:
    return [each for policy in policies for each in policy.statements if not each.allows]


def _applies(statement: Statement, principal: Principal, request: AccessRequest) -> Decision:
    # Identity statements name nobody: they speak of the one that they are attached to.
    has_principal = bool(statement.principals)
    return _reached(statement, principal, request, names(statement, principal) if has_principal else Ternary.YES)


def _reached(statement: Statement, principal: Principal, request: AccessRequest, named: Ternary) -> Decision:
    answer = min(named, Ternary.of(covers(statement, request.action)))
    if answer is Ternary.NO:
        return Decision(Ternary.NO)
    context = request.context.with_more(principal.context.known, principal.context.complete)
    answer = min(answer, _concerns(statement, request.resource, context), all_hold(statement, context))
    if answer is Ternary.NO:
        return Decision(Ternary.NO)
    keys = undecided_keys(statement, context) if answer is Ternary.UNDECIDED else ()
    return Decision(answer, (_reason(statement, answer, keys),), keys, denied=not statement.allows)


def _reason(statement: Statement, answer: Ternary, keys: tuple[str, ...]) -> str:
    if answer is Ternary.YES:
        return f"{statement.label} {'allows' if statement.allows else 'denies'} it"
    return f"{statement.label} cannot be decided: {', '.join(keys) or 'the principal or resource it names'}"


def _concerns(statement: Statement, resource: str, context: Context) -> Ternary:
    if not statement.resources:
        return Ternary.YES
    variables = context if statement.variables else None
    covered = max(arn_matches(each, resource, variables) for each in statement.resources)
    return covered.opposite if statement.excepting_resources else covered
