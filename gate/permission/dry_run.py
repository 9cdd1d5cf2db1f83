"""The call with which each permission to read is tried out: the real operation, about something small or absent. Pure.

AWS decides about access before it looks for the thing, so "there is no such layer" says that asking is allowed.
"""

from __future__ import annotations

from typing import Any

from gate.aws.partition import arn, partition_of
from gate.permission.required import RequiredPermission, resources
from gate.release import Release

# No image and no layer has this digest; nothing is called this.
ABSENT = "sha256:" + "0" * 64
NOBODY = "release-gate-preflight"
# Attached in any account or none, and readable in all: what is asked is whether asking is allowed.
_MANAGED = "policy/ReadOnlyAccess"


def parameters(need: RequiredPermission, release: Release) -> dict[str, Any] | None:
    """What to send; None for a permission that cannot be tried out without changing something."""
    here = {"registryId": release.account, "repositoryName": release.repository}
    function = {"FunctionName": release.zip_function}
    repository = next(iter(resources(need, release)))
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
    return fixed.get(need.action, function if need.service == "lambda" else None)
