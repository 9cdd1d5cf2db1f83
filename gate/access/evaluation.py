"""Effective access by identity policies, permissions boundary and resource policies together.

Source: IAM User Guide, "Policy evaluation logic".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

from gate.access.access_facts import AccessFacts
from gate.access.condition import all_hold, undecided_keys
from gate.access.decision import Decision, Ternary, all_of, any_of
from gate.access.document import Kind, Policy, Statement, parse
from gate.access.matching import NOTHING, Context, SelfChosen, Value, arn_matches, covers, unresolvable
from gate.access.principal import Principal, delegates, names, passes_boundary
from gate.access.request_context import of_request
from gate.aws.service_authorization import actions

_UNLIMITED = Decision(Ternary.YES)
_NO_ALLOW = Decision(Ternary.NO, ("no statement allows it",))
# The two ways to change a tag: to the value that a statement asks for, or to no value.
_TAGGING: dict[str, tuple[Value, ...]] = {"ecr:TagResource": (SelfChosen(),), "ecr:UntagResource": ()}
_RESOURCE_TAG_KEYS = ("aws:resourcetag/", "ecr:resourcetag/")
_TAG_KEYS = ("aws:ResourceTag/${TagKey}", "ecr:ResourceTag/${TagKey}", "aws:RequestTag/${TagKey}", "aws:TagKeys")


@dataclass(frozen=True)
class AccessRequest:
    """One action on one resource.

    Attributes:
        action: such as `ecr:PutImage`.
        resource: an ARN, or `*` for an action without a resource type.
        resource_policies: the policies on the resource.
        context: the known part of the request context, whoever makes the request.
    """

    action: str
    resource: str
    resource_policies: tuple[Policy, ...] = ()
    context: Context = NOTHING


def resource_policies(facts: AccessFacts) -> tuple[Policy, ...]:
    """The repository policy and the registry policy, if there are any.

    Raises:
        GateError: one of them was not read, or cannot be parsed.
    """
    texts = (facts.repository_policy, facts.registry_policy)
    return tuple(parse(each, Kind.RESOURCE) for each in texts if each is not None)


def registry_request(facts: AccessFacts, more: Context = NOTHING) -> Callable[[str, bool], AccessRequest]:
    """A function that makes a request for an action on the repository (or, with False, on the registry).

    Args:
        facts: what was read from the account.
        more: the further known request context.

    Raises:
        GateError: the repository policy or the registry policy cannot be read.
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
    """Whether the principal may do it.

    In the account an Allow in an identity or resource policy suffices, and a Deny anywhere decides. The identity
    policies of an external principal are in another account; they are assumed to allow everything.
    """
    allowed = _by_resource_policies(principal, request)
    if principal.inside:
        allowed = any_of((identity_grants(principal, request), allowed))
    return _unless_denied(allowed, principal, request)


def may_after_tagging(principal: Principal, request: AccessRequest) -> Decision:
    """Whether the principal may do it with the tags that the repository has, or after changing these tags itself.

    Sources: Amazon ECR User Guide, "Using tag-based access control"; the Service Authorization Reference lists
    TagResource and UntagResource as actions on a repository.
    """
    found = may(principal, request)
    keys = _tag_keys(principal, request)
    for action, value in _TAGGING.items() if keys else ():
        tagging = may(principal, replace(request, action=action))
        if not tagging.answer:
            continue
        context = principal.context.with_more(dict.fromkeys(keys, value))
        tagged = all_of((may(replace(principal, context=context), request), tagging))
        # The reasons always include the tagging.
        because = dict.fromkeys((*tagged.because, *(f"{why} ({action})" for why in tagging.because)))
        found = max(found, replace(tagged, because=tuple(because)), key=lambda each: each.answer)
    return found


def may_assume(principal: Principal, request: AccessRequest) -> Decision:
    """Whether the principal may assume a role, which the role's trust policy must allow."""
    trusting = (each for policy in request.resource_policies for each in policy.allowing if delegates(each, principal))
    delegated = any_of(_decision(each, principal, request, Ternary.YES) for each in trusting)
    allowed = all_of((delegated, identity_grants(principal, request)))
    return _unless_denied(any_of((_by_resource_policies(principal, request), allowed)), principal, request)


def identity_part(principal: Principal, request: AccessRequest) -> Decision:
    """The decision of identity policies and boundary alone, which SimulatePrincipalPolicy makes as well."""
    return _unless_denied(identity_grants(principal, request), principal, replace(request, resource_policies=()))


def identity_grants(principal: Principal, request: AccessRequest) -> Decision:
    """Whether identity policies and boundary both have an Allow; Deny statements are not evaluated."""
    allowing = principal.statements(request.action, allowing=True)
    allowed = any_of(_decision(each, principal, request) for each in allowing)
    return all_of((allowed, _within_boundary(principal, request))) if allowed.answer else _NO_ALLOW


def _by_resource_policies(principal: Principal, request: AccessRequest) -> Decision:
    grants = []
    for statement in (each for policy in request.resource_policies for each in policy.allowing):
        grant = _decision(statement, principal, request)
        if grant.answer:
            free = not principal.inside or passes_boundary(statement, principal)
            grants.append(grant if free else all_of((grant, _within_boundary(principal, request))))
    return any_of(grants) if grants else _NO_ALLOW


def _unless_denied(allowed: Decision, principal: Principal, request: AccessRequest) -> Decision:
    if not allowed.answer:
        return allowed
    others = (*((principal.boundary,) if principal.boundary else ()), *request.resource_policies)
    denying = (*principal.statements(request.action, allowing=False), *(one for each in others for one in each.denying))
    denied = any_of(_decision(each, principal, request) for each in denying)
    return all_of((allowed, replace(denied, answer=denied.answer.opposite)))


def _within_boundary(principal: Principal, request: AccessRequest) -> Decision:
    if principal.boundary is None:
        return _UNLIMITED
    within = any_of(_decision(each, principal, request) for each in principal.boundary.allowing)
    return within if within.answer else Decision(Ternary.NO, (f"{principal.boundary.source} does not allow it",))


def _decision(
    statement: Statement, principal: Principal, request: AccessRequest, named: Ternary | None = None
) -> Decision:
    """Whether the statement applies; `named` is whether it names the principal, by default by its own element."""
    if named is None:
        # A statement without a Principal element is one of an identity policy, for the identity it is attached to.
        named = names(statement, principal) if statement.principals else Ternary.YES
    if not named or not covers(statement, request.action):
        return Decision(Ternary.NO)
    context = request.context.with_more(principal.context.known, principal.context.complete)
    context = replace(context, absent=_absent_of(request.action))
    answer = min(named, _covers_resource(statement, request.resource, context), all_hold(statement, context))
    if not answer:
        return Decision(answer)
    keys = undecided_keys(statement, context) if answer is Ternary.UNDECIDED else ()
    return Decision(answer, (_reason(statement, answer, keys),), keys, denied=not statement.allows)


def _reason(statement: Statement, answer: Ternary, keys: tuple[str, ...]) -> str:
    if answer is Ternary.YES:
        return f"{statement.label} {'allows' if statement.allows else 'denies'} it"
    return f"{statement.label} cannot be decided: {', '.join(keys) or 'the principal or resource it names'}"


def _covers_resource(statement: Statement, resource: str, context: Context) -> Ternary:
    if not statement.resources:
        return Ternary.YES
    variables = context if statement.variables else None
    covered = max(arn_matches(each, resource, variables) for each in statement.resources)
    if not statement.excepting_resources:
        return covered
    uncertain = unresolvable(statement.resources, variables)
    return min(covered.opposite, Ternary.UNDECIDED) if uncertain else covered.opposite


@cache
def _absent_of(action: str) -> tuple[str, ...]:
    """The keys of tags, or their beginnings, that no request for an action of ECR has.

    Most carry no tags, and one without a resource, such as GetAuthorizationToken, has none of a repository's tags.
    """
    found = actions("ecr").get(action) if action.startswith("ecr:") else None
    return tuple(each.partition("$")[0].lower() for each in _TAG_KEYS if each not in found.keys) if found else ()


def _tag_keys(principal: Principal, request: AccessRequest) -> tuple[str, ...]:
    """The condition keys of repository tags in the statements about this request."""
    own = (*principal.statements(request.action, allowing=True), *principal.statements(request.action, allowing=False))
    on_repository = (each for policy in request.resource_policies for each in policy.statements)
    keys = (condition.key.lower() for each in (*own, *on_repository) for condition in each.conditions)
    return tuple(dict.fromkeys(key for key in keys if key.startswith(_RESOURCE_TAG_KEYS)))
