"""The rejections of criterion 5: what is wrong, where, and a remedy that never weakens a Deny or a condition."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gate.access.access_facts import AccessFacts, Simulation
from gate.access.decision import Decision, Ternary
from gate.access.evaluation import resource_policies
from gate.access.external_principals import deleted
from gate.access.matrix import PrincipalRow
from gate.access.permission_groups import permission_group
from gate.access.request_context import LAMBDA, NETWORK_SETTINGS, ORGANIZATION_SETTINGS
from gate.access.reviewed_principals import ReviewedPrincipals, too_wide
from gate.access.trust import AssumptionPath
from gate.check import Rejection
from gate.missing_facts import MissingFact, fact_or_missing


def missing_permissions(
    who: str, wanted: str, facts: AccessFacts, decisions: Iterable[tuple[str, Decision]]
) -> Iterator[Rejection]:
    """One for each reason for which actions of the permission group `wanted` are denied or undecided."""
    by_reason: dict[Decision, list[str]] = {}
    for action, decision in decisions:
        if decision.answer is not Ternary.YES:
            by_reason.setdefault(decision, []).append(action)
    for decision, actions in by_reason.items():
        state = "denied" if decision.answer is Ternary.NO else "undecided, which counts as denied"
        cause = f"{who} cannot {permission_group(wanted).verb} {facts.repository}: {', '.join(actions)} {state}"
        remedy = _remedy_for_missing(decision, wanted, facts)
        yield Rejection(f"{cause} ({_shortened(decision.because)})", facts.repository_arn, remedy)


def depends_on_network(decision: Decision) -> bool:
    """Whether a Deny is undecided because the network of the requests is not known, and for no other reason."""
    keys = {key.lower() for key in decision.keys}
    undecided = decision.answer is Ternary.UNDECIDED and decision.denied
    return undecided and bool(keys) and keys <= NETWORK_SETTINGS.keys()


def denied_by_organization(facts: AccessFacts, arn: str, actions: Iterable[str]) -> Iterator[Rejection]:
    """One for each of the actions that the simulator says a policy of the organization denies."""
    answers = fact_or_missing(lambda: facts.simulations)
    # If the simulator could not be called, the scenario about the simulator reports it.
    for each in () if isinstance(answers, MissingFact) else answers:
        # Without its context the answer is not reliable: the organization's condition may hold for a real request.
        if each.principal == arn and each.action in actions and each.organization_denies and not each.missing_context:
            cause = f"A policy of the organization denies {each.action} to {arn}"
            yield Rejection(cause, "SimulatePrincipalPolicy", "ask the owners of the organization's policies why")


def lambda_of_other_accounts(facts: AccessFacts, action: str, decision: Decision) -> Rejection:
    """Lambda may use the action for functions of other accounts."""
    return Rejection(
        f"{LAMBDA} may use {action} on {facts.repository} for functions of other accounts "
        f"({_shortened(decision.because)})",
        decision.because[0],
        f"add a condition to the statement: StringEquals aws:SourceAccount {facts.account}, or aws:sourceArn",
    )


def unreviewed_access(row: PrincipalRow, wanted: str, repository: str, reviewed: ReviewedPrincipals) -> Rejection:
    """A principal has actions of the permission group `wanted`, or can get them, without a review."""
    cell = row.cell(wanted)
    if cell.path:
        method = f"{_can(cell.answer)} {cell.path}, and so {permission_group(wanted).verb} {repository}"
    else:
        may = "may" if cell.answer is Ternary.YES else "might be allowed to"
        method = f"{may} {permission_group(wanted).verb} {repository} ({', '.join(cell.actions()[:4])})"
    cause = f"{row.name} {method}; {_review_of(row.name, wanted, reviewed)}"
    return Rejection(cause, _shortened(cell.because()), _remedy_for_unreviewed(row.name))


def unreviewed_assumption(each: AssumptionPath, role: str, reviewed: ReviewedPrincipals) -> Rejection:
    """A principal can become the role without a review."""
    through = f", through {' → '.join(each.path)}" if each.path[1:] else ""
    # The path already says which roles are assumed; the steps are shown if they change something as well.
    changes = any(not step.startswith("sts:AssumeRole on ") for step in each.steps)
    steps = f" ({', then '.join(each.steps)})" if changes else ""
    can = f"{each.name} {_can(each.decision.answer)} become the role {role}{through}{steps}"
    cause = f"{can}; {_review_of(each.name, 'become', reviewed)}"
    return Rejection(cause, _shortened(each.decision.because), _remedy_for_unreviewed(each.name))


def disagreement(each: Simulation, ours: Decision) -> Rejection:
    """SimulatePrincipalPolicy and the gate decide differently."""
    theirs, own = ("allows", "denies") if each.allowed else ("denies", "allows")
    return Rejection(
        f"AWS's simulator {theirs} {each.action} to {each.principal}, and this gate's evaluation {own} it",
        f"{each.resource}: {_shortened(ours.because)}",
        "trust neither: read the policies of this principal",
    )


def _remedy_for_missing(decision: Decision, wanted: str, facts: AccessFacts) -> str:
    # The network of the CI role says nothing about the network that Lambda uses.
    settings = {**(NETWORK_SETTINGS if wanted == "push" else {}), **ORGANIZATION_SETTINGS}
    if stated := dict.fromkeys(settings[key.lower()] for key in decision.keys if key.lower() in settings):
        return f"state {' and '.join(stated)} in pytest.ini: this decides the condition, which stays as it is"
    if decision.answer is Ternary.UNDECIDED and decision.denied:
        return "ask the owners of the Deny whether it applies to this principal, or use one to which it does not"
    if decision.answer is Ternary.UNDECIDED:
        depends = f" that does not depend on {', '.join(decision.keys)}" if decision.keys else ""
        return f"grant it to this principal by a statement{depends}, which can be decided before the request"
    if decision.denied:
        return "use a principal to which the Deny does not apply, or ask its owners; the Deny stays as it is"
    if gone := deleted(resource_policies(facts), facts):
        return (
            f"set the reviewed policy again, with the principal's name: {gone[0][0]} in it is a deleted principal, "
            "and a new role with the same name is a different principal"
        )
    return "grant it to this principal on this repository only: docs/policies/ has the least-privilege policies"


def _remedy_for_unreviewed(name: str) -> str:
    if too_wide(name):
        return "replace the wildcard by the full names of the few that need it: a wildcard cannot be reviewed"
    return "remove the permission, or have the infra team review it and add the principal to principals.yaml"


def _can(answer: Ternary) -> str:
    return "can" if answer is Ternary.YES else "might be able to"


def _review_of(name: str, wanted: str, reviewed: ReviewedPrincipals) -> str:
    for entry in reviewed.entries:
        if entry.principal == name and wanted in entry.may:
            return f"its review expired on {entry.expires} ({reviewed.where}, line {entry.line})"
    return f"it is not on the reviewed list for {wanted!r}"


def _shortened(because: tuple[str, ...], most: int = 3) -> str:
    more = f"; and {len(because) - most} more" if len(because) > most else ""
    return "; ".join(because[:most]) + more
