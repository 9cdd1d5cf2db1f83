"""Policy documents are read strictly: whatever the grammar does not know is refused, in one kind of error."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.access.document import Kind, PolicyText, parse
from gate.errors import GateError

ALLOW = {"Effect": "Allow", "Action": "ecr:PutImage", "Resource": "*"}
RESOURCE = {"Effect": "Allow", "Action": "ecr:PutImage", "Principal": "*"}


def read(statement, kind=Kind.IDENTITY, **more):
    """The statements of a policy with this one statement, or these."""
    return parse(PolicyText("the policy", {"Statement": statement, **more}), kind).statements


def test_single_statement_and_single_values_are_lists_of_one():
    """An object instead of a list of objects, and a text instead of a list of texts, are read alike."""
    (one,), (other,) = read(ALLOW), read([{**ALLOW, "Action": ["ecr:PutImage"], "Resource": ["*"]}])
    assert one == other


def test_text_and_object_are_read_alike():
    """JSON text, as ECR answers, and objects, as the SDK decodes IAM's answers, are the same policy."""
    document = {"Version": "2012-10-17", "Statement": [ALLOW]}
    texts = (PolicyText("p", document), PolicyText("p", json.dumps(document)))
    assert parse(texts[0], Kind.IDENTITY) == parse(texts[1], Kind.IDENTITY)


def test_missing_version_is_the_older_one():
    """Without a Version policy variables are plain text."""
    assert not read(ALLOW)[0].variables
    assert read(ALLOW, Version="2012-10-17")[0].variables


def test_doubled_sids_are_told_apart_by_number():
    """Two statements with one Sid have different labels."""
    labels = [each.label for each in read([{**ALLOW, "Sid": "A"}, {**ALLOW, "Sid": "A"}])]
    assert labels == ["the policy, statement 1 (A)", "the policy, statement 2 (A)"]


def test_unicode_is_kept_as_it_is():
    """Sids and values in any script are read, and matched as they are."""
    (statement,) = read({**ALLOW, "Sid": "푸시", "Condition": {"StringEquals": {"aws:PrincipalTag/팀": "플랫폼"}}})
    assert statement.sid == "푸시"
    assert statement.conditions[0].values == ("플랫폼",)


def test_booleans_and_numbers_in_conditions_are_texts():
    """JSON's true and the text "true" are the same value of a condition."""
    (statement,) = read({**ALLOW, "Condition": {"Bool": {"aws:SecureTransport": [True, "false", 3]}}})
    assert statement.conditions[0].values == ("true", "false", "3")


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ({**ALLOW, "Effect": "allow"}, Kind.IDENTITY),
        ({key: value for key, value in ALLOW.items() if key != "Effect"}, Kind.IDENTITY),
        ({**ALLOW, "NotAction": "s3:*"}, Kind.IDENTITY),
        ({key: value for key, value in ALLOW.items() if key != "Action"}, Kind.IDENTITY),
        ({key: value for key, value in ALLOW.items() if key != "Resource"}, Kind.IDENTITY),
        ({**ALLOW, "Principal": "*"}, Kind.IDENTITY),
        ({**ALLOW, "Actions": "ecr:*"}, Kind.IDENTITY),
        ({**ALLOW, "Action": []}, Kind.IDENTITY),
        ({**ALLOW, "Action": "PutImage"}, Kind.IDENTITY),
        ({**ALLOW, "Action": [["ecr:PutImage"]]}, Kind.IDENTITY),
        ({**ALLOW, "Resource": ""}, Kind.IDENTITY),
        ({**ALLOW, "Sid": 3}, Kind.IDENTITY),
        ({**ALLOW, "Condition": []}, Kind.IDENTITY),
        ({**ALLOW, "Condition": {"StringEquals": "x"}}, Kind.IDENTITY),
        ({**ALLOW, "Condition": {"StringEquals": {"aws:PrincipalArn": None}}}, Kind.IDENTITY),
        ("Allow", Kind.IDENTITY),
        (ALLOW, Kind.RESOURCE),
        ({**RESOURCE, "NotPrincipal": "*"}, Kind.RESOURCE),
        ({**RESOURCE, "Principal": {}}, Kind.RESOURCE),
        ({**RESOURCE, "Principal": {"AWS": []}}, Kind.RESOURCE),
        ({**RESOURCE, "Principal": {"Robot": "x"}}, Kind.RESOURCE),
        ({**RESOURCE, "Principal": "654654307503"}, Kind.RESOURCE),
    ],
)
def test_statement_outside_of_the_grammar_is_refused(statement, kind):
    """What AWS would not accept, or what could mean two things, is refused, naming policy and statement."""
    with pytest.raises(GateError, match="cannot be read") as refused:
        read(statement, kind)
    assert refused.value.where.startswith("the policy, statement 1")


@pytest.mark.parametrize(
    "document",
    [
        "",
        "null",
        "[]",
        '{"Version": "2012-10-17"}',
        '{"Version": "2020-01-01", "Statement": []}',
        '{"Statement": [], "Statement": []}',
        '{"Statement": [], "Extra": 1}',
        '{"Statement": NaN}',
        "[" * 100_000,
        None,
        17,
    ],
)
def test_document_outside_of_the_grammar_is_refused(document):
    """Text that is no policy is refused with its source, however odd it is."""
    with pytest.raises(GateError, match="cannot be read") as refused:
        parse(PolicyText("the policy", document), Kind.IDENTITY)
    assert refused.value.where == "the policy"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
ELEMENTS = st.sampled_from(
    "Sid Effect Action NotAction Resource NotResource Principal NotPrincipal Condition Else".split()  # noqa: SIM905
)
LIKELY = st.sampled_from(["Allow", "Deny", "*", "ecr:*", {"AWS": "*"}, {"Null": {"k": True}}, ["ecr:Put*", "*:*"]])


@given(JSON | st.text(), st.sampled_from(Kind))
def test_anything_json_like_is_read_or_refused(document, kind):
    """Whatever the document is, reading it ends in a policy or in a GateError."""
    reads_or_refuses(document, kind)


@given(st.lists(st.dictionaries(ELEMENTS, JSON | LIKELY, max_size=6), max_size=3), st.sampled_from(Kind))
def test_anything_like_statements_is_read_or_refused(statements, kind):
    """Statements made of the grammar's own words in any arrangement are read or refused."""
    reads_or_refuses({"Version": "2012-10-17", "Statement": statements}, kind)


def reads_or_refuses(document, kind):
    """Fails on any other exception than a GateError."""
    try:
        policy = parse(PolicyText("the policy", document), kind)
    except GateError:
        return
    assert all(each.actions for each in policy.statements)
