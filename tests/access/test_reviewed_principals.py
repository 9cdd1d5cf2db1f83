"""The reviewed list is read strictly: each fault is refused with its line."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.access import reviewed_principals
from gate.errors import GateError

GOOD = """\
principals:
  - principal: arn:aws:iam::654654307503:role/administrator
    may: [push, rules]
    reason: break-glass
    reviewer: security lead
    expires: 2026-01-31
"""


def test_entry_is_read_with_its_line():
    """A good entry is read whole, and knows where it stands."""
    (entry,) = reviewed_principals.read(GOOD, "principals.yaml").entries
    assert entry.principal == "arn:aws:iam::654654307503:role/administrator"
    assert (entry.may, entry.expires, entry.line) == (("push", "rules"), date(2026, 1, 31), 2)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("may: [push, rules]", "may: [everything]", "'may' is a list"),
        ("may: [push, rules]", "may: push", "'may' is a list"),
        ("may: [push, rules]", "may: []", "'may' is a list"),
        ("2026-01-31", "soon", "'expires' is not a date"),
        ("2026-01-31", "2026-01-31T10:00:00", "'expires' is not a date"),
        ("    expires: 2026-01-31\n", "", "exactly the keys"),
        ("reason: break-glass", "reason: ''", "'reason' is not a string"),
        ("reviewer:", "reviewers:", "exactly the keys"),
        ("role/administrator", "role/*", "more than one principal"),
    ],
)
def test_faulty_entry_is_refused_with_its_line(old, new, said):
    """Each way in which an entry can be wrong is named, and where."""
    with pytest.raises(GateError, match=said) as refused:
        reviewed_principals.read(GOOD.replace(old, new), "principals.yaml")
    assert refused.value.where == "principals.yaml, line 2"


def test_a_key_that_is_given_twice_is_refused_with_its_line():
    """It would not be known which of the two was reviewed."""
    with pytest.raises(GateError, match="'reason' is given twice") as refused:
        reviewed_principals.read(GOOD.replace("    reviewer", "    reason: twice\n    reviewer"), "principals.yaml")
    assert refused.value.where == "principals.yaml, line 5"


@pytest.mark.parametrize("text", ["", "[]", "principals: 3", "principals: [", "others: []", "a: &a [*a]", "- \0"])
def test_text_of_another_shape_is_refused(text):
    """Anything but the one key with its list is refused."""
    with pytest.raises(GateError, match="cannot be used"):
        reviewed_principals.read(text, "principals.yaml")


def test_file_that_cannot_be_read_is_refused(tmp_path):
    """A missing list is an error, not an empty one."""
    with pytest.raises(GateError, match="cannot be read"):
        reviewed_principals.load(tmp_path / "principals.yaml")


def test_projects_own_list_is_readable():
    """The list beside the image is one that this reader accepts."""
    here = Path(__file__).resolve().parents[2] / "image" / "principals.yaml"
    assert reviewed_principals.load(here).entries


@pytest.mark.parametrize(
    ("name", "wide"),
    [
        ("token.actions.githubusercontent.com:sub=repo:team/app:environment:production", False),
        ("token.actions.githubusercontent.com:sub=repo:team/app:*", False),
        ("token.actions.githubusercontent.com:sub=repo:team/*", True),
        ("token.actions.githubusercontent.com:sub=repo:*", True),
        ("token.actions.githubusercontent.com:sub=*", True),
        ("arn:aws:iam::654654307503:role/administrator", False),
        ("arn:aws:iam::654654307503:role/adm?n", True),
        ("anybody else", True),
        ("any AWS service", True),
        ("lambda.amazonaws.com for other accounts", True),
        ("lambda.amazonaws.com for account 654654307503", False),
    ],
)
def test_names_that_nobody_could_have_reviewed_are_too_wide(name, wide):
    """A review covers a principal, or a subject of one repository, never a crowd."""
    assert reviewed_principals.too_wide(name) is wide


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(text):
    """Whatever the file holds, it is a list or a GateError."""
    try:
        found = reviewed_principals.read(text, "principals.yaml")
    except GateError:
        return
    assert isinstance(found, reviewed_principals.ReviewedPrincipals)
