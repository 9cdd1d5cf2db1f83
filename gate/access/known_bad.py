"""Known-bad inputs that the checks of criterion 5 must reject."""

from __future__ import annotations

from dataclasses import replace
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
_NOBODY = {"Effect": "Deny", "Principal": "*", "Action": "ecr:*"}


def public() -> AccessFacts:
    """Everybody may push."""
    return _facts({"Effect": "Allow", "Principal": "*", "Action": "ecr:*"})


def nobody_may() -> AccessFacts:
    """No policy allows the CI role anything."""
    return _facts(_NOBODY)


def open_to_lambda() -> AccessFacts:
    """Lambda may pull for the functions of every account."""
    pull = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    return _facts({"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": pull})


def open_matrix() -> Matrix:
    """The access matrix if everybody may push."""
    return access_matrix(public())


def assumption_paths() -> tuple[AssumptionPath, ...]:
    """Anybody can become the role."""
    return (AssumptionPath("anybody else", ("ci",), Decision(Ternary.YES, ("trust policy",)), False),)


def no_reviews() -> ReviewedPrincipals:
    """No principal was reviewed."""
    return ReviewedPrincipals("principals.yaml", ())


def expired_reviews() -> ReviewedPrincipals:
    """A review that expired yesterday."""
    review = Review(_CI, ("push",), "a reason", "a role", TODAY.replace(day=TODAY.day - 1), 2)
    return ReviewedPrincipals("principals.yaml", (review,))


def reviewed_policy() -> ReviewedPolicy:
    """A reviewed policy that allows only the CI role to push."""
    statement = {"Effect": "Allow", "Principal": {"AWS": _CI}, "Action": "ecr:PutImage"}
    policy = parse(PolicyText("reviewed policy", {"Statement": [statement]}), Kind.RESOURCE)
    return ReviewedPolicy("repository-policy.json", "a role", TODAY, policy)


def disagreement() -> AccessFacts:
    """The simulator allows what no policy allows."""
    facts = nobody_may()
    return replace(facts, simulations=(Simulation(_CI, "ecr:PutImage", facts.repository_arn, allowed=True),))


def _facts(statement: dict[str, Any]) -> AccessFacts:
    return AccessFacts(
        _ACCOUNT,
        "eu-west-1",
        "repository",
        "function",
        (Identity(_CI, "AROA", (), trust=PolicyText("trust policy", {"Statement": []})),),
        PolicyText("repository policy", {"Statement": [statement]}),
    )
