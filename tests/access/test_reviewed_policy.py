"""The reviewed policy against the one in force: order and form are nothing, meaning is everything."""

import json
import random

import pytest

from gate.access import reviewed_policy
from gate.access.document import Kind, PolicyText, parse
from gate.errors import GateError

CI = "arn:aws:iam::654654307503:role/ci"
PUSH = {"Sid": "Push", "Effect": "Allow", "Principal": {"AWS": [CI]}, "Action": ["ecr:PutImage", "ecr:BatchGetImage"]}
PULL = {
    "Sid": "Pull",
    "Effect": "Allow",
    "Principal": {"Service": "lambda.amazonaws.com"},
    "Action": "ecr:BatchGetImage",
    "Condition": {"StringLike": {"aws:sourceArn": ["a", "b"]}},
}


def policy(*statements, version="2012-10-17"):
    """A policy that has been read."""
    return parse(PolicyText("policy", {"Version": version, "Statement": list(statements)}), Kind.RESOURCE)


def differ(found, wanted=(PUSH, PULL)):
    """The differences to the reviewed policy."""
    return reviewed_policy.differences(policy(*wanted), found)


@pytest.mark.parametrize(
    "found",
    [
        policy(PUSH, PULL),
        policy(PULL, PUSH),
        policy(PULL, PUSH, PUSH),
        policy({**PUSH, "Action": ["ecr:batchgetimage", "ECR:PutImage", "ecr:PutImage"]}, PULL),
        policy({**PUSH, "Principal": {"AWS": CI}, "Sid": "Renamed"}, PULL),
        policy(PUSH, {**PULL, "Condition": {"StringLike": {"AWS:SourceArn": ["b", "a"]}}}),
    ],
)
def test_same_meaning_is_no_difference(found):
    """Order, repetition, letter case, Sid, and one value or a list of one are no difference."""
    assert differ(found) == ()


def test_accounts_number_and_its_roots_arn_are_the_same_principal():
    """AWS shows one for the other."""
    number = {**PUSH, "Principal": {"AWS": "654654307503"}}
    root = {**PUSH, "Principal": {"AWS": "arn:aws:iam::654654307503:root"}}
    assert differ(policy(number), (root,)) == ()


def test_shuffling_a_long_policy_is_no_difference():
    """Fifty statements in any order mean the same."""
    statements = [{**PUSH, "Sid": f"S{n}", "Action": f"ecr:PutImage{n}"} for n in range(50)]
    shuffled = statements.copy()
    random.Random(1).shuffle(shuffled)  # noqa: S311 - an order, not a secret
    assert differ(policy(*shuffled), tuple(statements)) == ()


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (policy(PUSH), "a reviewed statement is missing: Pull"),
        (policy(PUSH, PULL, {**PUSH, "Sid": "", "Action": "ecr:*"}), "a statement was never reviewed: Effect Allow"),
        (
            policy({**PUSH, "Action": [*PUSH["Action"], "ecr:DeleteRepository"]}, PULL),
            "Push was changed: Action gained ecr:del",
        ),
        (policy({**PUSH, "Principal": {"AWS": "*"}}, PULL), "Principal gained AWS:* and lost AWS:arn:aws:iam::6546"),
        (policy({**PUSH, "Effect": "Deny"}, PULL), "Effect gained Deny and lost Allow"),
        (
            policy(PUSH, {k: v for k, v in PULL.items() if k != "Condition"}),
            "Pull was changed: Condition lost StringLike",
        ),
        (policy(PUSH, PULL, version="2008-10-17"), "Version is 2008-10-17, and was reviewed as 2012-10-17"),
    ],
)
def test_difference_is_shown_statement_by_statement(found, said):
    """What was added, taken away or changed is said in the field's own words."""
    assert said in "\n".join(differ(found))


def test_action_and_not_action_are_different():
    """Turning Action into NotAction turns the meaning round, and is shown."""
    turned = {key: value for key, value in PUSH.items() if key != "Action"} | {"NotAction": PUSH["Action"]}
    assert "NotAction gained" in "\n".join(differ(policy(turned, PULL)))


def document(**changes):
    """The file of the reviewed policy, with changes."""
    good = {"reviewed_by": "a role", "reviewed_on": "2025-10-18", "policy": {"Statement": [PUSH]}}
    return json.dumps({**good, **changes})


def test_baseline_is_read():
    """Reviewer, date and policy are all there."""
    found = reviewed_policy.read(document(), "policy.json")
    assert (found.reviewed_by, found.reviewed_on.isoformat()) == ("a role", "2025-10-18")
    assert len(found.policy.statements) == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        document(reviewed_by=""),
        document(reviewed_on="yesterday"),
        document(reviewed_on=None),
        document(policy={}),
        document(more=1),
        "[" * 100_000,
    ],
)
def test_faulty_baseline_is_refused(text):
    """A reviewed policy without reviewer, date or policy is an error."""
    with pytest.raises(GateError, match=r"cannot be used|cannot be read"):
        reviewed_policy.read(text, "policy.json")


def test_missing_baseline_is_refused(tmp_path):
    """No file, no pass."""
    with pytest.raises(GateError, match="cannot be read"):
        reviewed_policy.load(tmp_path / "repository-policy.json")
