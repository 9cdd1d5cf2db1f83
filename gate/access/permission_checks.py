"""The checks of criterion 5: who must be able to push and pull, and who must not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from gate.access.access_facts import AccessFacts, Identity, Simulation
from gate.access.decision import Decision, Ternary
from gate.access.document import Kind, Policy, PolicyText, parse
from gate.access.escalation import escalation_of
from gate.access.evaluation import AccessRequest, identity_part, may, registry_request, resource_policies
from gate.access.external_principals import service_names
from gate.access.matrix import Matrix, access_matrix, principals
from gate.access.permission_groups import required_for
from gate.access.principal import account_principal
from gate.access.rejections import (
    denied_by_organization,
    depends_on_network,
    disagreement,
    lambda_of_other_accounts,
    missing_permissions,
    unreviewed_access,
    unreviewed_assumption,
)
from gate.access.request_context import LAMBDA, of_own_calls, of_request
from gate.access.reviewed_policy import ReviewedPolicy, differences, without_deleted
from gate.access.reviewed_principals import Review, ReviewedPrincipals
from gate.access.trust import AssumptionPath
from gate.check import CheckResult, Rejection, check, reject
from gate.errors import GateError

# Known-bad inputs: each check has to reject its own.
_TODAY = date(2025, 10, 18)
_CI = "arn:aws:iam::000000000000:role/ci"
_ANYBODY_BECOMES_IT = AssumptionPath("anybody else", ("ci",), Decision(Ternary.YES, ("trust policy",)), False)
_NO_REVIEWS = ReviewedPrincipals("principals.yaml", ())
_EXPIRED_YESTERDAY = Review(_CI, ("push",), "a reason", "a role", date(2025, 10, 17), 2)


def _statements(effect: str = "Allow", principal: object = "*", action: str = "ecr:*") -> dict[str, object]:
    """A policy of one statement; by default everybody may do everything."""
    return {"Statement": [{"Effect": effect, "Principal": principal, "Action": action}]}


def _account(repository_policy: dict[str, object], *simulations: Simulation) -> AccessFacts:
    """An account with the role ci, which may do nothing by its own policies."""
    ci = Identity(_CI, "AROA", (), trust=PolicyText("trust policy", {"Statement": []}))
    policy = PolicyText("repository policy", repository_policy)
    return AccessFacts("000000000000", "eu-west-1", "app", "function", (ci,), policy, simulations=simulations)


def _only_ci_pushes() -> ReviewedPolicy:
    document = _statements(principal={"AWS": _CI}, action="ecr:PutImage")
    policy = parse(PolicyText("reviewed policy", document), Kind.RESOURCE)
    return ReviewedPolicy("repository-policy.json", "a role", _TODAY, policy)


def _disagreement() -> AccessFacts:
    """The simulator allows what no policy allows."""
    nobody = _statements("Deny")
    return _account(nobody, Simulation(_CI, "ecr:PutImage", _account(nobody).repository_arn, allowed=True))


@check(5, known_bad=lambda: (_account(_statements("Deny")), "ci", "push"))
def check_holds(facts: AccessFacts, role: str, wanted: str) -> CheckResult:
    """The role has every permission that the permission group requires; undecided counts as denied.

    But a Deny that depends on the network alone does not decide the pull: the Lambda service does it, not the role.

    Args:
        facts: what was read from the account.
        role: the name of the role.
        wanted: the name of the permission group, "push" or "pull".
    """
    identity = facts.role(role)
    if identity is None:
        return reject(
            f"The account {facts.account} has no role {role}", "iam:GetRole", "create it, or correct pytest.ini"
        )
    request = registry_request(facts, of_own_calls(facts, from_ci=wanted == "push"))
    principal = account_principal(identity, facts)
    decisions = {action: may(principal, request(action, here)) for action, here in required_for(wanted)}
    if wanted == "pull":
        decisions = {action: each for action, each in decisions.items() if not depends_on_network(each)}
    missing = missing_permissions(identity.arn, wanted, facts, decisions.items())
    return CheckResult.of((*missing, *denied_by_organization(facts, identity.arn, decisions)))


@check(5, known_bad=lambda: (_account(_statements(principal={"Service": LAMBDA})),))
def check_lambda_service(facts: AccessFacts) -> CheckResult:
    """The Lambda service can pull for the function of this account, and not for functions of other accounts."""
    request = registry_request(facts)
    by_name = {principal.name: principal for principal in principals(facts)}
    own, other = (by_name[name] for name in service_names(LAMBDA, facts.account))
    requests = {action: request(action, True) for action, _ in required_for("pull")}
    here = ((action, may(own, each)) for action, each in requests.items())
    elsewhere = ((action, may(other, each)) for action, each in requests.items())
    missing = missing_permissions(f"{LAMBDA} on behalf of {facts.function_arn}", "pull", facts, here)
    unbound = (lambda_of_other_accounts(facts, action, each) for action, each in elsewhere if each.answer)
    return CheckResult.of((*missing, *unbound))


@check(5, known_bad=lambda: (access_matrix(_account(_statements())), "push", _NO_REVIEWS, _TODAY))
def check_nobody_else(
    matrix: Matrix, wanted: str, reviewed: ReviewedPrincipals, today: date, expected: tuple[str, ...] = ()
) -> CheckResult:
    """Only expected and reviewed principals have any permission of the group; undecided counts as allowed.

    Service-linked roles are not counted: only AWS uses them, as the settings of the account ask it to (scanning,
    replication), and who may change these settings is checked with the group "rules".
    """
    return CheckResult.of(
        unreviewed_access(row, wanted, matrix.repository, reviewed)
        for row in matrix.rows
        if row.cell(wanted).answer
        and not row.service_linked
        and row.name not in expected
        and not reviewed.covers(row.name, wanted, today)
    )


@check(5, known_bad=lambda: ((_ANYBODY_BECOMES_IT,), "ci", _NO_REVIEWS, _TODAY))
def check_role_assumption(
    paths: Iterable[AssumptionPath], role: str, reviewed: ReviewedPrincipals, today: date
) -> CheckResult:
    """Only reviewed principals can become the role, directly or through other roles."""
    return CheckResult.of(
        unreviewed_assumption(each, role, reviewed) for each in paths if not reviewed.covers(each.name, "become", today)
    )


@check(5, known_bad=lambda: (_account(_statements()),))
def check_no_wildcard(facts: AccessFacts) -> CheckResult:
    """No Allow in the policies of repository and registry is for a wildcard principal or a NotPrincipal."""
    return CheckResult.of(each for policy in resource_policies(facts) for each in _wildcard_principals(policy))


def _wildcard_principals(policy: Policy) -> Iterator[Rejection]:
    """One for each statement that allows something to a wildcard principal or by NotPrincipal."""
    for statement in policy.statements:
        wild = [f"{kind}: {value}" for kind, value in statement.principals if set("*?") & set(value)]
        if statement.allows and (wild or statement.excepting_principals):
            named = ", ".join(wild) or "NotPrincipal"
            cause = f"{statement.label} allows {', '.join(statement.actions)} to a wildcard principal ({named})"
            yield Rejection(cause, statement.label, "name each principal there; a condition does not replace that")


@check(5, known_bad=lambda: (_account(_statements()), _only_ci_pushes(), _TODAY))
def check_reviewed_policy(facts: AccessFacts, reviewed: ReviewedPolicy, today: date) -> CheckResult:
    """The repository policy is the reviewed one, statement by statement."""
    where, remedy = f"repository policy of {facts.repository}", f"set the one in {reviewed.where}"
    if facts.repository_policy is None:
        return reject(f"The repository {facts.repository} has no policy", where, remedy)
    try:
        policy = parse(facts.repository_policy, Kind.RESOURCE)
    except GateError as error:
        return reject(error.cause, error.where, error.remedy)
    if not policy.statements:
        return reject(f"The repository policy of {facts.repository} is empty", where, remedy)
    if reviewed.reviewed_on > today:
        cause = f"The reviewed policy is dated {reviewed.reviewed_on}, which is after today, {today}"
        return reject(cause, reviewed.where, "have the policy reviewed, and date the review")
    if public := tuple(_wildcard_principals(reviewed.policy)):
        # Before any difference, because the remedy for a difference would be to set this public policy.
        return CheckResult(public)
    remedy = f"set the policy in {reviewed.where} again, or have the new one reviewed (role: {reviewed.reviewed_by})"
    found = differences(*(without_deleted(each, facts) for each in (reviewed.policy, policy)))
    by = f"as {reviewed.reviewed_by} reviewed it on {reviewed.reviewed_on}"
    return CheckResult.of(Rejection(f"The repository policy is not {by}: {line}", where, remedy) for line in found)


@check(5, known_bad=lambda: (ReviewedPrincipals("principals.yaml", (_EXPIRED_YESTERDAY,)), _TODAY))
def check_reviewed_principals(reviewed: ReviewedPrincipals, today: date) -> CheckResult:
    """No review has expired, and no principal is listed twice."""
    rejections, seen = [], dict[str, Review]()
    for entry in reviewed.entries:
        at = f"{reviewed.where}, line {entry.line}"
        if entry.expires < today:
            cause = f"The review of {entry.principal} expired on {entry.expires}"
            rejections.append(Rejection(cause, at, f"have it reviewed again (role: {entry.reviewer}), or remove it"))
        if earlier := seen.get(entry.principal):
            cause = f"{entry.principal} is listed twice, in lines {earlier.line} and {entry.line}"
            rejections.append(Rejection(cause, at, "keep one entry"))
        seen.setdefault(entry.principal, entry)
    return CheckResult.of(rejections)


@check(5, known_bad=lambda: (_disagreement(), ("ci",)))
def check_simulations(facts: AccessFacts, roles: tuple[str, ...]) -> CheckResult:
    """SimulatePrincipalPolicy decides as this gate does, wherever both can decide.

    Args:
        facts: what was read from the account, with the answers of the simulator.
        roles: the roles for which there must be answers.
    """
    asked = {each.principal for each in facts.simulations}
    rejections = [
        Rejection(f"SimulatePrincipalPolicy was never asked about {name}", name, "see why the role could not be read")
        for name in roles
        if (role := facts.role(name)) is None or role.arn not in asked
    ]
    known, context = escalation_of(facts).account.principals, of_request(facts)
    for each in facts.simulations:
        if each.principal in known and not each.missing_context and not each.organization_denies:
            ours = identity_part(known[each.principal], AccessRequest(each.action, each.resource, (), context))
            if ours.answer is not Ternary.UNDECIDED and (ours.answer is Ternary.YES) != each.allowed:
                rejections.append(disagreement(each, ours))
    return CheckResult.of(rejections)


def expected_holders(facts: AccessFacts, wanted: str, ci_role: str, lambda_role: str) -> tuple[str, ...]:
    """The principals that the story gives a permission group: push to the CI role, pull to Lambda's role and service.

    `check_lambda_service` checks that Lambda cannot pull for other accounts.
    """
    names = {"push": (ci_role,), "pull": (lambda_role,)}.get(wanted, ())
    services = service_names(LAMBDA, facts.account) if wanted == "pull" else ()
    return (*(role.arn for name in names if (role := facts.role(name))), *services)


def unused(matrix: Matrix, reviewed: ReviewedPrincipals) -> tuple[str, ...]:
    """The reviews, by line, of access that the principal does not have."""
    held = {(row.name, name) for row in matrix.rows for name, cell in row.cells if cell.answer}
    return tuple(
        f"{reviewed.where}, line {entry.line}: {entry.principal} does not have {name!r}"
        for entry in reviewed.entries
        for name in entry.may
        if (entry.principal, name) not in held
    )
