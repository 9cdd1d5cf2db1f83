"""The parameters with which each read permission is tried: the real operation on something small or absent. Pure.

AWS decides about access before it looks for the resource, so an answer such as "there is no such layer" shows that the
permission is granted.
"""

from __future__ import annotations

from typing import Any

from gate.aws.partition import arn, partition_of
from gate.permission.required import RequiredPermission, resources
from gate.release import Release

# No image and no layer has this digest, and nothing has this name.
ABSENT = "sha256:" + "0" * 64
NOBODY = "release-gate-preflight"
# Every account can read this policy, attached or not: only the permission to read it matters.
_MANAGED = "policy/ReadOnlyAccess"


def parameters(permission: RequiredPermission, release: Release) -> dict[str, Any] | None:
    """The parameters; None for a permission that cannot be tried without changing something."""
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
        "ecr:BatchGetImage": {**here, "imageIds": [{"imageDigest": ABSENT}]},
        "ecr:GetDownloadUrlForLayer": {**here, "layerDigest": ABSENT},
        "ecr:BatchCheckLayerAvailability": {**here, "layerDigests": [ABSENT]},
        "ecr:DescribeImageScanFindings": {**here, "imageId": {"imageDigest": ABSENT}},
        "ecr:GetRegistryScanningConfiguration": {},
        "ecr:BatchGetRepositoryScanningConfiguration": {"repositoryNames": [release.repository]},
        "ecr:GetRegistryPolicy": {},
        "ecr:GetSigningConfiguration": {},
        "ecr:DescribeRegistry": {},
        "ecr:DescribeImageSigningStatus": {**here, "imageId": {"imageDigest": ABSENT}},
        "ecr:DescribeImageReplicationStatus": {**here, "imageId": {"imageDigest": ABSENT}},
        "inspector2:ListCoverage": {"maxResults": 1},
        "inspector2:ListFindings": {"maxResults": 1},
        "iam:GetAccountAuthorizationDetails": {"Filter": ["Role"], "MaxItems": 1},
        "iam:GetPolicy": {"PolicyArn": managed},
        "iam:GetPolicyVersion": {"PolicyArn": managed, "VersionId": "v1"},
        "events:ListEventBuses": {"Limit": 1},
        "events:ListRuleNamesByTarget": {"TargetArn": function_arn},
        "events:DescribeRule": {"Name": NOBODY},
        "events:ListTargetsByRule": {"Rule": NOBODY},
        "scheduler:ListSchedules": {"MaxResults": 1},
        "scheduler:GetSchedule": {"Name": NOBODY},
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
