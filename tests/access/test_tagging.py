"""Who may tag the repository passes what hangs on its tags; who may not, does not."""

import pytest

from gate.access.matrix import access_matrix
from gate.access.trust import who_can_assume
from tests.access.conftest import PUSH, arn

ANY = "arn:aws:ecr:*:*:repository/*"
OTHER = "arn:aws:ecr:*:*:repository/dev/*"


def push(operator="StringEquals", key="aws:ResourceTag/team", value="dev", effect="Allow"):
    """A statement about the push that hangs on a tag of the repository, which has Environment=production alone."""
    return {"Effect": effect, "Action": PUSH, "Resource": ANY, "Condition": {operator: {key: value}}}


def tag(action="ecr:TagResource", resource=ANY, **condition):
    """A statement that lets somebody tag."""
    made = {"Effect": "Allow", "Action": action, "Resource": resource}
    return {**made, "Condition": condition} if condition else made


def word(account_with, *statements, **changes):
    """What the developer may of the push, and why."""
    facts = account_with(developer=statements, **changes)
    cell = access_matrix(facts, who_can_assume(facts, "ci"), ci_role="ci").row(arn("developer")).cell("push")
    return cell.word, " ".join(cell.because())


ALL = {"Effect": "Allow", "Action": "ecr:*", "Resource": ANY}
WAYS = {
    "a tag of one's own": ((push(), tag()), "allowed"),
    "ECR's name of the key": ((push(key="ecr:ResourceTag/team"), tag("ecr:*Resource")), "allowed"),
    "a pattern": ((push("StringLike", value="dev-*"), tag()), "allowed"),
    "another value than the forbidden one": (
        (push("StringNotEquals", "aws:ResourceTag/Environment", "production"), tag()),
        "undecided",
    ),
    "the tag is taken away": (
        (push("StringNotEquals", "aws:ResourceTag/Environment", "production"), tag("ecr:UntagResource")),
        "allowed",
    ),
    "its absence is asked for": (
        (push("Null", "aws:ResourceTag/Environment", "true"), tag("ecr:UntagResource")),
        "allowed",
    ),
    "a Deny that hangs on the tag": (
        (ALL, push("StringEquals", "aws:ResourceTag/Environment", "production", "Deny")),
        "allowed",
    ),
    "a tag that the request must carry": ((push(), tag(StringEquals={"aws:RequestTag/team": "dev"})), "undecided"),
}
NO_WAYS = {
    "nobody may tag": (push(),),
    "another repository": (push(), tag(resource=OTHER)),
    "what one owns already": (push(), tag(StringEquals={"aws:ResourceTag/team": "dev"})),
    "taking away gives no tag": (push(), tag("ecr:UntagResource")),
    "tagging alone": (tag(),),
    "a Deny of the tagging": (push(), tag(), {"Effect": "Deny", "Action": "ecr:TagResource", "Resource": "*"}),
    "a Deny that hangs on no tag": (push(), tag(), {"Effect": "Deny", "Action": PUSH, "Resource": "*"}),
}


@pytest.mark.parametrize(("statements", "wanted"), WAYS.values(), ids=WAYS)
def test_who_may_tag_passes_what_hangs_on_tags(statements, wanted, account_with):
    """Allowed or undecided, which both count, with the statement about the tagging and its action among the reasons."""
    found, because = word(account_with, *statements)
    assert found == wanted
    assert "Resource)" in because


@pytest.mark.parametrize("statements", NO_WAYS.values(), ids=NO_WAYS)
def test_who_may_not_tag_does_not(statements, account_with):
    """No alarm about those who are kept out."""
    assert word(account_with, *statements)[0] == "no"


def test_a_repository_policy_that_hangs_on_tags_is_passed_likewise(account_with):
    """Its statement names the developer under a condition, and its Deny does."""
    named = {**push(), "Principal": {"AWS": arn("developer")}}
    del named["Resource"]
    assert word(account_with, tag(), repository=[named])[0] == "allowed"
    assert word(account_with, repository=[named])[0] == "no"
    kept = {**named, "Effect": "Deny", "Condition": {"StringEquals": {"aws:ResourceTag/Environment": "production"}}}
    assert word(account_with, ALL, repository=[kept])[0] == "allowed"
    assert word(account_with, {**ALL, "Action": PUSH}, repository=[kept])[0] == "no"
