"""The repository before the release."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from localaws.seed import names

BASELINE = Path(__file__).resolve().parents[2] / "image" / "repository-policy.json"

# Withdrawn candidates expire after two weeks; no rule selects an image that has a tag.
LIFECYCLE = {
    "rules": [
        {
            "rulePriority": 1,
            "description": "Withdrawn candidates: untagged for two weeks",
            "selection": {
                "tagStatus": "untagged",
                "countType": "sinceImagePushed",
                "countUnit": "days",
                "countNumber": 14,
            },
            "action": {"type": "expire"},
        }
    ]
}


def seed(ecr: Any) -> None:
    """Create the repository with policy, mutability, lifecycle and tags, unless it exists."""
    try:
        ecr.create_repository(
            repositoryName=names.REPOSITORY,
            # Release tags are immutable; these two move.
            imageTagMutability="IMMUTABLE_WITH_EXCLUSION",
            imageTagMutabilityExclusionFilters=[
                {"filterType": "WILDCARD", "filter": "latest"},
                {"filterType": "WILDCARD", "filter": "candidate"},
            ],
            # The release starts its scan itself, after the push.
            imageScanningConfiguration={"scanOnPush": False},
            tags=[{"Key": key, "Value": value} for key, value in names.TAGS.items()],
        )
    except ecr.exceptions.RepositoryAlreadyExistsException:
        return
    policy = json.loads(BASELINE.read_text())["policy"]
    ecr.set_repository_policy(repositoryName=names.REPOSITORY, policyText=json.dumps(policy))
    ecr.put_lifecycle_policy(repositoryName=names.REPOSITORY, lifecyclePolicyText=json.dumps(LIFECYCLE))
