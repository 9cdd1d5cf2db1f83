"""Worlds to which the checks of access have to say no."""

from __future__ import annotations

from datetime import date
from typing import Any

from gate.access.decision import Decision, Ternary
from gate.access.document import Kind, PolicyText, parse
from gate.access.facts import AccessFacts, Identity, Simulation
from gate.access.matrix import Matrix, access_matrix
from gate.access.reviewed_policy import ReviewedPolicy
from gate.access.reviewed_principals import Review, ReviewedPrincipals
from gate.access.trust import AssumptionPath

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
    return access_matrix(public())


def assumption_paths() -> tuple[AssumptionPath, ...]:
    """Anybody can become the role."""
    return (AssumptionPath("anybody else", ("ci",), Decision(Ternary.YES, ("trust policy",)), False),)


def no_reviews() -> ReviewedPrincipals:
    """Nobody was reviewed."""
    return ReviewedPrincipals("principals.yaml", ())


def expired_reviews() -> ReviewedPrincipals:
    """A review that ended yesterday."""
    entry = Review(_CI, ("push",), "a reason", "a role", TODAY.replace(day=TODAY.day - 1), 2)
    return ReviewedPrincipals("principals.yaml", (entry,))


def baseline() -> ReviewedPolicy:
    """A reviewed policy under which only the CI role may push."""
    statement = {"Effect": "Allow", "Principal": {"AWS": _CI}, "Action": "ecr:PutImage"}
    policy = parse(PolicyText("reviewed policy", {"Statement": [statement]}), Kind.RESOURCE)
    return ReviewedPolicy("repository-policy.json", "a role", TODAY, policy)


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
