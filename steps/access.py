"""The wording of the claims about access: who can push, pull, change the rules, and become the role that pushes."""

from collections import Counter

import pytest
from pytest_bdd import given, parsers, then, when

from gate.access import baseline, permission_checks, reviewed
from gate.access.evaluate import resource_policies
from gate.access.facts import ASKED
from gate.access.matrix import draw, plain
from gate.access.powers import spelled_out
from gate.access.trust import who_becomes
from gate.check import require
from gate.gaps import told


@pytest.fixture
def today(now):
    """The day on which reviews have to be in force."""
    return now().date()


@pytest.fixture
def principals(run):
    """The reviewed list, beside the image."""
    return reviewed.load(run.options.image_context / "principals.yaml")


@given("every policy that speaks about the repository", target_fixture="access")
def every_policy(account, evidence):
    """Identities, repository, registry, and the simulator's answers."""
    access = account.access_facts()
    read = {
        "repository": access.repository_arn,
        "identities": told(lambda: {who.arn: [policy.source for policy in who.policies] for who in access.identities}),
        "organization": told(lambda: access.organization),
        "functions": told(lambda: access.functions),
        "repository policy": told(lambda: access.repository_policy),
        "registry policy": told(lambda: access.registry_policy),
    }
    evidence.add("policies that were read", read, asked=ASKED)
    return access


@when("each permission that a push takes is asked of the CI role")
def push_asked(access, release, evidence):
    """Who it is, and what speaks for it."""
    evidence.add("CI role", access.role(release.ci_role), asked=f"aws iam get-role --role-name {release.ci_role}; …")


@then("the CI role holds all of them")
def ci_holds_push(access, release):
    """Undecided counts as denied."""
    require(permission_checks.check_holds(access, release.ci_role, "push"))


@when("each permission that a pull takes is asked of Lambda")
def pull_asked(access, release, evidence):
    """The execution role; the service is known by the repository policy."""
    role = access.role(release.lambda_role)
    evidence.add("Lambda execution role", role, asked=f"aws iam get-role --role-name {release.lambda_role}; …")


@then("the execution role holds all of them")
def lambda_role_holds_pull(access, release):
    """Undecided counts as denied."""
    require(permission_checks.check_holds(access, release.lambda_role, "pull"))


@then("the Lambda service holds them for the function of this account alone")
def lambda_service_bound(access):
    """Bound by aws:sourceArn or aws:SourceAccount."""
    require(permission_checks.check_lambda_service(access))


@when("everybody is asked about every power", target_fixture="matrix")
def everybody_asked(access, release, principals, today, run, evidence):
    """The who-can matrix, and reviews that nobody needs."""
    matrix = draw(access, who_becomes(access, release.ci_role), ci_role=release.ci_role)
    drawn = {**plain(matrix), "unused reviews": permission_checks.unused(matrix, principals)}
    evidence.add("who can do what", drawn, asked=ASKED)
    run.facts.matrix, run.facts.reviewed = matrix, principals.pairs(today)
    return matrix


@then(parsers.parse('nobody else has any part of the power "{power}"'))
def nobody_else(matrix, access, release, principals, today, power):
    """Undecided counts as allowed."""
    expected = permission_checks.expected_holders(access, power, release.ci_role, release.lambda_role)
    require(permission_checks.check_nobody_else(matrix, power, principals, today, expected))


@when("everybody is asked whether they can become the CI role, through other roles too", target_fixture="becoming")
def becoming_asked(access, release, evidence):
    """By trust, by rewriting it, by passing the role, by changing one's own policies, or by way of others."""
    becoming = who_becomes(access, release.ci_role)
    asked = f"aws iam get-role --role-name {release.ci_role}; aws iam get-account-authorization-details"
    evidence.add("who can become the CI role", becoming, asked=asked)
    return becoming


@then("each of them was reviewed for it")
def becoming_reviewed(becoming, release, principals, today):
    """Subjects by their whole pattern."""
    require(permission_checks.check_becoming(becoming, release.ci_role, principals, today))


@when("the policies on repository and registry are read")
def resource_policies_read(access, evidence):
    """Both can let outsiders in."""
    read = {policy.source: spelled_out(policy) for policy in resource_policies(access)}
    evidence.add("resource policies", read, asked="aws ecr get-repository-policy; aws ecr get-registry-policy")


@then("each allowing statement names its principals")
def no_wildcard(access):
    """Conditions do not make a wildcard a name."""
    require(permission_checks.check_no_wildcard(access))


@when("the repository policy is held against the reviewed one", target_fixture="reviewed_policy")
def held_against_baseline(access, run, evidence):
    """Who reviewed it and when stands in the file."""
    wanted = baseline.load(run.options.image_context / "repository-policy.json")
    evidence.add(
        "reviewed repository policy",
        wanted,
        asked=f"aws ecr get-repository-policy --repository-name {access.repository}",
    )
    return wanted


@then("they say the same, statement by statement")
def policy_is_reviewed(access, reviewed_policy, today):
    """Order and formatting are no difference."""
    require(permission_checks.check_baseline(access, reviewed_policy, today))


@given("the reviewed list of principals")
def reviewed_list(principals, evidence):
    """As it stands in the file."""
    evidence.add("reviewed principals", principals, asked=principals.where)


@when("each review is held against today")
def reviews_held_against_today(principals, today, evidence):
    """When each of them ends."""
    ends = {each.principal: each.expires for each in principals.entries}
    evidence.add("reviews end", {"today": today, "ends": ends}, asked=principals.where)


@then("none has expired and none is there twice")
def reviews_in_force(principals, today):
    """Each by its line."""
    require(permission_checks.check_reviews(principals, today))


@when("SimulatePrincipalPolicy is asked about every role and user")
def simulator_asked(access, evidence):
    """How many answers, and which need a context that only a request has."""
    answers = Counter("allowed" if each.allowed else "denied" for each in access.simulations)
    undecided = [each for each in access.simulations if each.missing_context]
    evidence.add("simulator", {"answers": answers, "without context": undecided}, asked=ASKED)


@then("it decides as the gate does wherever it can decide")
def simulator_agrees(access, release):
    """A disagreement is named with both answers."""
    require(permission_checks.check_simulations(access, (release.ci_role, release.lambda_role)))
