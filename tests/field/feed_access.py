"""Feeds policies to the readers and checks of access, in the small account of tests/access."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import yaml

from gate.access import permission_checks as checks
from gate.access import reviewed_principals
from gate.access.access_facts import AccessFacts, Network, Simulation
from gate.access.document import Kind, parse
from gate.access.matrix import access_matrix
from gate.access.reviewed_policy import ReviewedPolicy
from gate.access.trust import who_can_assume
from gate.check import CheckResult
from tests.access.conftest import REVIEWED, arn, identity, make_account, text

TODAY = date(2025, 10, 18)
NOBODY_ELSE = "Nobody can <do what> but those whom the story names and those who were reviewed"


def policies(scenario: str, given: dict[str, Any], _folder: Path) -> CheckResult:
    """The account with these policies.

    Of `given`: `policy`, `repository`, `registry`, `ci`, `developer`, `trust` (of the CI role) as in
    tests/access/conftest.py, `organization`, `network`; `may`: who was reviewed, for which groups; `power`: the group
    of the scenario; `denied`: actions that the simulator says an organization's policy denies; `service_linked`:
    by service, the statements of the role that it made for itself.
    """
    given = dict(given)
    linked = tuple(
        identity(f"aws-service-role/{service}.amazonaws.com/AWSServiceRole", statements=statements)
        for service, statements in given.pop("service_linked", {}).items()
    )
    may, group, denied = given.pop("may", {}), given.pop("power", "push"), given.pop("denied", [])
    network = Network(**{key: tuple(each) if isinstance(each, list) else each
                         for key, each in given.pop("network", {}).items()})  # fmt: skip
    simulations = tuple(Simulation(arn("ci"), action, "*", False, organization_denies=True) for action in denied)
    facts = make_account(**given, network=network, simulations=simulations, more=linked)
    return _checked(scenario, facts, _reviews(may), group)


def _reviews(may: dict[str, list[str]]) -> reviewed_principals.ReviewedPrincipals:
    entries = [
        {"principal": who, "may": what, "reason": "r", "reviewer": "a role", "expires": date(2026, 1, 1)}
        for who, what in may.items()
    ]
    return reviewed_principals.read(yaml.safe_dump({"principals": entries}), "principals.yaml")


def _checked(
    scenario: str, facts: AccessFacts, reviews: reviewed_principals.ReviewedPrincipals, group: str
) -> CheckResult:
    if scenario == NOBODY_ELSE:
        matrix = access_matrix(facts, who_can_assume(facts, "ci"), ci_role="ci")
        expected = checks.expected_holders(facts, group, "ci", "runner")
        return checks.check_nobody_else(matrix, group, reviews, TODAY, expected)
    return {
        "The CI role can push": lambda: checks.check_holds(facts, "ci", "push"),
        "Lambda can pull for this account's function, and for nobody else's": lambda: (
            checks.check_holds(facts, "runner", "pull") + checks.check_lambda_service(facts)
        ),
        "Nobody but reviewed subjects can become the CI role": lambda: checks.check_role_assumption(
            who_can_assume(facts, "ci"), "ci", reviews, TODAY
        ),
        "No wildcard principal is allowed anything": lambda: checks.check_no_wildcard(facts),
        "The repository policy is the one that was reviewed": lambda: checks.check_reviewed_policy(
            facts, _baseline(), TODAY
        ),
    }[scenario]()


def _baseline() -> ReviewedPolicy:
    return ReviewedPolicy("repository-policy.json", "a role", TODAY, parse(text("reviewed", REVIEWED), Kind.RESOURCE))
