"""Which of the required permissions the caller has, found out without changing anything.

Read operations are tried. For write operations IAM's simulator evaluates the caller's own policies, and if these do not
allow the action, the repository policy is read: an allow in either suffices (ECR User Guide, "Private repository
policies"). Session policies and VPC endpoint policies are not seen; what they deny shows when it is called.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache
from operator import itemgetter
from typing import Any

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError

from gate.access.document import Kind, PolicyText, Statement, parse
from gate.access.matching import covers
from gate.access.principal import SESSION
from gate.aws.calls import ask, pages
from gate.aws.errors import LOGGED_OUT, NOT_ALLOWED, AwsNotFound, error_code, explained, garbled
from gate.aws.partition import arn, partition_of
from gate.caller_permissions.required import PermissionState, PermissionStatus, RequiredPermission, resources
from gate.errors import GateError
from gate.release import Release
from gate.text import plain

_USER = re.compile(r"arn:[\w-]+:iam::\d{12}:user/.+")
# The call was allowed, and the resource does not exist: each service has its own error code for it.
_ABSENT = re.compile(r"NotFound|NoSuchEntity|DoesNotExist")

# No image and no layer has this digest, and nothing has this name.
_NO_DIGEST = "sha256:" + "0" * 64
_NO_NAME = "release-gate-preflight"
# Every account can read this policy, attached or not: only the permission to read it matters.
_MANAGED = "policy/ReadOnlyAccess"

_Known = tuple[PermissionState, str]


class GrantedPermissions:
    """The permissions of one caller.

    Args:
        client: makes a boto3 client of a service.
        release: the release that the permissions are for.
        caller: the ARN that GetCallerIdentity answers.
    """

    def __init__(self, client: Callable[[str], Any], release: Release, caller: str) -> None:
        self._client, self._release, self._caller = cache(client), release, caller

    def of(self, required: Iterable[RequiredPermission]) -> tuple[PermissionStatus, ...]:
        """The status of each required permission.

        Raises:
            AwsRefused: the credentials are not accepted.
        """
        enhanced = self._enhanced()
        return tuple(PermissionStatus(each, *self._known(each)) for each in required if enhanced or not each.enhanced)

    def _known(self, permission: RequiredPermission) -> _Known:
        sent = parameters(permission, self._release)
        if sent is not None:
            return self._tried(permission, sent)
        if (principal := self._principal()) is None:
            return PermissionState.UNKNOWN, "IAM's simulator evaluates roles and users only"
        if permission.action == "iam:SimulatePrincipalPolicy":
            return self._tried(permission, {"PolicySourceArn": principal, "ActionNames": ["ecr:PutImage"]})
        return self._simulated(permission, principal)

    def _tried(self, permission: RequiredPermission, sent: dict[str, Any]) -> _Known:
        try:
            getattr(self._client(permission.service), xform_name(permission.operation))(**sent)
        except ClientError as error:
            return _from_error(permission, error)
        except (BotoCoreError, *garbled()) as error:
            return PermissionState.UNKNOWN, plain(f"{type(error).__name__}: {error}")
        return PermissionState.GRANTED, "the call was answered"

    def _simulated(self, permission: RequiredPermission, principal: str) -> _Known:
        try:
            result = ask(
                self._client("iam"),
                "simulate_principal_policy",
                principal,
                lambda answer: answer["EvaluationResults"][0],
                PolicySourceArn=principal,
                ActionNames=[permission.action],
                ResourceArns=list(resources(permission, self._release)),
            )
        except GateError as refusal:
            return PermissionState.UNKNOWN, f"the simulator cannot be called: {refusal.cause}"
        if result.get("MissingContextValues"):
            return PermissionState.UNKNOWN, "IAM's simulator: a condition depends on the request itself"
        if result["EvalDecision"] == "explicitDeny" or not result.get("OrganizationsDecisionDetail", {}).get(
            "AllowedByOrganizations", True
        ):
            return PermissionState.DENIED, "IAM's simulator: a policy denies it"
        if result["EvalDecision"] == "allowed":
            return PermissionState.GRANTED, "IAM's simulator: the caller's own policies allow it"
        return self._by_repository_policy(permission, principal)

    def _by_repository_policy(self, permission: RequiredPermission, principal: str) -> _Known:
        try:
            statements = self._repository_policy()
        except AwsNotFound:
            statements = ()
        except GateError as refusal:
            return PermissionState.UNKNOWN, f"the repository policy cannot be read: {refusal.cause}"
        allowing = [each for each in statements if _allows(each, principal, permission.action)]
        if not allowing:
            return PermissionState.MISSING, "neither the caller's policies nor the repository's allow it"
        if all(each.conditions for each in allowing):
            return PermissionState.UNKNOWN, "the repository policy allows it on a condition"
        return PermissionState.GRANTED, "the repository policy allows it"

    def _repository_policy(self) -> tuple[Statement, ...]:
        text = ask(
            self._client("ecr"),
            "get_repository_policy",
            self._release.repository,
            itemgetter("policyText"),
            ("RepositoryPolicyNotFoundException",),
            registryId=self._release.account,
            repositoryName=self._release.repository,
        )
        return parse(PolicyText("the repository policy", text), Kind.RESOURCE).statements

    @cache  # noqa: B019 - one short-lived object a run
    def _principal(self) -> str | None:
        """The ARN of the caller's role or user, as the simulator takes it."""
        if _USER.fullmatch(self._caller):
            return self._caller
        session = SESSION.fullmatch(self._caller)
        if session is None:
            return None
        # The ARN of a session has no path, and roles of IAM Identity Center have one: the roles are listed.
        listing = ("get_account_authorization_details", self._caller)
        try:
            roles = pages(self._client("iam"), *listing, itemgetter("RoleDetailList"), Filter=["Role"])
            return next((str(role["Arn"]) for role in roles if role["RoleName"] == session[2]), None)
        except GateError:
            # The permission to list roles is itself a required one, and is reported as missing.
            return None

    def _enhanced(self) -> bool:
        try:
            answer = self._client("ecr").get_registry_scanning_configuration()
        except (ClientError, BotoCoreError, *garbled()):
            return False
        return bool(answer.get("scanningConfiguration", {}).get("scanType") == "ENHANCED")


def _from_error(permission: RequiredPermission, error: ClientError) -> _Known:
    code, said = error_code(error), str(error.response.get("Error", {}).get("Message", ""))
    if code in LOGGED_OUT:
        raise explained(error, permission.action, "the permissions of the caller") from error
    if code in NOT_ALLOWED:
        return PermissionState.MISSING, said or code
    if _ABSENT.search(code):
        return PermissionState.GRANTED, f"the call was allowed, and found nothing ({code})"
    return PermissionState.UNKNOWN, f"{code}: {said}"


def _allows(statement: Statement, principal: str, action: str) -> bool:
    named = ("AWS", principal) in statement.principals and not statement.excepting_principals
    return statement.allows and named and covers(statement, action)


def parameters(permission: RequiredPermission, release: Release) -> dict[str, Any] | None:
    """The parameters with which a read permission is tried: the real operation, on something small or absent.

    AWS decides about access before it looks for the resource, so an answer such as "there is no such layer" shows that
    the permission is granted. None for a permission that cannot be tried without changing something.
    """
    here = {"registryId": release.account, "repositoryName": release.repository}
    function = {"FunctionName": release.zip_function}
    repository = next(iter(resources(permission, release)))
    managed = arn("iam", "", "aws", _MANAGED, partition=partition_of(release.region).name)
    function_arn = arn("lambda", release.region, release.account, "function:x")
    metric = {"Namespace": "AWS/Lambda", "MetricName": "Invocations"}
    fixed: dict[str, dict[str, Any]] = {
        "ecr:GetAuthorizationToken": {},
        "ecr:DescribeRepositories": {"registryId": release.account, "repositoryNames": [release.repository]},
        "ecr:DescribeImages": {**here, "maxResults": 1},
        "ecr:ListTagsForResource": {"resourceArn": repository},
        "ecr:GetLifecyclePolicy": here,
        "ecr:GetRepositoryPolicy": here,
        "ecr:BatchGetImage": {**here, "imageIds": [{"imageDigest": _NO_DIGEST}]},
        "ecr:GetDownloadUrlForLayer": {**here, "layerDigest": _NO_DIGEST},
        "ecr:BatchCheckLayerAvailability": {**here, "layerDigests": [_NO_DIGEST]},
        "ecr:DescribeImageScanFindings": {**here, "imageId": {"imageDigest": _NO_DIGEST}},
        "ecr:GetRegistryScanningConfiguration": {},
        "ecr:BatchGetRepositoryScanningConfiguration": {"repositoryNames": [release.repository]},
        "ecr:GetRegistryPolicy": {},
        "ecr:GetSigningConfiguration": {},
        "ecr:DescribeRegistry": {},
        "ecr:DescribeImageSigningStatus": {**here, "imageId": {"imageDigest": _NO_DIGEST}},
        "ecr:DescribeImageReplicationStatus": {**here, "imageId": {"imageDigest": _NO_DIGEST}},
        "inspector2:ListCoverage": {"maxResults": 1},
        "inspector2:ListFindings": {"maxResults": 1},
        "iam:GetAccountAuthorizationDetails": {"Filter": ["Role"], "MaxItems": 1},
        "iam:GetPolicy": {"PolicyArn": managed},
        "iam:GetPolicyVersion": {"PolicyArn": managed, "VersionId": "v1"},
        "events:ListEventBuses": {"Limit": 1},
        "events:ListRuleNamesByTarget": {"TargetArn": function_arn},
        "events:DescribeRule": {"Name": _NO_NAME},
        "events:ListTargetsByRule": {"Rule": _NO_NAME},
        "scheduler:ListSchedules": {"MaxResults": 1},
        "scheduler:GetSchedule": {"Name": _NO_NAME},
        "organizations:DescribeOrganization": {},
        "lambda:ListFunctions": {"MaxItems": 1},
        "cloudtrail:LookupEvents": {"MaxResults": 1},
        "cloudwatch:GetMetricData": {
            "MetricDataQueries": [{"Id": "any", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}}],
            "StartTime": "2025-10-18T00:00:00Z",
            "EndTime": "2025-10-18T00:01:00Z",
        },
    }
    return fixed.get(permission.action, function if permission.service == "lambda" else None)
