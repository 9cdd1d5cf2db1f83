"""Known-bad inputs that the checks of criterion 5 must reject."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from gate.access.decision import Decision, Ternary
from gate.access.document import Kind, PolicyText, parse
from gate.access.facts import AccessFacts, Identity, Simulation
from gate.access.reviewed_policy import ReviewedPolicy
from gate.access.reviewed_principals import Review, ReviewedPrincipals
from gate.access.trust import AssumptionPath

TODAY = date(2025, 10, 18)
CI = "arn:aws:iam::000000000000:role/ci"
# Anybody can become the role.
ASSUMPTION_PATHS = (AssumptionPath("anybody else", ("ci",), Decision(Ternary.YES, ("trust policy",)), False),)
NO_REVIEWS = ReviewedPrincipals("principals.yaml", ())
# A review that expired yesterday.
EXPIRED = ReviewedPrincipals("principals.yaml", (Review(CI, ("push",), "a reason", "a role", date(2025, 10, 17), 2),))


def facts(effect: str = "Allow", principal: object = "*", action: str = "ecr:*") -> AccessFacts:
    """An account with the role ci, which may do nothing, and a repository policy of one statement."""
    statement = {"Effect": effect, "Principal": principal, "Action": action}
    return AccessFacts(
        "000000000000",
        "eu-west-1",
        "repository",
        "function",
        (Identity(CI, "AROA", (), trust=PolicyText("trust policy", {"Statement": []})),),
        PolicyText("repository policy", {"Statement": [statement]}),
    )


def open_to_lambda() -> AccessFacts:
    """Lambda may pull for the functions of every account."""
    return facts(principal={"Service": "lambda.amazonaws.com"}, action="ecr:*")


def reviewed_policy() -> ReviewedPolicy:
    """A reviewed policy that allows only the CI role to push."""
    statement = {"Effect": "Allow", "Principal": {"AWS": CI}, "Action": "ecr:PutImage"}
    policy = parse(PolicyText("reviewed policy", {"Statement": [statement]}), Kind.RESOURCE)
    return ReviewedPolicy("repository-policy.json", "a role", TODAY, policy)


def disagreement() -> AccessFacts:
    """The simulator allows what no policy allows."""
    nobody = facts("Deny")
    return replace(nobody, simulations=(Simulation(CI, "ecr:PutImage", nobody.repository_arn, allowed=True),))
