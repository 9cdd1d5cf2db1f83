"""Which AWS calls change something, and which changes a release may make. Pure.

An operation that is not on the list of reads counts as a change: a new API is not trusted because it is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gate.aws.errors import LOGGED_OUT, NOT_ALLOWED
from gate.check import CheckResult, Rejection, check, reject


def _named(operations: str) -> frozenset[str]:
    return frozenset(operations.split())


READS: dict[str, frozenset[str]] = {
    "ecr": _named("""BatchCheckLayerAvailability BatchGetImage BatchGetRepositoryScanningConfiguration DescribeImages
        DescribeImageScanFindings DescribeRegistry DescribeRepositories GetAccountSetting GetAuthorizationToken
        GetDownloadUrlForLayer GetLifecyclePolicy GetLifecyclePolicyPreview GetRegistryPolicy
        GetRegistryScanningConfiguration GetRepositoryPolicy ListImages ListTagsForResource
        DescribePullThroughCacheRules DescribeRepositoryCreationTemplates DescribeImageReplicationStatus
        ListPullTimeUpdateExclusions GetSigningConfiguration DescribeImageSigningStatus"""),
    # AssumeRole and its kin mint credentials for the caller; nothing in the account is changed by it.
    "sts": _named("""GetCallerIdentity AssumeRole AssumeRoleWithWebIdentity AssumeRoleWithSAML GetSessionToken
        DecodeAuthorizationMessage GetAccessKeyInfo"""),
    "sso": frozenset({"GetRoleCredentials", "ListAccountRoles", "ListAccounts"}),
    "sso-oidc": frozenset({"CreateToken"}),
    "signin": frozenset({"CreateOAuth2Token"}),
    "lambda": _named("""GetFunction GetFunctionConfiguration GetFunctionConcurrency GetPolicy GetAlias GetLayerVersion
        GetLayerVersionByArn ListVersionsByFunction ListAliases ListEventSourceMappings ListFunctionUrlConfigs
        ListFunctionEventInvokeConfigs ListProvisionedConcurrencyConfigs ListFunctions ListTags
        GetFunctionEventInvokeConfig GetFunctionUrlConfig GetEventSourceMapping"""),
    "events": _named("ListRuleNamesByTarget ListTargetsByRule ListRules ListEventBuses DescribeRule DescribeEventBus"),
    "scheduler": _named("ListSchedules GetSchedule ListScheduleGroups GetScheduleGroup ListTagsForResource"),
    "cloudtrail": frozenset({"LookupEvents", "DescribeTrails", "GetTrailStatus"}),
    "cloudwatch": frozenset({"GetMetricData", "GetMetricStatistics", "ListMetrics"}),
    "iam": _named(
        """GetAccountAuthorizationDetails GetRole GetRolePolicy GetPolicy GetPolicyVersion GetUser GetUserPolicy
        GetGroup GetGroupPolicy GetOpenIDConnectProvider ListRoles ListUsers ListGroups ListGroupsForUser
        ListRolePolicies ListAttachedRolePolicies ListUserPolicies ListAttachedUserPolicies ListGroupPolicies
        ListAttachedGroupPolicies ListPolicies ListPolicyVersions ListEntitiesForPolicy ListAccountAliases
        ListOpenIDConnectProviders ListRoleTags SimulatePrincipalPolicy SimulateCustomPolicy
        GetContextKeysForPrincipalPolicy"""
    ),
    "accessanalyzer": _named(
        "CheckNoNewAccess CheckAccessNotGranted CheckNoPublicAccess ValidatePolicy ListAnalyzers ListFindings"
    ),
    "inspector2": _named(
        "ListCoverage ListCoverageStatistics ListFindings ListFindingAggregations BatchGetAccountStatus"
    ),
    "organizations": frozenset({"DescribeOrganization", "ListPolicies", "DescribePolicy", "ListPoliciesForTarget"}),
}

# What the promotion does, and nothing besides: a push, the two tags (PutImage), the scan.
PUSH = ("InitiateLayerUpload", "UploadLayerPart", "CompleteLayerUpload", "PutImage")
ALLOWED_CHANGES = frozenset({("ecr", operation) for operation in (*PUSH, "StartImageScan")})
_RECORD = "this is a defect of the gate: every client records its calls"

# Services through which the zip function, its code, triggers and schedule could be changed.
_ZIP_SERVICES = frozenset({"lambda", "events", "scheduler", "cloudformation", "pipes"})


@dataclass(frozen=True)
class AwsCall:
    """One call of a run to AWS. It holds no parameter but the resource's name.

    Attributes:
        at: UTC time at which it was sent, ISO 8601.
        service: AWS's name of the service ("ecr").
        operation: AWS's name of the operation ("PutImage").
        resource: the name or ARN it was about, "*" where it names none.
        outcome: "ok", the error's code, or "unanswered".
        seconds: until it was answered.
        retries: how often botocore sent it again.
        region: the region that was asked.
    """

    at: str
    service: str
    operation: str
    resource: str
    outcome: str
    seconds: float
    retries: int = 0
    region: str = ""

    @property
    def changes_something(self) -> bool:
        """Whether it is not on the list of reads."""
        return self.operation not in READS.get(self.service, frozenset())

    @property
    def refused(self) -> bool:
        """Whether AWS refused it before anything was done: the caller was not allowed, or not known."""
        return self.outcome in NOT_ALLOWED | LOGGED_OUT

    def __str__(self) -> str:
        return f"{self.service}:{self.operation} on {self.resource} ({self.outcome})"


def _call(service: str, operation: str, resource: str) -> AwsCall:
    return AwsCall("2025-01-01T00:00:00+00:00", service, operation, resource, "ok", 0.1)


@check(2, known_bad=lambda: ((_call("ecr", "BatchDeleteImage", "repo:v1"),), "repo"))
def check_changes(calls: Iterable[AwsCall], repository: str) -> CheckResult:
    """Whether every call that changes something is one that publishing needs, on the release's repository.

    Args:
        calls: the call log of the run.
        repository: the release's repository name.
    """
    calls = tuple(calls)
    if not calls:
        said = "The call log is empty: not one AWS call was recorded, so nothing is known about changes"
        return reject(said, "the call log", _RECORD)
    return CheckResult.of(
        Rejection(
            f"The run called {call}, which a release may not",
            f"the call log, {call.at}",
            "find the code that calls it; a release only pushes, tags and scans in its own repository",
        )
        for call in calls
        if call.changes_something and not _is_allowed(call, repository)
    )


def _is_allowed(call: AwsCall, repository: str) -> bool:
    named = call.resource.split("@")[0].split(":")[0]
    return (call.service, call.operation) in ALLOWED_CHANGES and named == repository


@check(4, known_bad=lambda: ((_call("lambda", "UpdateFunctionCode", "f"),), "f"))
def check_zip_calls(calls: Iterable[AwsCall], function: str) -> CheckResult:
    """Whether no call of the run could have changed the zip function, its triggers or its schedule.

    A call that AWS refused changed nothing; that it was made at all is a matter of `check_changes`.

    Args:
        calls: the call log of the run.
        function: the zip function's name.
    """
    calls = tuple(calls)
    if not calls:
        return reject("The call log is empty, so nothing is known about calls on the zip function", "the call log",
                      _RECORD)  # fmt: skip
    return CheckResult.of(
        Rejection(
            f"The run called {call}: it may have changed the zip function {function}",
            f"the call log, {call.at}",
            "look at the function in the console and put it back; then find the code that makes this call",
        )
        for call in calls
        if call.changes_something and not call.refused and (call.service in _ZIP_SERVICES or function in call.resource)
    )
