"""The checks of criterion 5: who has to be able to push and pull, and who must not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from gate.access import known_bad
from gate.access.asker import insider, service_names
from gate.access.baseline import Baseline, differences, without_deleted
from gate.access.document import Kind, Policy, parse
from gate.access.evaluate import Request, identity_part, may, registry_request, resource_policies
from gate.access.facts import AccessFacts, Simulation
from gate.access.known import LAMBDA, of_own_calls, of_request
from gate.access.logic import Answer, Finding
from gate.access.matrix import Cell, Matrix, Row, askers
from gate.access.powers import needed_to, power
from gate.access.reach import reach_of
from gate.access.remedies import way_out, way_to_hold
from gate.access.reviewed import Entry, ReviewedList
from gate.access.trust import Becoming
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
    asker, request = insider(identity, facts), registry_request(facts, own)
    findings = [(action, may(asker, request(action, on_repository))) for action, on_repository in needed_to(wanted)]
    lacking = _lacks(identity.arn, wanted, facts, findings)
    return CheckResult.of((*lacking, *_denied_by_organization(facts, identity.arn, [action for action, _ in findings])))


@check(5, known_bad=lambda: (known_bad.open_to_lambda(),))
def check_lambda_service(facts: AccessFacts) -> CheckResult:
    """The Lambda service can pull for the function of this account, and for no other account's functions."""
    request = registry_request(facts)
    own, other = service_names(LAMBDA, facts.account)
    by_name = {asker.name: asker for asker in askers(facts)}
    actions = [action for action, _ in needed_to("pull")]
    here = [(action, may(by_name[own], request(action, True))) for action in actions]
    there = ((action, may(by_name[other], request(action, True))) for action in actions)
    unbound = (_unbound(facts, action, finding) for action, finding in there if finding.answer)
    return CheckResult.of((*_lacks(f"{LAMBDA} on behalf of {facts.function_arn}", "pull", facts, here), *unbound))


@check(5, known_bad=lambda: (known_bad.open_matrix(), "push", known_bad.no_reviews(), known_bad.TODAY))
def check_nobody_else(
    matrix: Matrix, wanted: str, reviewed: ReviewedList, today: date, expected: tuple[str, ...] = ()
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


@check(5, known_bad=lambda: (known_bad.becoming(), "ci", known_bad.no_reviews(), known_bad.TODAY))
def check_becoming(becoming: Iterable[Becoming], role: str, reviewed: ReviewedList, today: date) -> CheckResult:
    """Nobody but reviewed subjects can become the role, neither at once nor through another role."""
    return CheckResult.of(
        _becomes(each, role, reviewed) for each in becoming if not reviewed.covers(each.name, "become", today)
    )


@check(5, known_bad=lambda: (known_bad.public(),))
def check_no_wildcard(facts: AccessFacts) -> CheckResult:
    """No allowing statement on repository or registry names everybody, or everybody but some."""
    return CheckResult.of(rejection for policy in resource_policies(facts) for rejection in _to_everybody(policy))


@check(5, known_bad=lambda: (known_bad.public(), known_bad.baseline(), known_bad.TODAY))
def check_baseline(facts: AccessFacts, baseline: Baseline, today: date) -> CheckResult:
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
def check_reviews(reviewed: ReviewedList, today: date) -> CheckResult:
    """Every entry of the reviewed list is in force, and no principal is listed twice."""
    rejections, seen = [], dict[str, Entry]()
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
    known = reach_of(facts).estate.askers
    missing = [name for name in roles if (role := facts.role(name)) is None or role.arn not in asked]
    silent = (
        Rejection(f"SimulatePrincipalPolicy was never asked about {name}", name, "see why the role could not be read")
        for name in missing
    )
    context = of_request(facts)
    rejections = []
    for each in facts.simulations:
        if each.principal in known and not each.missing_context and not each.organization_denies:
            ours = identity_part(known[each.principal], Request(each.action, each.resource, (), context))
            if ours.answer is not Answer.UNDECIDED and (ours.answer is Answer.YES) != each.allowed:
                rejections.append(_disagreement(each, ours))
    return CheckResult.of((*silent, *rejections))


def expected_holders(facts: AccessFacts, wanted: str, ci_role: str, lambda_role: str) -> tuple[str, ...]:
    """Those to whom the story gives a power: pushing to the CI role, pulling to the Lambda role and service.

    What Lambda may pull for other accounts is another claim's matter (`check_lambda_service`).
    """
    names = {"push": (ci_role,), "pull": (lambda_role,)}.get(wanted, ())
    services = service_names(LAMBDA, facts.account) if wanted == "pull" else ()
    return (*(role.arn for name in names if (role := facts.role(name))), *services)


def unused(matrix: Matrix, reviewed: ReviewedList) -> tuple[str, ...]:
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


def _lacks(who: str, wanted: str, facts: AccessFacts, findings: Iterable[tuple[str, Finding]]) -> Iterator[Rejection]:
    by_reason: dict[Finding, list[str]] = {}
    for action, finding in findings:
        if finding.answer is not Answer.YES:
            by_reason.setdefault(finding, []).append(action)
    for finding, actions in by_reason.items():
        state = "denied" if finding.answer is Answer.NO else "undecided, which counts as denied"
        cause = f"{who} cannot {power(wanted).verb} {facts.repository}: {', '.join(actions)} {state}"
        remedy = way_to_hold(finding, wanted, facts)
        yield Rejection(f"{cause} ({_shortly(finding.because)})", facts.repository_arn, remedy)


def _denied_by_organization(facts: AccessFacts, arn: str, actions: list[str]) -> Iterator[Rejection]:
    asked = had(lambda: facts.simulations)
    # A simulator that could not be asked is the matter of the one claim that is about it.
    for each in () if isinstance(asked, Gap) else asked:
        # An answer for want of context is none: the organization's condition may well hold for a real request.
        if each.principal == arn and each.action in actions and each.organization_denies and not each.missing_context:
            cause = f"A policy of the organization denies {each.action} to {arn}"
            yield Rejection(cause, "SimulatePrincipalPolicy", "ask those who keep the organization's policies why")


def _unbound(facts: AccessFacts, action: str, finding: Finding) -> Rejection:
    cause = f"{LAMBDA} may use {action} on {facts.repository} for functions of other accounts"
    return Rejection(
        f"{cause} ({_shortly(finding.because)})",
        finding.because[0],
        f"add a condition to the statement: StringEquals aws:SourceAccount {facts.account}, or aws:sourceArn",
    )


def _stranger(row: Row, wanted: str, repository: str, reviewed: ReviewedList) -> Rejection:
    cell: Cell = row.cell(wanted)
    if cell.path and cell.path.steps:
        can = _can(cell.answer)
        cause = f"{row.name} {can} {cell.path.sentence}, and so {power(wanted).verb} {repository}"
    else:
        can = "may" if cell.answer is Answer.YES else "may, for all that can be decided,"
        cause = f"{row.name} {can} {power(wanted).verb} {repository} ({', '.join(cell.actions()[:4])})"
    remedy = way_out(row.name)
    return Rejection(f"{cause}; {_review_of(row.name, wanted, reviewed)}", _shortly(cell.because()), remedy)


def _becomes(each: Becoming, role: str, reviewed: ReviewedList) -> Rejection:
    through = f", through {' → '.join(each.path)}" if each.path[1:] else ""
    can = _can(each.finding.answer)
    # Assuming the role, or one after the other, is said by the way there already.
    changes = [step for step in each.steps if not step.startswith("sts:AssumeRole on ")]
    by = f" ({', then '.join(each.steps)})" if changes else ""
    cause = f"{each.name} {can} become the role {role}{through}{by}; {_review_of(each.name, 'become', reviewed)}"
    return Rejection(cause, _shortly(each.finding.because), way_out(each.name))


def _can(answer: Answer) -> str:
    return "can" if answer is Answer.YES else "can, for all that can be decided,"


def _review_of(name: str, wanted: str, reviewed: ReviewedList) -> str:
    for entry in reviewed.entries:
        if entry.principal == name and wanted in entry.may:
            return f"its review expired on {entry.expires} ({reviewed.where}, line {entry.line})"
    return f"it is not on the reviewed list for {wanted!r}"


def _disagreement(each: Simulation, ours: Finding) -> Rejection:
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
