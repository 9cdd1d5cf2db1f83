"""Steps of criterion 5: who can push, pull, change the settings, and assume the role that pushes."""

from collections import Counter

import pytest
from pytest_bdd import given, parsers, then, when

from gate.access import permission_checks, reviewed_policy, reviewed_principals
from gate.access.access_facts import ASKED
from gate.access.evaluation import resource_policies
from gate.access.matrix import access_matrix, plain
from gate.access.permission_groups import spelled_out
from gate.access.trust import who_can_assume
from gate.check import require
from gate.missing_facts import fact_or_reason


@pytest.fixture
def today(now):
    """The day on which the reviews must be in force."""
    return now().date()


@pytest.fixture(scope="session")
def principals(run):
    """The list of reviewed principals, in the image's folder."""
    return reviewed_principals.load(run.options.image_context / "principals.yaml")


@given("every policy that speaks about the repository", target_fixture="access")
def every_policy(account, evidence):
    """Identities, the policies of repository and registry, and the simulator's answers."""
    access = account.access_facts()
    read = {
        "repository": access.repository_arn,
        "identities": fact_or_reason(
            lambda: {who.arn: [policy.source for policy in who.policies] for who in access.identities}
        ),
        "organization": fact_or_reason(lambda: access.organization),
        "functions": fact_or_reason(lambda: access.functions),
        "repository policy": fact_or_reason(lambda: access.repository_policy),
        "registry policy": fact_or_reason(lambda: access.registry_policy),
    }
    evidence.add("policies that were read", read, asked=ASKED)
    return access


@when("each permission that a push requires is evaluated for the CI role")
def push_evaluated(access, release, evidence):
    """The role with its policies."""
    evidence.add("CI role", access.role(release.ci_role), asked=f"aws iam get-role --role-name {release.ci_role}; …")


@then("the CI role has all of them")
def ci_role_can_push(access, release):
    """Undecided counts as denied."""
    require(permission_checks.check_holds(access, release.ci_role, "push"))


@when("each permission that a pull requires is evaluated for Lambda")
def pull_evaluated(access, release, evidence):
    """The execution role; the Lambda service stands in the repository policy."""
    role = access.role(release.lambda_role)
    evidence.add("Lambda execution role", role, asked=f"aws iam get-role --role-name {release.lambda_role}; …")


@then("the execution role has all of them")
def lambda_role_can_pull(access, release):
    """Undecided counts as denied."""
    require(permission_checks.check_holds(access, release.lambda_role, "pull"))


@then("the Lambda service has them only for the function of this account")
def lambda_service_bound(access):
    """Limited by aws:SourceArn or aws:SourceAccount."""
    require(permission_checks.check_lambda_service(access))


@when("every permission group is evaluated for every principal", target_fixture="matrix")
def every_group_evaluated(access, release, principals, today, run, evidence):
    """The access matrix, and the reviews that are not used."""
    matrix = access_matrix(access, who_can_assume(access, release.ci_role), ci_role=release.ci_role)
    shown = {**plain(matrix), "unused reviews": permission_checks.unused(matrix, principals)}
    evidence.add("who can do what", shown, asked=ASKED)
    run.facts.matrix, run.facts.reviewed = matrix, principals.pairs(today)
    return matrix


@then(parsers.parse('no other principal has a permission of the group "{group}"'))
def nobody_else(matrix, access, release, principals, today, group):
    """Undecided counts as allowed."""
    expected = permission_checks.expected_holders(access, group, release.ci_role, release.lambda_role)
    require(permission_checks.check_nobody_else(matrix, group, principals, today, expected))


@when("every way to assume the CI role is evaluated, through other roles too", target_fixture="assumption_paths")
def role_assumption_evaluated(access, release, evidence):
    """By its trust policy, by rewriting that, by passing the role, by changing own policies, or through other roles."""
    asked = f"aws iam get-role --role-name {release.ci_role}; aws iam get-account-authorization-details"
    return evidence.add("who can become the CI role", who_can_assume(access, release.ci_role), asked=asked)


@then("every principal with such a way was reviewed for it")
def role_assumption_reviewed(assumption_paths, release, principals, today):
    """A federated subject is reviewed by its whole pattern."""
    require(permission_checks.check_role_assumption(assumption_paths, release.ci_role, principals, today))


@when("the policies on repository and registry are read")
def resource_policies_read(access, evidence):
    """Both can give access to external principals."""
    read = {policy.source: spelled_out(policy) for policy in resource_policies(access)}
    evidence.add("resource policies", read, asked="aws ecr get-repository-policy; aws ecr get-registry-policy")


@then("each allowing statement names its principals")
def no_wildcard(access):
    """A wildcard with a condition is a wildcard."""
    require(permission_checks.check_no_wildcard(access))


@when("the repository policy is compared with the reviewed one", target_fixture="reviewed")
def reviewed_policy_read(access, run, evidence):
    """The file also says who reviewed it and when."""
    wanted = reviewed_policy.load(run.options.image_context / "repository-policy.json")
    asked = f"aws ecr get-repository-policy --repository-name {access.repository}"
    return evidence.add("reviewed repository policy", wanted, asked=asked)


@then("they say the same, statement by statement")
def policy_is_reviewed(access, reviewed, today):
    """Order and formatting make no difference."""
    require(permission_checks.check_reviewed_policy(access, reviewed, today))


@given("the reviewed list of principals")
def reviewed_list(principals, evidence):
    """As in the file."""
    evidence.add("reviewed principals", principals, asked=principals.where)


@when("each review is compared with today's date")
def reviews_compared(principals, today, evidence):
    """The date on which each review ends."""
    ends = {each.principal: each.expires for each in principals.entries}
    evidence.add("reviews end", {"today": today, "ends": ends}, asked=principals.where)


@then("none has expired and no principal is listed twice")
def reviews_in_force(principals, today):
    """Rejections name the line."""
    require(permission_checks.check_reviewed_principals(principals, today))


@when("SimulatePrincipalPolicy is asked about every role and user")
def simulator_asked(access, evidence):
    """The number of answers, and those that lack the context of a real request."""
    answers = Counter("allowed" if each.allowed else "denied" for each in access.simulations)
    undecided = [each for each in access.simulations if each.missing_context]
    evidence.add("simulator", {"answers": answers, "without context": undecided}, asked=ASKED)


@then("it decides as the gate does wherever it can decide")
def simulator_agrees(access, release):
    """A rejection names both answers."""
    require(permission_checks.check_simulations(access, (release.ci_role, release.lambda_role)))
