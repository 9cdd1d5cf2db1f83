"""What has to hold of every policy: a Deny takes away, order is nothing, wildcards are what they are said to be."""

import fnmatch
import time
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gate.access.decision import Ternary
from gate.access.document import PolicyText
from gate.access.evaluation import may, registry_request
from gate.access.matching import Context, action_matches, matches
from gate.access.matrix import access_matrix, principals
from gate.access.permission_checks import check_nobody_else, expected_holders
from gate.access.reviewed_principals import ReviewedPrincipals

ROLES = [f"arn:aws:iam::654654307503:role/{name}" for name in ("ci", "runner", "developer")]
ACTIONS = st.sampled_from(["*", "ecr:*", "ecr:Put*", "ecr:PutImage", "ecr:BatchGetImage", "ecr:SetRepositoryPolicy"])
PRINCIPALS = st.sampled_from(["*", "654654307503", "111122223333", "arn:aws:iam::654654307503:user/alice", *ROLES]).map(
    lambda name: {"AWS": name}
) | st.sampled_from([{"Service": "lambda.amazonaws.com"}, {"Service": "*"}])
CONDITIONS = st.sampled_from(
    [
        {},
        {"StringEquals": {"aws:PrincipalAccount": "654654307503"}},
        {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}},
        {"ArnLike": {"aws:PrincipalArn": ROLES[2]}},
        {"Null": {"aws:SourceAccount": "true"}},
        {"ForAllValues:StringLike": {"aws:SourceArn": "arn:aws:lambda:*"}},
        {"Odd": {"aws:PrincipalArn": "x"}},
    ]
)


@st.composite
def statements(draw_one, effects=("Allow", "Deny")):
    """A statement of a repository policy."""
    return {
        "Effect": draw_one(st.sampled_from(effects)),
        draw_one(st.sampled_from(["Principal", "NotPrincipal"])): draw_one(PRINCIPALS),
        draw_one(st.sampled_from(["Action", "NotAction"])): draw_one(ACTIONS),
        "Condition": draw_one(CONDITIONS),
    }


POLICIES = st.lists(statements(), max_size=4)
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def with_policy(facts, policy):
    """The facts with another repository policy."""
    document = {"Version": "2012-10-17", "Statement": policy}
    return replace(facts, repository_policy=PolicyText("repository policy", document))


def answers(facts):
    """The answer for every principal and three actions."""
    request = registry_request(facts)
    actions = ("ecr:PutImage", "ecr:BatchGetImage", "ecr:SetRepositoryPolicy")
    return {
        (who.name, action): may(who, request(action, True)).answer for who in principals(facts) for action in actions
    }


@QUICK
@given(policy=POLICIES, deny=statements(effects=("Deny",)))
def test_one_more_deny_never_gives_more_access(policy, deny, account_with):
    """Adding a Deny leaves every answer as it is or lowers it."""
    before = answers(with_policy(account_with(), policy))
    after = answers(with_policy(account_with(), [*policy, deny]))
    assert all(after[asked] <= answer for asked, answer in before.items())


@QUICK
@given(policy=POLICIES, allow=statements(effects=("Allow",)))
def test_one_more_allow_never_takes_access_away(policy, allow, account_with):
    """Adding an Allow leaves every answer as it is or raises it."""
    before = answers(with_policy(account_with(), policy))
    after = answers(with_policy(account_with(), [*policy, allow]))
    assert all(after[asked] >= answer for asked, answer in before.items())


@QUICK
@given(policy=POLICIES, data=st.data())
def test_order_of_statements_changes_no_result(policy, data, account_with, today):
    """Whoever is accepted or refused is so in any order of the statements."""
    shuffled = data.draw(st.permutations(policy))
    assert answers(with_policy(account_with(), policy)) == answers(with_policy(account_with(), shuffled))
    checked = [checked_push(with_policy(account_with(), each), today) for each in (policy, shuffled)]
    assert checked[0] == checked[1]


def checked_push(facts, today):
    """The causes of the check of unreviewed principals."""
    listed = ReviewedPrincipals("principals.yaml", ())
    result = check_nobody_else(
        access_matrix(facts), "push", listed, today, expected_holders(facts, "push", "ci", "runner")
    )
    return {each.cause for each in result.rejections}


@given(st.text(alphabet="abé*?", max_size=12), st.text(alphabet="abé", max_size=12))
def test_wildcards_match_as_shell_patterns_do(pattern, text):
    """For * and ? the matcher agrees with the standard library's."""
    assert (matches(pattern, text) is Ternary.YES) is fnmatch.fnmatchcase(text, pattern)


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_pattern_and_text_can_be_compared(pattern, text):
    """No pattern, variables included, makes the matcher fail; every pattern without wildcards matches itself."""
    assert matches(pattern, text, Context()) in Ternary
    assert matches(text, text, wildcards=False) is Ternary.YES


def test_pattern_made_to_explode_does_not():
    """A hundred wildcards against a long text take no noticeable time."""
    began = time.perf_counter()
    assert not action_matches("ecr:" + "a*" * 100 + "b", "ecr:" + "a" * 2_000)
    assert time.perf_counter() - began < 5
