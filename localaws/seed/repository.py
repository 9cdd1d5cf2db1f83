"""The repository before the release."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError

from localaws import LocalTargetError
from localaws.seed.release import REVIEWED, SeededRelease

# Withdrawn candidates expire after two weeks; no rule selects an image that has a tag.
_UNTAGGED = {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 14}
_WITHDRAWN = {
    "rulePriority": 1,
    "description": "Withdrawn candidates: untagged for two weeks",
    "selection": _UNTAGGED,
    "action": {"type": "expire"},
}
LIFECYCLE = {"rules": [_WITHDRAWN]}
_TAGS = {"ManagedBy": "terraform", "Environment": "production", "ProvisionedBy": "platform-engineering"}


def seed(ecr: Any, release: SeededRelease) -> None:
    """Create the repository with policy, mutability, lifecycle and tags, unless it exists.

    Raises:
        LocalTargetError: the reviewed policy is one that ECR refuses.
    """
    try:
        ecr.create_repository(
            repositoryName=release.repository,
            # Release tags are immutable; these move.
            imageTagMutability="IMMUTABLE_WITH_EXCLUSION",
            imageTagMutabilityExclusionFilters=[
                {"filterType": "WILDCARD", "filter": tag} for tag in release.moving_tags
            ],
            # The release starts its scan itself, after the push.
            imageScanningConfiguration={"scanOnPush": False},
            tags=[{"Key": key, "Value": value} for key, value in {**_TAGS, "Project": release.repository}.items()],
        )
    except ecr.exceptions.RepositoryAlreadyExistsException:
        return
    ecr.put_lifecycle_policy(repositoryName=release.repository, lifecyclePolicyText=json.dumps(LIFECYCLE))
    if release.repository_policy is None:
        return
    try:
        ecr.set_repository_policy(repositoryName=release.repository, policyText=json.dumps(release.repository_policy))
    except ClientError as refused:
        raise LocalTargetError(f"the policy in {REVIEWED} cannot be set on a repository: {refused}") from refused
