"""Worlds to which the checks of access have to say no."""

from __future__ import annotations

from datetime import date
from typing import Any

from gate.access.baseline import Baseline
from gate.access.document import Kind, PolicyText, parse
from gate.access.facts import AccessFacts, Identity, Simulation
from gate.access.logic import Answer, Finding
from gate.access.matrix import Matrix, draw
from gate.access.reviewed import Entry, ReviewedList
from gate.access.trust import Becoming

TODAY = date(2025, 10, 18)
_ACCOUNT = "000000000000"
_CI = f"arn:aws:iam::{_ACCOUNT}:role/ci"


def public() -> AccessFacts:
    """Everybody may push."""
    return _facts({"Effect": "Allow", "Principal": "*", "Action": "ecr:*"})


def nobody_may() -> AccessFacts:
    """No policy lets the CI role do anything."""
    return _facts({"Effect": "Deny", "Principal": "*", "Action": "ecr:*"})


def open_to_lambda() -> AccessFacts:
    """Lambda may pull on behalf of anybody's functions."""
    pull = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    return _facts({"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": pull})


def open_matrix() -> Matrix:
    """Everybody may push, drawn."""
    return draw(public())


def becoming() -> tuple[Becoming, ...]:
    """Anybody can become the role."""
    return (Becoming("anybody else", ("ci",), Finding(Answer.YES, ("trust policy",)), False),)


def no_reviews() -> ReviewedList:
    """Nobody was reviewed."""
    return ReviewedList("principals.yaml", ())


def expired_reviews() -> ReviewedList:
    """A review that ended yesterday."""
    entry = Entry(_CI, ("push",), "a reason", "a role", TODAY.replace(day=TODAY.day - 1), 2)
    return ReviewedList("principals.yaml", (entry,))


def baseline() -> Baseline:
    """A reviewed policy under which only the CI role may push."""
    statement = {"Effect": "Allow", "Principal": {"AWS": _CI}, "Action": "ecr:PutImage"}
    policy = parse(PolicyText("reviewed policy", {"Statement": [statement]}), Kind.RESOURCE)
    return Baseline("repository-policy.json", "a role", TODAY, policy)


def disagreement() -> AccessFacts:
    """The simulator allows what no policy allows."""
    return _facts({"Effect": "Deny", "Principal": "*", "Action": "ecr:*"}, simulated=True)


def _facts(statement: dict[str, Any], simulated: bool = False) -> AccessFacts:
    facts = AccessFacts(
        _ACCOUNT,
        "ap-northeast-2",
        "repository",
        "function",
        (Identity(_CI, "AROA", (), trust=PolicyText("trust policy", {"Statement": []})),),
        PolicyText("repository policy", {"Statement": [statement]}),
    )
    allowed = Simulation(_CI, "ecr:PutImage", facts.repository_arn, allowed=True)
    return AccessFacts(**{**vars(facts), "simulations": (allowed,)}) if simulated else facts
