"""Conditions, operator by operator: yes, no, and undecided where only the request itself could tell."""

import pytest

from gate.access.condition import holds
from gate.access.decision import Ternary
from gate.access.document import Condition
from gate.access.matching import Context, OutsideAccount, arn_matches

KNOWN = Context(
    {
        "k:one": ("Blue",),
        "k:many": ("a", "b"),
        "k:none": (),
        "k:yes": ("true",),
        "k:arn": ("arn:aws:iam::654654307503:role/ci",),
        "k:elsewhere": (OutsideAccount("654654307503"),),
        "k:name": ("ci",),
    },
    ("tag/",),
)
YES, NO, UNDECIDED = Ternary.YES, Ternary.NO, Ternary.UNDECIDED


@pytest.mark.parametrize(
    ("operator", "key", "values", "answer"),
    [
        ("StringEquals", "K:One", ["Red", "Blue"], YES),
        ("StringEquals", "k:one", ["blue"], NO),
        ("StringEquals", "k:one", ["B*"], NO),
        ("stringequals", "k:one", ["Blue"], YES),
        ("StringEqualsIgnoreCase", "k:one", ["bLUE"], YES),
        ("StringLike", "k:one", ["B?u*"], YES),
        ("StringLike", "k:one", ["${*}lue"], NO),
        ("StringNotEquals", "k:one", ["Blue", "Red"], NO),
        ("StringNotEquals", "k:one", ["Red"], YES),
        ("StringNotEqualsIgnoreCase", "k:one", ["BLUE"], NO),
        ("StringNotLike", "k:one", ["B*"], NO),
        ("StringNotLike", "k:one", ["R*"], YES),
        ("ForAllValues:StringEquals", "k:many", ["a", "b", "c"], YES),
        ("ForAllValues:StringEquals", "k:many", ["a"], NO),
        ("ForAllValues:StringNotEquals", "k:many", ["a"], NO),
        ("ForAnyValue:StringEquals", "k:many", ["a"], YES),
        ("ForAnyValue:StringNotEquals", "k:many", ["a"], YES),
        ("ForAnyValue:StringNotEquals", "k:many", ["a", "b"], NO),
        ("StringEquals", "k:none", ["a"], NO),
        ("StringNotEquals", "k:none", ["a"], YES),
        ("StringEqualsIfExists", "k:none", ["a"], YES),
        ("StringEqualsIfExists", "k:one", ["a"], NO),
        ("ForAllValues:StringEquals", "k:none", ["a"], YES),
        ("ForAnyValue:StringEquals", "k:none", ["a"], NO),
        ("ForAnyValue:StringNotEquals", "k:none", ["a"], NO),
        ("StringEquals", "tag/colour", ["a"], NO),
        ("Bool", "k:yes", ["TRUE"], YES),
        ("Bool", "k:yes", ["false"], NO),
        ("BoolIfExists", "k:none", ["false"], YES),
        ("Null", "k:one", ["false"], YES),
        ("Null", "k:one", ["true"], NO),
        ("Null", "k:none", ["true"], YES),
        ("Null", "k:unknown", ["true"], UNDECIDED),
        ("ArnEquals", "k:arn", ["arn:aws:iam::*:role/ci"], YES),
        ("ArnLike", "k:arn", ["arn:aws:iam::654654307503:role/${k:name}"], YES),
        ("ArnNotLike", "k:arn", ["arn:aws:iam::*:role/c?"], NO),
        ("ArnNotEquals", "k:arn", ["arn:aws:iam::*:role/other"], YES),
        ("StringEquals", "k:arn", ["arn:aws:iam::654654307503:role/${k:unknown}"], UNDECIDED),
        ("StringEquals", "k:arn", ["arn:aws:iam::654654307503:user/${k:unknown}"], NO),
        ("StringEquals", "k:one", ["${k:none, 'Blue'}"], YES),
        ("StringEquals", "k:one", ["${k:name, 'Blue'}"], NO),
        ("StringEquals", "k:elsewhere", ["654654307503"], NO),
        ("StringNotEquals", "k:elsewhere", ["654654307503"], YES),
        ("StringEquals", "k:elsewhere", ["111122223333"], UNDECIDED),
        ("StringLike", "k:elsewhere", ["6546*"], UNDECIDED),
        ("StringLike", "k:elsewhere", ["*"], YES),
        ("ArnLike", "k:elsewhere", ["arn:aws:lambda:*:654654307503:function:*"], NO),
        ("ArnLike", "k:elsewhere", ["arn:aws:lambda:*:*:function:*"], UNDECIDED),
        ("StringEquals", "k:unknown", ["a"], UNDECIDED),
        ("StringEqualsIfExists", "k:unknown", ["a"], UNDECIDED),
        ("NumericLessThan", "k:one", ["3"], UNDECIDED),
        ("DateGreaterThan", "k:one", ["2020-01-01"], UNDECIDED),
        ("IpAddress", "k:one", ["10.0.0.0/8"], UNDECIDED),
        ("IpAddress", "k:none", ["10.0.0.0/8"], NO),
        ("NotIpAddress", "k:none", ["10.0.0.0/8"], YES),
        ("StringSounds", "k:one", ["Blue"], UNDECIDED),
        ("ForSomeValues:StringEquals", "k:one", ["Blue"], UNDECIDED),
        ("", "k:one", ["Blue"], UNDECIDED),
    ],
)
def test_operator_answers_as_documented(operator, key, values, answer):
    """Each operator, prefix and suffix gives the answer that IAM's documentation gives, for known and absent keys."""
    assert holds(Condition(operator, key, tuple(values)), KNOWN, variables=True) is answer


def test_variables_are_plain_text_where_the_version_knows_none():
    """In a policy of the older Version ${k:name} stands for itself."""
    condition = Condition("StringEquals", "k:name", ("${k:name}",))
    assert holds(condition, KNOWN, variables=True) is YES
    assert holds(condition, KNOWN, variables=False) is NO


@pytest.mark.parametrize(
    ("pattern", "answer"),
    [
        ("*", YES),
        ("arn:aws:lambda:*:111122223333:function:*", YES),
        ("arn:aws:lambda:*:654654307503:function:*", UNDECIDED),
        ("arn:aws:lambda:*", UNDECIDED),
        ("arn:aws:s3:*:111122223333:function:*", NO),
    ],
)
def test_wildcard_that_would_have_to_span_fields_of_an_arn_is_undecided(pattern, answer):
    """The account in a pattern is the account's field, even where another field happens to hold its number."""
    assert arn_matches(pattern, "arn:aws:lambda:r:111122223333:function:654654307503:function:1") is answer
