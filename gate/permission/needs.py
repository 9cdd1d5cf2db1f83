"""Every permission that a run needs, and what for. Pure; the resources are the Service Authorization Reference's.

The list is held against the call log of real runs: a call without a need, or a need without a call, fails a test.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gate.aws.partition import partition_of
from gate.aws.reference import actions
from gate.registry.permitted import AwsCall
from gate.release import Release


@dataclass(frozen=True)
class Need:
    """One permission.

    Attributes:
        action: as IAM writes it, "ecr:DescribeImages".
        purpose: ends the sentence "needed to …".
        enhanced: needed only where Inspector scans the registry.
        optional: without it a run goes on, and leaves undecided what only its answer could decide.
    """

    action: str
    purpose: str
    enhanced: bool = False
    optional: bool = False

    @property
    def service(self) -> str:
        """IAM's prefix of the service."""
        return self.action.partition(":")[0]

    @property
    def operation(self) -> str:
        """The API operation, which has the same name as the action for all that the gate calls."""
        return self.action.partition(":")[2]


_REPOSITORY = """ecr:DescribeRepositories ecr:DescribeImages ecr:ListTagsForResource ecr:GetLifecyclePolicy
    ecr:GetRepositoryPolicy"""
_SCAN = """ecr:GetRegistryScanningConfiguration ecr:BatchGetRepositoryScanningConfiguration
    ecr:DescribeImageScanFindings ecr:StartImageScan"""
_ACCESS = """ecr:GetRegistryPolicy iam:GetAccountAuthorizationDetails iam:GetPolicy iam:GetPolicyVersion
    iam:SimulatePrincipalPolicy"""
_ZIP = """lambda:GetFunctionConfiguration lambda:GetFunction lambda:GetPolicy lambda:ListVersionsByFunction
    lambda:ListAliases lambda:ListEventSourceMappings lambda:ListFunctionUrlConfigs
    lambda:ListFunctionEventInvokeConfigs lambda:ListProvisionedConcurrencyConfigs events:ListEventBuses
    events:ListRuleNamesByTarget events:DescribeRule events:ListTargetsByRule scheduler:ListSchedules
    scheduler:GetSchedule"""
_PUSH = "ecr:BatchCheckLayerAvailability ecr:InitiateLayerUpload ecr:UploadLayerPart ecr:CompleteLayerUpload"


def _all(actions: str, purpose: str, *, enhanced: bool = False, optional: bool = False) -> tuple[Need, ...]:
    return tuple(Need(action, purpose, enhanced, optional) for action in actions.split())


VERIFYING: tuple[Need, ...] = (
    *_all("ecr:GetAuthorizationToken", "log in to the registry"),
    *_all(_REPOSITORY, "read the repository, its settings and its images"),
    *_all("ecr:BatchGetImage ecr:GetDownloadUrlForLayer", "pull the published image and check it"),
    *_all(_SCAN, "have the image scanned and read the result"),
    *_all("inspector2:ListCoverage inspector2:ListFindings", "read Inspector's result", enhanced=True),
    *_all(_ACCESS, "find out who can push and pull"),
    *_all("organizations:DescribeOrganization", "decide conditions on the account's organization", optional=True),
    *_all("lambda:ListFunctions", "find out which functions run as a role that can push or pull", optional=True),
    *_all(_ZIP, "compare the zip function with what it was"),
    *_all("cloudtrail:LookupEvents cloudwatch:GetMetricData", "see what AWS recorded of the zip function"),
)
PUBLISHING: tuple[Need, ...] = (
    *VERIFYING,
    *_all(_PUSH, "push the candidate"),
    *_all("ecr:PutImage", "push the candidate, and give a clean digest the release's tags"),
)
# AWS answers this to anybody, whatever the policies say (STS, GetCallerIdentity).
FREE = frozenset({"sts:GetCallerIdentity"})


def needs_of(publishes: bool) -> tuple[Need, ...]:
    """The needs of a run."""
    return PUBLISHING if publishes else VERIFYING


def uncovered(calls: Iterable[AwsCall], needs: Iterable[Need]) -> tuple[str, ...]:
    """The actions of these calls that no need names."""
    known = {need.action for need in needs} | FREE
    return tuple(sorted({f"{call.service}:{call.operation}" for call in calls} - known))


def unseen(needs: Iterable[Need], calls: Iterable[AwsCall]) -> tuple[str, ...]:
    """The needs that none of these calls has used."""
    used = {f"{call.service}:{call.operation}" for call in calls}
    return tuple(sorted({need.action for need in needs} - used))


def resources(need: Need, release: Release) -> tuple[str, ...]:
    """The narrowest ARNs on which the permission can be granted; "*" where IAM knows no resource for it."""
    action = actions(need.service).get(need.action)
    forms = action.resources if action else ()
    found = {arn for form in forms for arn in _narrowed(form, release)}
    return tuple(sorted(found)) or ("*",)


def _narrowed(form: str, release: Release) -> tuple[str, ...]:
    place, account, kind = f"{release.region}:{release.account}", release.account, form.split(":", 5)[-1]
    aws = f"arn:{partition_of(release.region).name}"
    function = f"{aws}:lambda:{place}:function:{release.zip_function}"
    by_kind = {
        "repository/": (f"{aws}:ecr:{place}:repository/{release.repository}",),
        # Versions and aliases have policies of their own.
        "function:": (function, f"{function}:*"),
        # Which rules and schedules start the function is known only once they have been read.
        "rule/": (f"{aws}:events:{place}:rule/*",),
        "schedule/": (f"{aws}:scheduler:{place}:schedule/*",),
        "policy/": (f"{aws}:iam::{account}:policy/*", f"{aws}:iam::aws:policy/*"),
        "role/": (f"{aws}:iam::{account}:role/*",),
        "user/": (f"{aws}:iam::{account}:user/*",),
    }
    return next((arns for start, arns in by_kind.items() if kind.startswith(start)), ())
