"""Whether a run may begin: is every permission that it needs there? Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from gate.check import CheckResult, Rejection, check, reject
from gate.permission.needs import Need


class State(StrEnum):
    """What is known of a permission before it is used."""

    HELD = "held"
    MISSING = "missing"
    DENIED = "denied by a policy"
    UNKNOWN = "not checked before it is needed"


@dataclass(frozen=True)
class Holding:
    """One permission, and what is known of it.

    Attributes:
        why: how that is known, or AWS's own words of refusal.
    """

    need: Need
    state: State
    why: str


@check(8, known_bad=lambda: ((Holding(Need("ecr:PutImage", "push"), State.MISSING, "denied"),), "arn:role/x", "f"))
def check_holdings(holdings: Iterable[Holding], caller: str, policy: str) -> CheckResult:
    """Whether no permission is known to be missing or denied, so that the run does not end half-way.

    What the run can do without passes, and so does what could not be checked: the call itself is refused, in the same
    words, when it is made.

    Args:
        holdings: every permission that the run needs.
        caller: the ARN of whoever runs it.
        policy: the file of the policy that grants what is needed.
    """
    holdings = tuple(holdings)
    if not holdings:
        return reject("No permission was looked at before the run, so nothing is known of them", caller,
                      f"this is a defect of the gate; what a run needs stands in {policy}")  # fmt: skip
    return CheckResult.of(
        Rejection(
            f"The caller may not {each.need.action}, which is needed to {each.need.purpose}: {each.why}",
            caller,
            _way_out(each, policy),
        )
        for each in holdings
        if each.state in (State.MISSING, State.DENIED) and not each.need.optional
    )


def _way_out(holding: Holding, policy: str) -> str:
    if holding.state is State.DENIED:
        return "run it as a principal that the Deny lets through, or ask those who keep it; the Deny stays as it is"
    return f"grant {holding.need.action} to it; {policy} is the least that such a run needs"
