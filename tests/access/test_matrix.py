"""The who-can matrix as evidence and as HTML."""

import json
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from gate.access.document import PolicyText
from gate.access.matrix import access_matrix, plain
from gate.access.matrix_html import render
from gate.access.trust import who_can_assume

pytestmark = pytest.mark.slow

DEVELOPER = "arn:aws:iam::654654307503:role/developer"
EVIL = "<script>alert(1)</script>\"'&"


class Tags(HTMLParser):
    """Collects tags and texts."""

    def __init__(self):
        super().__init__()
        self.tags, self.texts = [], []

    def handle_starttag(self, tag, attrs):
        """Note an opening tag."""
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        """Note a text."""
        self.texts.append(data)


def parsed(html):
    """The fragment's tags and texts."""
    reader = Tags()
    reader.feed(html)
    return reader


def test_matrix_holds_everybody_and_every_group(account_with):
    """Roles, users, services, and anybody else are rows; becoming the CI role is the last column."""
    facts = account_with()
    matrix = access_matrix(facts, who_can_assume(facts, "ci"))
    names = {row.name for row in matrix.rows}
    assert {each.arn for each in facts.identities} <= names
    assert {"anybody else", "lambda.amazonaws.com for other accounts"} <= names
    assert matrix.permission_groups == ("push", "pull", "delete", "rules", "replicate", "become")
    assert all(tuple(name for name, _ in row.cells) == matrix.permission_groups for row in matrix.rows)


def test_evidence_names_the_deciding_statement_and_is_json(account_with):
    """The evidence says who has each permission group, by which statement, and how many have no access."""
    facts = account_with()
    answer = plain(access_matrix(facts, who_can_assume(facts, "ci")))
    who = json.loads(json.dumps(answer))["who may"]
    assert who["arn:aws:iam::654654307503:role/ci"]["push"]["answer"] == "allowed"
    assert (
        "repository policy, statement 1 (Push) allows it" in who["arn:aws:iam::654654307503:role/ci"]["push"]["because"]
    )
    assert DEVELOPER not in who
    assert answer["asked about"] == len(who) + answer["may do nothing"]


def test_html_is_a_table_that_a_screen_reader_can_read(account_with):
    """The table has a caption, a heading for each column, and a heading for each row."""
    facts = account_with(developer=[{"Effect": "Allow", "Action": "ecr:PutImage", "Resource": "*"}])
    found = parsed(render(access_matrix(facts, who_can_assume(facts, "ci")), [(DEVELOPER, "push")]))
    scopes = [attributes.get("scope") for tag, attributes in found.tags if tag == "th"]
    assert scopes.count("col") == 7
    assert scopes.count("row") == 5
    assert [tag for tag, _ in found.tags].count("caption") == 1
    assert "part, reviewed" in found.texts


def test_foreign_text_in_html_is_escaped(account_with):
    """Names of principals and Sids reach the page as text, never as markup."""
    statement = {"Sid": EVIL, "Effect": "Allow", "Principal": {"Federated": EVIL}, "Action": "ecr:*"}
    found = parsed(render(access_matrix(account_with(repository=[statement]))))
    allowed = {"table", "caption", "thead", "tbody", "tr", "th", "td", "details", "summary", "ul", "li"}
    assert {tag for tag, _ in found.tags} <= allowed
    assert any(EVIL in text for text in found.texts)


def test_account_with_a_thousand_roles_is_drawn_in_time_and_stays_readable(account_with):
    """Those who may do nothing are counted, not shown."""
    facts = account_with()
    role = facts.identities[2]
    policy = PolicyText("p", {"Statement": {"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}})
    many = tuple(replace(role, arn=f"{DEVELOPER}{n}", policies=(policy,)) for n in range(1_000))
    matrix = access_matrix(replace(facts, identities=facts.identities + many))
    assert matrix.idle > 1_000
    assert len(render(matrix)) < 20_000
