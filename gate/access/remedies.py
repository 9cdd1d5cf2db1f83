"""What a person can do about access that is lacking or too wide: nothing of it takes a Deny or a condition away."""

from __future__ import annotations

from gate.access.decision import Decision, Ternary
from gate.access.evaluation import resource_policies
from gate.access.external_principals import deleted
from gate.access.facts import AccessFacts
from gate.access.request_context import STATED_IN_PYTEST_INI
from gate.access.reviewed_principals import too_wide

_NAME_THEM = "name the few that need it, each in full, in the place of a wildcard: nobody can review everybody"
_REVIEW = "take the permission away, or have the infra team review it and add the principal to principals.yaml"


def remedy_for_missing(decision: Decision, wanted: str, facts: AccessFacts) -> str:
    """What helps one who lacks a permission, and leaves every Deny and every condition as it is."""
    stated = dict.fromkeys(
        STATED_IN_PYTEST_INI[key.lower()] for key in decision.keys if key.lower() in STATED_IN_PYTEST_INI
    )
    # Where the CI role calls from, tells nothing of where Lambda does.
    stated = {key: None for key in stated if wanted == "push" or not key.startswith("ci_")}
    if stated:
        return f"state {' and '.join(stated)} in pytest.ini: then the condition is decided, and stays as it is"
    if decision.answer is Ternary.UNDECIDED and decision.denied:
        return "ask those who keep the Deny whether it lets this principal through, and use one that it surely does"
    if decision.answer is Ternary.UNDECIDED:
        hangs = f" on {', '.join(decision.keys)}" if decision.keys else ""
        return f"grant it to this principal by a statement that does not hang{hangs}, which only a request can tell"
    if decision.denied:
        return "use a principal that the Deny lets through, or ask those who keep it; the Deny stays as it is"
    if gone := deleted(resource_policies(facts), facts):
        return (
            f"set the reviewed policy anew, with the principal's name: {gone[0][0]} in it is one that was deleted, "
            "and a role that was made again under the same name is another principal"
        )
    return "grant it to this principal and this repository alone: docs/policies/ holds the least that a run needs"


def remedy_for_too_much(name: str) -> str:
    """Nobody reviews a name that stands for people who cannot be named."""
    return _NAME_THEM if too_wide(name) else _REVIEW
