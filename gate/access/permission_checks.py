"""The checks of criterion 5: who has to be able to push and pull, and who must not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from gate.access import known_bad
from gate.access.decision import Decision, Ternary
from gate.access.document import Kind, Policy, parse
from gate.access.escalation import escalation_of
from gate.access.evaluation import AccessRequest, identity_part, may, registry_request, resource_policies
from gate.access.external_principals import service_names
from gate.access.facts import AccessFacts, Simulation
from gate.access.matrix import Cell, Matrix, PrincipalRow, principals
from gate.access.permission_groups import group, required_for
from gate.access.principal import account_principal
from gate.access.remedies import remedy_for_missing, remedy_for_too_much
from gate.access.request_context import LAMBDA, of_own_calls, of_request
from gate.access.reviewed_policy import ReviewedPolicy, differences, without_deleted
from gate.access.reviewed_principals import Review, ReviewedPrincipals
from gate.access.trust import AssumptionPath
from gate.check import CheckResult, Rejection, check, reject
from gate.errors import GateError
from gate.gaps import Gap, had


@check(5, known_bad=lambda: (known_bad.nobody_may(), "ci", "push"))
def check_holds(facts: AccessFacts, role: str, wanted: str) -> CheckResult:
    """The role has every permission that the power takes; what cannot be decided counts as denied.

    Args:
        facts: what was read from the account.
        role: the role's name.
        wanted: the power's name, "push" or "pull".
    """
    identity = facts.role(role)
    if identity is None:
        return reject(
            f"The account {facts.account} has no role {role}", "iam:GetRole", "create it, or correct pytest.ini"
        )
    own = of_own_calls(facts, from_ci=wanted == "push")
    principal, request = account_principal(identity, facts), registry_request(facts, own)
    decisions = [
        (action, may(principal, request(action, on_repository))) for action, on_repository in required_for(wanted)
    ]
    lacking = _lacks(identity.arn, wanted, facts, decisions)
    return CheckResult.of(
        (*lacking, *_denied_by_organization(facts, identity.arn, [action for action, _ in decisions]))
    )


@check(5, known_bad=lambda: (known_bad.open_to_lambda(),))
def check_lambda_service(facts: AccessFacts) -> CheckResult:
    """The Lambda service can pull for the function of this account, and for no other account's functions."""
    request = registry_request(facts)
    own, other = service_names(LAMBDA, facts.account)
    by_name = {principal.name: principal for principal in principals(facts)}
    actions = [action for action, _ in required_for("pull")]
    here = [(action, may(by_name[own], request(action, True))) for action in actions]
    there = ((action, may(by_name[other], request(action, True))) for action in actions)
    unbound = (_unbound(facts, action, decision) for action, decision in there if decision.answer)
    return CheckResult.of((*_lacks(f"{LAMBDA} on behalf of {facts.function_arn}", "pull", facts, here), *unbound))


@check(5, known_bad=lambda: (known_bad.open_matrix(), "push", known_bad.no_reviews(), known_bad.TODAY))
def check_nobody_else(
    matrix: Matrix, wanted: str, reviewed: ReviewedPrincipals, today: date, expected: tuple[str, ...] = ()
) -> CheckResult:
    """Nobody but the expected and the reviewed has any part of the power; what cannot be decided counts as allowed.

    A service-linked role is AWS itself at work for the account, as the account's settings ask it to (a scan, a
    replication): who may change those settings is checked as the power over the rules.
    """
    return CheckResult.of(
        _stranger(row, wanted, matrix.repository, reviewed)
        for row in matrix.rows
        if row.cell(wanted).answer
        and not row.service_linked
        and row.name not in expected
        and not reviewed.covers(row.name, wanted, today)
    )


@check(5, known_bad=lambda: (known_bad.assumption_paths(), "ci", known_bad.no_reviews(), known_bad.TODAY))
def check_role_assumption(
    assumption_paths: Iterable[AssumptionPath], role: str, reviewed: ReviewedPrincipals, today: date
) -> CheckResult:
    """Nobody but reviewed subjects can become the role, neither at once nor through another role."""
    return CheckResult.of(
        _becomes(each, role, reviewed) for each in assumption_paths if not reviewed.covers(each.name, "become", today)
    )


@check(5, known_bad=lambda: (known_bad.public(),))
def check_no_wildcard(facts: AccessFacts) -> CheckResult:
    """No allowing statement on repository or registry names everybody, or everybody but some."""
    return CheckResult.of(rejection for policy in resource_policies(facts) for rejection in _to_everybody(policy))


@check(5, known_bad=lambda: (known_bad.public(), known_bad.baseline(), known_bad.TODAY))
def check_reviewed_policy(facts: AccessFacts, baseline: ReviewedPolicy, today: date) -> CheckResult:
    """The repository policy says what was reviewed, statement by statement."""
    where = f"repository policy of {facts.repository}"
    if facts.repository_policy is None:
        return reject(f"The repository {facts.repository} has no policy", where, f"set the one in {baseline.where}")
    try:
        policy = parse(facts.repository_policy, Kind.RESOURCE)
    except GateError as error:
        return reject(error.cause, error.where, error.remedy)
    if not policy.statements:
        return reject(
            f"The repository policy of {facts.repository} is empty", where, f"set the one in {baseline.where}"
        )
    if baseline.reviewed_on > today:
        cause = f"The reviewed policy is dated {baseline.reviewed_on}, which is after today, {today}"
        return reject(cause, baseline.where, "have the policy reviewed, and date the review")
    if public := tuple(_to_everybody(baseline.policy)):
        # Before any difference: its way out would be to open the repository.
        return CheckResult(public)
    remedy = f"set the policy in {baseline.where} again, or have the new one reviewed (role: {baseline.reviewed_by})"
    found = differences(*(without_deleted(each, facts) for each in (baseline.policy, policy)))
    by = f"as {baseline.reviewed_by} reviewed it on {baseline.reviewed_on}"
    return CheckResult.of(Rejection(f"The repository policy is not {by}: {line}", where, remedy) for line in found)


@check(5, known_bad=lambda: (known_bad.expired_reviews(), known_bad.TODAY))
def check_reviewed_principals(reviewed: ReviewedPrincipals, today: date) -> CheckResult:
    """Every entry of the reviewed list is in force, and no principal is listed twice."""
    rejections, seen = [], dict[str, Review]()
    for entry in reviewed.entries:
        at = f"{reviewed.where}, line {entry.line}"
        if entry.expires < today:
            cause = f"The review of {entry.principal} expired on {entry.expires}"
            rejections.append(Rejection(cause, at, f"have it reviewed again (role: {entry.reviewer}), or take it out"))
        if earlier := seen.get(entry.principal):
            cause = f"{entry.principal} is listed twice, in lines {earlier.line} and {entry.line}"
            rejections.append(Rejection(cause, at, "keep one entry"))
        seen.setdefault(entry.principal, entry)
    return CheckResult.of(rejections)


@check(5, known_bad=lambda: (known_bad.disagreement(), ("ci",)))
def check_simulations(facts: AccessFacts, roles: tuple[str, ...]) -> CheckResult:
    """Where SimulatePrincipalPolicy can decide the identity part, it decides as this gate does.

    Args:
        facts: what was read, the simulator's answers among it.
        roles: the roles that the simulator must have been asked about.
    """
    asked = {each.principal for each in facts.simulations}
    known = escalation_of(facts).account.principals
    missing = [name for name in roles if (role := facts.role(name)) is None or role.arn not in asked]
    silent = (
        Rejection(f"SimulatePrincipalPolicy was never asked about {name}", name, "see why the role could not be read")
        for name in missing
    )
    context = of_request(facts)
    rejections = []
    for each in facts.simulations:
        if each.principal in known and not each.missing_context and not each.organization_denies:
            ours = identity_part(known[each.principal], AccessRequest(each.action, each.resource, (), context))
            if ours.answer is not Ternary.UNDECIDED and (ours.answer is Ternary.YES) != each.allowed:
                rejections.append(_disagreement(each, ours))
    return CheckResult.of((*silent, *rejections))


def expected_holders(facts: AccessFacts, wanted: str, ci_role: str, lambda_role: str) -> tuple[str, ...]:
    """Those to whom the story gives a power: pushing to the CI role, pulling to the Lambda role and service.

    What Lambda may pull for other accounts is another claim's matter (`check_lambda_service`).
    """
    names = {"push": (ci_role,), "pull": (lambda_role,)}.get(wanted, ())
    services = service_names(LAMBDA, facts.account) if wanted == "pull" else ()
    return (*(role.arn for name in names if (role := facts.role(name))), *services)


def unused(matrix: Matrix, reviewed: ReviewedPrincipals) -> tuple[str, ...]:
    """Entries of the reviewed list, by line, that cover something nobody has."""
    held = {(row.name, name) for row in matrix.rows for name, cell in row.cells if cell.answer}
    return tuple(
        f"{reviewed.where}, line {entry.line}: {entry.principal} has nothing to do with {name!r}"
        for entry in reviewed.entries
        for name in entry.may
        if (entry.principal, name) not in held
    )


def _to_everybody(policy: Policy) -> Iterator[Rejection]:
    for statement in policy.statements:
        wild = [f"{kind}: {value}" for kind, value in statement.principals if set("*?") & set(value)]
        if statement.allows and (wild or statement.excepting_principals):
            named = ", ".join(wild) or "NotPrincipal"
            cause = f"{statement.label} allows {', '.join(statement.actions)} to a wildcard principal ({named})"
            yield Rejection(cause, statement.label, "name each principal there; a condition is no principal")


def _lacks(who: str, wanted: str, facts: AccessFacts, decisions: Iterable[tuple[str, Decision]]) -> Iterator[Rejection]:
    by_reason: dict[Decision, list[str]] = {}
    for action, decision in decisions:
        if decision.answer is not Ternary.YES:
            by_reason.setdefault(decision, []).append(action)
    for decision, actions in by_reason.items():
        state = "denied" if decision.answer is Ternary.NO else "undecided, which counts as denied"
        cause = f"{who} cannot {group(wanted).verb} {facts.repository}: {', '.join(actions)} {state}"
        remedy = remedy_for_missing(decision, wanted, facts)
        yield Rejection(f"{cause} ({_shortly(decision.because)})", facts.repository_arn, remedy)


def _denied_by_organization(facts: AccessFacts, arn: str, actions: list[str]) -> Iterator[Rejection]:
    asked = had(lambda: facts.simulations)
    # A simulator that could not be asked is the matter of the one claim that is about it.
    for each in () if isinstance(asked, Gap) else asked:
        # An answer for want of context is none: the organization's condition may well hold for a real request.
        if each.principal == arn and each.action in actions and each.organization_denies and not each.missing_context:
            cause = f"A policy of the organization denies {each.action} to {arn}"
            yield Rejection(cause, "SimulatePrincipalPolicy", "ask those who keep the organization's policies why")


def _unbound(facts: AccessFacts, action: str, decision: Decision) -> Rejection:
    cause = f"{LAMBDA} may use {action} on {facts.repository} for functions of other accounts"
    return Rejection(
        f"{cause} ({_shortly(decision.because)})",
        decision.because[0],
        f"add a condition to the statement: StringEquals aws:SourceAccount {facts.account}, or aws:sourceArn",
    )


def _stranger(row: PrincipalRow, wanted: str, repository: str, reviewed: ReviewedPrincipals) -> Rejection:
    cell: Cell = row.cell(wanted)
    if cell.path and cell.path.steps:
        can = _can(cell.answer)
        cause = f"{row.name} {can} {cell.path.sentence}, and so {group(wanted).verb} {repository}"
    else:
        can = "may" if cell.answer is Ternary.YES else "may, for all that can be decided,"
        cause = f"{row.name} {can} {group(wanted).verb} {repository} ({', '.join(cell.actions()[:4])})"
    remedy = remedy_for_too_much(row.name)
    return Rejection(f"{cause}; {_review_of(row.name, wanted, reviewed)}", _shortly(cell.because()), remedy)


def _becomes(each: AssumptionPath, role: str, reviewed: ReviewedPrincipals) -> Rejection:
    through = f", through {' → '.join(each.path)}" if each.path[1:] else ""
    can = _can(each.decision.answer)
    # Assuming the role, or one after the other, is said by the way there already.
    changes = [step for step in each.steps if not step.startswith("sts:AssumeRole on ")]
    by = f" ({', then '.join(each.steps)})" if changes else ""
    cause = f"{each.name} {can} become the role {role}{through}{by}; {_review_of(each.name, 'become', reviewed)}"
    return Rejection(cause, _shortly(each.decision.because), remedy_for_too_much(each.name))


def _can(answer: Ternary) -> str:
    return "can" if answer is Ternary.YES else "can, for all that can be decided,"


def _review_of(name: str, wanted: str, reviewed: ReviewedPrincipals) -> str:
    for entry in reviewed.entries:
        if entry.principal == name and wanted in entry.may:
            return f"its review expired on {entry.expires} ({reviewed.where}, line {entry.line})"
    return f"it is not on the reviewed list for {wanted!r}"


def _disagreement(each: Simulation, ours: Decision) -> Rejection:
    answers = ("allows", "denies") if each.allowed else ("denies", "allows")
    cause = (
        f"AWS's simulator {answers[0]} {each.action} to {each.principal}, and this gate's evaluation {answers[1]} it"
    )
    return Rejection(
        cause, f"{each.resource}: {_shortly(ours.because)}", "trust neither: read the policies of this principal"
    )


def _shortly(because: tuple[str, ...], most: int = 3) -> str:
    more = f"; and {len(because) - most} more" if len(because) > most else ""
    return "; ".join(because[:most]) + more
