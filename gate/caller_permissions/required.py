"""The permissions that a run requires, the least-privilege policy that grants them, and the check that they are. Pure.

The resource types come from the Service Authorization Reference. A test compares the list with the call logs of real
runs: it fails for a call that no permission is for, and for a permission that no call uses.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from gate.aws.partition import partition_of
from gate.aws.service_authorization import actions
from gate.check import CheckResult, Rejection, check, reject
from gate.registry.permitted_calls import AwsCall
from gate.release import Release


@dataclass(frozen=True)
class RequiredPermission:
    """One required permission.

    Attributes:
        action: as IAM writes it, "ecr:DescribeImages".
        purpose: completes the sentence "needed to …".
        enhanced: required only if Inspector scans the registry.
        optional: a run goes on without it; what depends on it stays undecided.
    """

    action: str
    purpose: str
    enhanced: bool = False
    optional: bool = False

    @property
    def service(self) -> str:
        """The service prefix."""
        return self.action.partition(":")[0]

    @property
    def operation(self) -> str:
        """The API operation; for every call of the gate it has the same name as the action."""
        return self.action.partition(":")[2]


_REPOSITORY = """ecr:DescribeRepositories ecr:DescribeImages ecr:ListTagsForResource ecr:GetLifecyclePolicy
    ecr:GetRepositoryPolicy"""
_SCAN = """ecr:GetRegistryScanningConfiguration ecr:BatchGetRepositoryScanningConfiguration
    ecr:DescribeImageScanFindings ecr:StartImageScan"""
_MANAGED = "ecr:GetSigningConfiguration ecr:DescribeRegistry"
_MANAGED_IMAGES = "ecr:DescribeImageSigningStatus ecr:DescribeImageReplicationStatus"
_ACCESS = """ecr:GetRegistryPolicy iam:GetAccountAuthorizationDetails iam:GetPolicy iam:GetPolicyVersion
    iam:SimulatePrincipalPolicy"""
_ZIP = """lambda:GetFunctionConfiguration lambda:GetFunction lambda:GetPolicy lambda:ListVersionsByFunction
    lambda:ListAliases lambda:ListEventSourceMappings lambda:ListFunctionUrlConfigs
    lambda:ListFunctionEventInvokeConfigs lambda:ListProvisionedConcurrencyConfigs events:ListEventBuses
    events:ListRuleNamesByTarget events:DescribeRule events:ListTargetsByRule scheduler:ListSchedules
    scheduler:GetSchedule"""
_PUSH = "ecr:BatchCheckLayerAvailability ecr:InitiateLayerUpload ecr:UploadLayerPart ecr:CompleteLayerUpload"


def _all(
    actions: str, purpose: str, *, enhanced: bool = False, optional: bool = False
) -> tuple[RequiredPermission, ...]:
    return tuple(RequiredPermission(action, purpose, enhanced, optional) for action in actions.split())


_OF_THE_ZIP_FUNCTION = (
    *_all(_ZIP, "compare the zip function with what it was"),
    *_all("cloudtrail:LookupEvents cloudwatch:GetMetricData", "see what AWS recorded of the zip function"),
)
VERIFYING: tuple[RequiredPermission, ...] = (
    *_all("ecr:GetAuthorizationToken", "log in to the registry"),
    *_all(_REPOSITORY, "read the repository, its settings and its images"),
    *_all("ecr:BatchGetImage ecr:GetDownloadUrlForLayer", "pull the published image and check it"),
    *_all(_MANAGED, "find out whether the registry signs or replicates what is pushed"),
    *_all(_MANAGED_IMAGES, "see how far it is with the image, where it does", optional=True),
    *_all(_SCAN, "have the image scanned and read the result"),
    *_all("inspector2:ListCoverage inspector2:ListFindings", "read Inspector's result", enhanced=True),
    *_all(_ACCESS, "find out who can push and pull"),
    *_all("organizations:DescribeOrganization", "decide conditions on the account's organization", optional=True),
    *_all("lambda:ListFunctions", "find out which functions run as a role that can push or pull", optional=True),
    *_OF_THE_ZIP_FUNCTION,
)
PUBLISHING: tuple[RequiredPermission, ...] = (
    *VERIFYING,
    *_all(_PUSH, "push the candidate"),
    *_all("ecr:PutImage", "push the candidate, and give a clean digest the release's tags"),
)
# No permission is required for this call (AWS STS API Reference, GetCallerIdentity).
NO_PERMISSION_REQUIRED = frozenset({"sts:GetCallerIdentity"})


def required_by(publishes: bool, release: Release) -> tuple[RequiredPermission, ...]:
    """The permissions that a run of this release requires."""
    whole = PUBLISHING if publishes else VERIFYING
    return whole if release.zip_function else tuple(each for each in whole if each not in _OF_THE_ZIP_FUNCTION)


def missing(calls: Iterable[AwsCall], required: Iterable[RequiredPermission]) -> tuple[str, ...]:
    """The actions of these calls that are not among the required permissions."""
    known = {each.action for each in required} | NO_PERMISSION_REQUIRED
    return tuple(sorted({f"{call.service}:{call.operation}" for call in calls} - known))


def resources(permission: RequiredPermission, release: Release) -> tuple[str, ...]:
    """The narrowest ARNs that it can be granted on; "*" if the action has no resource type."""
    action, places = actions(permission.service).get(permission.action), _places(release)
    kinds = {_kind(form) for form in (action.resources if action else ())}
    return tuple(sorted(arn for kind in kinds & places.keys() for arn in places[kind][1])) or ("*",)


def policies_of(release: Release) -> dict[str, dict[str, Any]]:
    """The least-privilege policies of a release by the name of their file in docs/policies."""
    return {
        name: least_privilege_policy(required_by(publishes, release), release)
        for name, publishes in (("verify", False), ("publish", True))
    }


def least_privilege_policy(required: Iterable[RequiredPermission], release: Release) -> dict[str, Any]:
    """The IAM policy that grants these permissions and no more: one statement for each set of resources."""
    granted: dict[tuple[str, ...], list[str]] = {}
    for each in required:
        granted.setdefault(resources(each, release), []).append(each.action)
    places = {**_places(release), "*": ("WhereIamKnowsNoResource", ())}
    statements = [
        {
            "Sid": places[_kind(arns[0])][0],
            "Effect": "Allow",
            "Action": sorted(set(actions)),
            "Resource": arns[0] if len(arns) == 1 else list(arns),
        }
        for arns, actions in sorted(granted.items())
    ]
    return {"Version": "2012-10-17", "Statement": statements}


def _kind(arn: str) -> str:
    """The kind of resource in an ARN, or in the format of one."""
    return arn.split(":", 5)[-1].replace("/", ":").partition(":")[0]


def _places(release: Release) -> dict[str, tuple[str, tuple[str, ...]]]:
    """For each kind of resource, how its statement is called, and the ARNs of what a run needs of it."""
    here, account = f"{release.region}:{release.account}", release.account
    aws = f"arn:{partition_of(release.region).name}"
    function = f"{aws}:lambda:{here}:function:{release.zip_function}"
    return {
        "repository": ("TheRepository", (f"{aws}:ecr:{here}:repository/{release.repository}",)),
        # Versions and aliases have policies of their own.
        "function": ("TheZipFunction", (function, f"{function}:*")),
        # Which rules and schedules start the function is known only after they have been read.
        "rule": ("ItsRules", (f"{aws}:events:{here}:rule/*",)),
        "schedule": ("ItsSchedules", (f"{aws}:scheduler:{here}:schedule/*",)),
        "policy": ("PoliciesOfTheAccount", (f"{aws}:iam::{account}:policy/*", f"{aws}:iam::aws:policy/*")),
        "role": ("PrincipalsOfTheAccount", (f"{aws}:iam::{account}:role/*",)),
        "user": ("PrincipalsOfTheAccount", (f"{aws}:iam::{account}:user/*",)),
    }


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
