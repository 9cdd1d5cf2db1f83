"""Whether the caller has the permissions that a run requires. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from gate.check import CheckResult, Rejection, check, reject
from gate.permission.required import RequiredPermission


class PermissionState(StrEnum):
    """What is known about a permission before it is used."""

    GRANTED = "granted"
    MISSING = "missing"
    DENIED = "denied by a policy"
    UNKNOWN = "not checked before it is needed"


@dataclass(frozen=True)
class PermissionStatus:
    """A required permission and whether it is granted.

    Attributes:
        why: how this is known, or AWS's error message.
    """

    permission: RequiredPermission
    state: PermissionState
    why: str


@check(
    8,
    known_bad=lambda: (
        (PermissionStatus(RequiredPermission("ecr:PutImage", "push"), PermissionState.MISSING, "denied"),),
        "arn:role/x",
        "f",
    ),
)
def check_permissions(statuses: Iterable[PermissionStatus], caller: str, policy: str) -> CheckResult:
    """Whether no required permission is known to be missing or denied, so that the run does not stop half-way.

    Optional permissions pass, and so do those that could not be checked: AWS refuses the call itself when it is made.

    Args:
        statuses: every permission that the run requires.
        caller: the ARN of whoever runs it.
        policy: the file with the policy that grants the required permissions.
    """
    statuses = tuple(statuses)
    if not statuses:
        return reject("No permission was checked before the run", caller,
                      f"this is a defect of the gate; {policy} has the permissions that a run requires")  # fmt: skip
    return CheckResult.of(
        Rejection(
            f"The caller may not {each.permission.action}, which is needed to {each.permission.purpose}: {each.why}",
            caller,
            _remedy(each, policy),
        )
        for each in statuses
        if each.state in (PermissionState.MISSING, PermissionState.DENIED) and not each.permission.optional
    )


def _remedy(status: PermissionStatus, policy: str) -> str:
    if status.state is PermissionState.DENIED:
        return "run it as a principal that the Deny does not apply to, or ask its owners; the Deny stays as it is"
    return f"grant it {status.permission.action}; {policy} is the least-privilege policy for such a run"
