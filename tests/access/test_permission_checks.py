"""The checks of criterion 5 say yes to the account as reviewed, and no, in a sentence, to whatever is worse."""

from dataclasses import replace
from datetime import date

import pytest

import gate.access.permission_checks as bench
from gate.access import reviewed_policy, reviewed_principals
from gate.access.access_facts import Simulation
from gate.access.decision import Decision, Ternary
from gate.access.document import PolicyText
from gate.access.matrix import access_matrix
from gate.access.rejections import missing_permissions, unreviewed_assumption
from gate.access.trust import AssumptionPath, who_can_assume
from gate.check import CHECKS, run_self_tests

ACCOUNT = "654654307503"
CI, RUNNER, DEVELOPER = (f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in ("ci", "runner", "developer"))
SUBJECT = "token.actions.githubusercontent.com:sub=repo:team/app:environment:production"
GROUPS = ("push", "pull", "delete", "rules", "replicate")
EVERYTHING = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]


def reviews(*entries):
    """A reviewed list of (principal, may, expires)."""
    made = (
        reviewed_principals.Review(who, tuple(may.split()), "a reason", "a role", date.fromisoformat(expires), line)
        for line, (who, may, expires) in enumerate(entries, 1)
    )
    return reviewed_principals.ReviewedPrincipals("principals.yaml", tuple(made))


def unreviewed(facts, group, today, listed=None):
    """The result of the check of unreviewed principals."""
    expected = bench.expected_holders(facts, group, "ci", "runner")
    return bench.check_nobody_else(access_matrix(facts), group, listed or reviews(), today, expected)


def causes(result):
    """The causes of the rejections, in one text."""
    return "\n".join(each.cause for each in result.rejections)


def as_reviewed(account_with):
    """The reviewed policy of the small account."""
    policy = account_with().repository_policy.document
    return reviewed_policy.read(
        f'{{"reviewed_by": "a role", "reviewed_on": "2025-10-01", "policy": {policy}}}', "policy.json"
    )


def test_every_check_of_access_is_on_the_list_and_says_no():
    """Each check of this module refuses its known-bad value, without crashing."""
    ours = {name for name in CHECKS if name.startswith("gate.access.")}
    assert len(ours) == 8
    assert all(CHECKS[name].criterion == 5 for name in ours)
    assert all(proof.said_no for proof in run_self_tests() if proof.check in ours)


@pytest.mark.parametrize("group", GROUPS)
def test_account_as_reviewed_has_no_unreviewed_access(group, account_with, today):
    """In the account as reviewed nobody else has any permission: no false alarm."""
    assert unreviewed(account_with(), group, today).accepted


def test_ci_and_lambda_hold_what_they_need(account_with):
    """In the account as reviewed the CI role pushes and Lambda pulls, as role and as service."""
    facts = account_with()
    assert bench.check_holds(facts, "ci", "push").accepted
    assert bench.check_holds(facts, "runner", "pull").accepted
    assert bench.check_lambda_service(facts).accepted


def test_missing_permission_is_named(account_with):
    """A CI role that may not log in is refused, and the missing action is named."""
    facts = account_with(ci=[{"Effect": "Allow", "Action": "ecr:*", "Resource": "arn:aws:ecr:*:*:repository/*"}])
    assert "ecr:GetAuthorizationToken denied" in causes(bench.check_holds(facts, "ci", "push"))


def test_undecided_counts_as_denied_for_ci(account_with):
    """A push that hangs on a condition nobody can decide is none, and the condition's key is named."""
    only_there = {"StringEquals": {"aws:SourceVpce": "vpce-1"}}
    statements = [{"Effect": "Allow", "Action": "ecr:*", "Resource": "*", "Condition": only_there}]
    found = causes(bench.check_holds(account_with(policy=[], ci=statements), "ci", "push"))
    assert "counts as denied" in found
    assert "aws:SourceVpce" in found


def test_role_that_does_not_exist_is_refused(account_with):
    """A role that the account does not have can do nothing."""
    assert "no role ghost" in causes(bench.check_holds(account_with(), "ghost", "push"))


def test_organization_that_denies_the_push_is_named(account_with):
    """An organization's Deny, which no policy of the account shows, is taken from the simulator."""
    denied = Simulation(CI, "ecr:PutImage", account_with().repository_arn, False, (), True)
    assert "organization denies ecr:PutImage" in causes(
        bench.check_holds(account_with(simulations=(denied,)), "ci", "push")
    )


@pytest.mark.parametrize(
    "condition",
    [
        {},
        {"StringLike": {"aws:SourceArn": "arn:aws:lambda:*:*:function:*"}},
        {"StringEqualsIfExists": {"aws:SourceOrgID": "o-1"}},
        {"StringEquals": {"aws:SourceAccount": ["654654307503", "111122223333"]}},
        {"StringNotEquals": {"aws:SourceAccount": "111122223333"}},
    ],
)
def test_lambda_service_that_is_not_bound_to_the_account_is_refused(condition, account_with):
    """Lambda acts for every customer: without the account in the condition anybody's function pulls."""
    pull = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    statement = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": pull}
    facts = account_with(policy=[{**statement, "Condition": condition}])
    assert "functions of other accounts" in causes(bench.check_lambda_service(facts))


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"aws:SourceAccount": "654654307503"}},
        {"ArnLike": {"AWS:SourceArn": "arn:aws:lambda:ap-northeast-2:654654307503:function:*"}},
        {"StringLike": {"aws:sourceArn": "arn:aws:lambda:*:654654307503:*"}},
    ],
)
def test_lambda_service_bound_either_way_is_accepted(condition, account_with):
    """aws:SourceAccount and aws:SourceArn both bind, in either case of letters."""
    pull = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    statement = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": pull}
    assert bench.check_lambda_service(account_with(policy=[{**statement, "Condition": condition}])).accepted


def test_the_first_of_the_statements_that_let_any_function_pull_is_the_place(account_with):
    """Where the same is allowed twice, the condition is missing in the first one first."""
    pull = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    statement = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": pull}
    facts = account_with(policy=[{**statement, "Sid": "First"}, {**statement, "Sid": "Second"}])
    places = {each.where for each in bench.check_lambda_service(facts).rejections}
    assert places == {"repository policy, statement 1 (First) allows it"}


def test_lambda_service_that_cannot_pull_is_refused(account_with):
    """A function of another name in the condition leaves our function without its image."""
    other = {"StringLike": {"aws:sourceArn": "arn:aws:lambda:ap-northeast-2:654654307503:function:other"}}
    pull = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    statement = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": pull}
    assert "cannot pull from" in causes(
        bench.check_lambda_service(account_with(policy=[{**statement, "Condition": other}]))
    )


@pytest.mark.parametrize("group", GROUPS)
def test_administrator_who_was_not_reviewed_is_refused_and_reviewed_is_accepted(group, account_with, today):
    """Full access is rejected until there is a review for that permission group."""
    facts = account_with(developer=EVERYTHING)
    assert DEVELOPER in causes(unreviewed(facts, group, today))
    assert unreviewed(facts, group, today, reviews((DEVELOPER, group, "2026-01-01"))).accepted
    others = " ".join(each for each in GROUPS if each != group)
    assert not unreviewed(facts, group, today, reviews((DEVELOPER, others, "2026-01-01"))).accepted


def test_expired_review_covers_nothing_and_is_named(account_with, today):
    """The day after its last an entry covers nobody; on its last day it still does."""
    facts = account_with(developer=EVERYTHING)
    assert unreviewed(facts, "push", today, reviews((DEVELOPER, "push", "2025-10-18"))).accepted
    found = causes(unreviewed(facts, "push", today, reviews((DEVELOPER, "push", "2025-10-17"))))
    assert "expired on 2025-10-17 (principals.yaml, line 1)" in found


def test_undecided_counts_as_allowed_for_others(account_with, today):
    """Access under a condition that cannot be decided is rejected, as undecided."""
    statement = {"Effect": "Allow", "Principal": "*", "Action": "ecr:*"}
    facts = account_with(repository=[{**statement, "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}])
    found = causes(unreviewed(facts, "push", today))
    assert "anybody else might be allowed to push into naver-sms-automation" in found


def test_message_names_principal_action_and_statement(account_with, today):
    """A rejection says who, what, and which statement of which policy."""
    facts = account_with(developer=[{"Sid": "Oops", "Effect": "Allow", "Action": "ecr:PutImage", "Resource": "*"}])
    (rejection,) = unreviewed(facts, "push", today).rejections
    assert DEVELOPER in rejection.cause
    assert "ecr:PutImage" in rejection.cause
    assert rejection.where == "inline policy of developer, statement 1 (Oops) allows it"
    assert "principals.yaml" in rejection.remedy


def test_full_access_is_told_with_four_actions(account_with, today):
    """The first four of the group: a list of all would hide the name."""
    (rejection,) = unreviewed(account_with(developer=EVERYTHING), "rules", today).rejections
    assert rejection.cause.count("ecr:") == 4


def test_wildcard_principals_are_refused_whatever_their_condition(account_with):
    """Neither a condition nor NotPrincipal makes a wildcard acceptable; a wildcard that denies is fine."""
    bound = {"StringEquals": {"aws:PrincipalAccount": ACCOUNT}}
    bad = [
        {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "ecr:PutImage", "Condition": bound},
        {"Effect": "Allow", "NotPrincipal": {"AWS": CI}, "Action": "ecr:PutImage"},
        {"Effect": "Allow", "Principal": {"Service": "*"}, "Action": "ecr:PutImage"},
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/*"}, "Action": "ecr:PutImage"},
    ]
    assert len(bench.check_no_wildcard(account_with(repository=bad)).rejections) == 4
    assert len(bench.check_no_wildcard(account_with(registry=bad[:1])).rejections) == 1
    fine = [{"Effect": "Deny", "Principal": "*", "Action": "ecr:DeleteRepository"}]
    assert bench.check_no_wildcard(account_with(repository=fine)).accepted


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (None, "has no policy"),
        ('{"Version": "2012-10-17", "Statement": []}', "is empty"),
        ("not JSON", "cannot be read"),
        ("{}", "cannot be read"),
    ],
)
def test_missing_empty_or_unreadable_policy_is_refused(document, said, account_with, today):
    """No policy is a NO-GO, whatever the way in which it is none."""
    text = None if document is None else PolicyText("repository policy", document)
    facts = replace(account_with(), repository_policy=text)
    assert said in causes(bench.check_reviewed_policy(facts, as_reviewed(account_with), today))


def test_reviewed_policy_is_accepted_and_a_changed_one_shown(account_with, today):
    """The policy as reviewed passes; one more statement is shown, and who reviewed the rest."""
    wanted = as_reviewed(account_with)
    assert bench.check_reviewed_policy(account_with(), wanted, today).accepted
    more = [{"Sid": "New", "Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "ecr:PutImage"}]
    found = causes(bench.check_reviewed_policy(account_with(repository=more), wanted, today))
    assert "never reviewed: New" in found
    assert "AWS:111122223333" in found


def test_reviewed_policy_that_lets_everybody_in_is_never_to_be_set(account_with, today):
    """The file is what is wrong then: a remedy that sets it would open the repository."""
    everybody = [{"Sid": "Pull", "Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"}]
    wanted = as_reviewed(lambda: account_with(repository=everybody))
    (only,) = bench.check_reviewed_policy(account_with(), wanted, today).rejections
    assert "reviewed policy in policy.json, statement 4 (Pull) allows ecr:BatchGetImage to a wildcard" in only.cause
    assert "set the policy" not in only.remedy


def test_review_from_the_future_is_refused(account_with):
    """A review cannot be dated after today."""
    early = date(2025, 9, 30)
    assert "after today" in causes(bench.check_reviewed_policy(account_with(), as_reviewed(account_with), early))


def test_reviews_expire_and_are_not_doubled(today):
    """An expired entry and a second entry for one principal are each refused with their lines."""
    listed = reviews((CI, "pull", "2025-10-17"), (RUNNER, "pull", "2026-01-01"), (RUNNER, "push", "2026-01-01"))
    result = bench.check_reviewed_principals(listed, today)
    assert [each.where for each in result.rejections] == ["principals.yaml, line 1", "principals.yaml, line 3"]
    assert bench.check_reviewed_principals(reviews((CI, "pull", "2025-10-18")), today).accepted


def test_becoming_needs_review(account_with, today):
    """The workflow that becomes the CI role is refused until its subject is on the list."""
    assumption_paths = who_can_assume(account_with(), "ci")
    assert SUBJECT in causes(bench.check_role_assumption(assumption_paths, "ci", reviews(), today))
    assert bench.check_role_assumption(
        assumption_paths, "ci", reviews((SUBJECT, "become", "2026-01-01")), today
    ).accepted


def test_simulator_that_agrees_is_accepted_and_that_disagrees_refused(account_with):
    """The simulator's answer for the identity part has to be ours; the message gives both."""
    repository = account_with().repository_arn
    answers = [Simulation(CI, "ecr:PutImage", repository, True), Simulation(RUNNER, "ecr:PutImage", repository, False)]
    assert bench.check_simulations(account_with(simulations=tuple(answers)), ("ci", "runner")).accepted
    lie = Simulation(RUNNER, "ecr:PutImage", repository, True)
    found = causes(bench.check_simulations(account_with(simulations=(*answers, lie)), ("ci",)))
    assert f"simulator allows ecr:PutImage to {RUNNER}, and this gate's evaluation denies it" in found


def test_simulator_that_lacks_context_or_sees_an_organization_decides_nothing(account_with):
    """An answer that lacks a context key, or comes from an organization's policy, is no disagreement."""
    repository = account_with().repository_arn
    answers = (
        Simulation(CI, "ecr:PutImage", repository, True),
        Simulation(CI, "ecr:PutImage", repository, False, ("aws:SourceVpce",)),
        Simulation(CI, "ecr:PutImage", repository, False, (), True),
    )
    assert bench.check_simulations(account_with(simulations=answers), ("ci",)).accepted


def test_simulator_that_was_not_asked_is_refused(account_with):
    """Silence about the CI role is no agreement."""
    assert "never asked about ci" in causes(bench.check_simulations(account_with(), ("ci",)))


def test_unused_reviews_are_named(account_with):
    """A review of access that the principal does not have is named with its line, for each group."""
    listed = reviews((CI, "push delete", "2026-01-01"), (SUBJECT, "become", "2026-01-01"))
    facts = account_with()
    found = bench.unused(access_matrix(facts, who_can_assume(facts, "ci")), listed)
    assert found == (f"principals.yaml, line 1: {CI} does not have 'delete'",)


def test_only_the_organizations_own_deny_of_what_the_role_needs_counts(account_with):
    """Another principal's, another action's, and a deny that is none of the organization's are no matter of CI's."""
    repository = account_with().repository_arn
    others = (
        Simulation(RUNNER, "ecr:PutImage", repository, False, (), True),
        Simulation(CI, "ecr:DeleteRepository", repository, False, (), True),
        Simulation(CI, "ecr:PutImage", repository, False, (), False),
    )
    assert bench.check_holds(account_with(simulations=others), "ci", "push").accepted


def test_the_story_gives_push_to_ci_pull_to_lambda_and_nothing_else_to_anybody(account_with):
    """A role that is not there is nobody."""
    facts = account_with()
    assert bench.expected_holders(facts, "push", "ci", "runner") == (CI,)
    services = tuple(f"lambda.amazonaws.com for {whose}" for whose in (f"account {ACCOUNT}", "other accounts"))
    assert bench.expected_holders(facts, "pull", "ci", "runner") == (RUNNER, *services)
    assert bench.expected_holders(facts, "delete", "ci", "runner") == ()
    assert bench.expected_holders(facts, "push", "ghost", "runner") == ()


def test_a_wildcard_is_named_as_it_stands(account_with):
    """With its kind, a question mark as well as a star; NotPrincipal has no name but its own."""
    statements = [
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/c?"}, "Action": "ecr:PutImage"},
        {"Effect": "Allow", "NotPrincipal": {"AWS": CI}, "Action": "ecr:PutImage"},
    ]
    wild, excepting = bench.check_no_wildcard(account_with(repository=statements)).rejections
    assert f"(AWS: arn:aws:iam::{ACCOUNT}:role/c?)" in wild.cause
    assert "(NotPrincipal)" in excepting.cause


def test_a_policy_reviewed_today_is_reviewed(account_with):
    """The day of the review is no day of the future."""
    assert bench.check_reviewed_policy(account_with(), as_reviewed(account_with), date(2025, 10, 1)).accepted


def test_a_principal_listed_three_times_is_told_with_its_first_line(today):
    """Each line that is too many is refused, and the first is the one that stays."""
    thrice = reviews(*[(CI, "pull", "2026-01-01")] * 3)
    assert [each.cause.partition(", ")[2] for each in bench.check_reviewed_principals(thrice, today).rejections] == [
        "in lines 1 and 2",
        "in lines 1 and 3",
    ]


def assumption_path(answer, *path, because=("a trust policy",)):
    """The developer, who can become the CI role on this way."""
    return AssumptionPath(DEVELOPER, path, Decision(answer, because), True)


def test_the_way_to_the_role_is_told(today):
    """Through which roles, whether for certain, and by which statements, three of them in full."""
    through = assumption_path(Ternary.YES, "builder", "ci", because=("one", "two", "three", "four"))
    (rejection,) = bench.check_role_assumption(
        [through], "ci", reviews((DEVELOPER, "become", "2025-10-17")), today
    ).rejections
    assert "can become the role ci, through builder → ci; its review expired on 2025-10-17" in rejection.cause
    assert rejection.where == "one; two; three; and 1 more"
    at_once = assumption_path(Ternary.UNDECIDED, "ci", because=("one", "two", "three"))
    (rejection,) = bench.check_role_assumption(
        [at_once], "ci", reviews((DEVELOPER, "push", "2026-01-01")), today
    ).rejections
    assert "might be able to become the role ci; it is not on the reviewed list" in rejection.cause
    assert rejection.where == "one; two; three"


def test_a_review_of_somebody_else_is_no_review_that_expired(account_with, today):
    """The message does not borrow another entry's date."""
    listed = reviews((RUNNER, "push", "2025-10-17"), (DEVELOPER, "pull", "2025-10-17"))
    (rejection,) = unreviewed(account_with(developer=EVERYTHING), "push", today, listed).rejections
    assert "it is not on the reviewed list for 'push'" in rejection.cause


def test_a_simulator_that_denies_what_this_gate_allows_is_refused(account_with):
    """Either answer may be the wrong one."""
    denied = Simulation(CI, "ecr:PutImage", account_with().repository_arn, False)
    found = causes(bench.check_simulations(account_with(simulations=(denied,)), ("ci",)))
    assert f"simulator denies ecr:PutImage to {CI}, and this gate's evaluation allows it" in found


def test_what_this_gate_cannot_decide_is_no_disagreement(account_with):
    """Nor is an answer about somebody whom the account does not have."""
    only_there = {"StringEquals": {"aws:SourceVpce": "vpce-1"}}
    ci = [{"Effect": "Allow", "Action": "ecr:*", "Resource": "*", "Condition": only_there}]
    repository = account_with().repository_arn
    for allowed in (True, False):
        answers = (
            Simulation(CI, "ecr:PutImage", repository, allowed),
            Simulation(f"{CI}-gone", "ecr:PutImage", repository, allowed),
        )
        assert bench.check_simulations(account_with(ci=ci, simulations=answers), ("ci",)).accepted


def test_a_role_that_is_not_there_was_not_asked_about(account_with):
    """A misspelt role does not pass for one that agrees."""
    answer = Simulation(CI, "ecr:PutImage", account_with().repository_arn, True)
    found = causes(bench.check_simulations(account_with(simulations=(answer,)), ("ci", "ghost")))
    assert found == "SimulatePrincipalPolicy was never asked about ghost"


@pytest.mark.parametrize(
    ("wanted", "decision", "remedy"),
    [
        ("push", Decision(Ternary.UNDECIDED, ("w",), ("aws:SourceIp",)), "state ci_source_ips in pytest.ini"),
        ("pull", Decision(Ternary.UNDECIDED, ("w",), ("aws:SourceIp",)), "that does not depend on aws:SourceIp"),
        ("pull", Decision(Ternary.UNDECIDED, ("w",), ("aws:PrincipalOrgID",)), "state organization_id in pytest.ini"),
        ("push", Decision(Ternary.UNDECIDED, ("w",), (), denied=True), "ask the owners of the Deny whether it applies"),
        ("push", Decision(Ternary.UNDECIDED, ("w",)), "by a statement, which can be decided before the request"),
        ("push", Decision(Ternary.NO, ("w",), (), denied=True), "the Deny stays as it is"),
        ("push", Decision(Ternary.NO, ("w",)), "the principal's name: AROAEXAMPLE12345A in it is a deleted"),
    ],
)
def test_the_remedy_fits_the_reason(wanted, decision, remedy, account_with):
    """For what is missing: a setting, another statement, another principal, or the reviewed policy."""
    gone = [
        {"Effect": "Allow", "Principal": {"AWS": f"AROAEXAMPLE12345{each}"}, "Action": "ecr:PutImage"} for each in "AB"
    ]
    facts = account_with(policy=gone)
    (rejection,) = missing_permissions("role ci", wanted, facts, [("ecr:PutImage", decision)])
    assert remedy in rejection.remedy


@pytest.mark.parametrize(
    ("step", "shown"),
    [("sts:AssumeRole on role b", ""), ("iam:PutRolePolicy on itself", " (iam:PutRolePolicy on itself)")],
)
def test_steps_are_shown_where_they_change_something(step, shown):
    """The path alone says which roles are assumed."""
    path = AssumptionPath("alice", ("ci",), Decision(Ternary.YES, ("w",)), True, (step,))
    assert f"become the role ci{shown}; it is not" in unreviewed_assumption(path, "ci", reviews()).cause
