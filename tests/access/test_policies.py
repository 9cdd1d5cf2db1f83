"""Policies, good and bad, in policies.yaml: what each gives, to whom."""

from pathlib import Path

import pytest
import yaml

from gate.access.matrix import access_matrix
from gate.access.permission_checks import check_holds

ROWS = yaml.safe_load((Path(__file__).parent / "policies.yaml").read_text(encoding="utf-8"))
NAMES = {
    "ci": "arn:aws:iam::654654307503:role/ci",
    "developer": "arn:aws:iam::654654307503:role/developer",
    "alice": "arn:aws:iam::654654307503:user/alice",
    "lambda here": "lambda.amazonaws.com for account 654654307503",
    "lambda elsewhere": "lambda.amazonaws.com for other accounts",
}
SETTINGS = ("policy", "repository", "registry", "ci", "developer", "alice", "version")


def world_of(row, account_with):
    """The account that a row describes."""
    boundaries = {row["who"]: row["boundary"]} if "boundary" in row else {}
    return account_with(boundaries=boundaries, **{key: row[key] for key in SETTINGS if key in row})


@pytest.mark.parametrize("row", [row for row in ROWS if "answer" in row], ids=lambda row: row["title"])
def test_policy_gives_what_the_table_says(row, account_with):
    """Each row's principal has exactly the part of the permission group that the row states."""
    found = access_matrix(world_of(row, account_with)).row(NAMES.get(row["who"], row["who"]))
    assert found is not None
    cell = found.cell(row.get("group", "push"))
    assert cell.word == row["answer"], cell.decisions
    assert cell.because(), "every answer names what decides it"


@pytest.mark.parametrize("row", [row for row in ROWS if "check" in row], ids=lambda row: row["title"])
def test_ci_role_is_checked_as_the_table_says(row, account_with):
    """The CI role needs every permission of a push, without a condition that nobody can decide."""
    assert check_holds(world_of(row, account_with), row["who"], "push").accepted is (row["check"] == "GO")


def test_table_is_long_enough_and_names_no_row_twice():
    """The table has more than 25 rows, and each title is its own."""
    titles = [row["title"] for row in ROWS]
    assert len(titles) > 25
    assert len(set(titles)) == len(titles)
