"""What is seeded for a release, made from pytest.ini: its account, region, names, and the policies of its roles."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gate.aws.partition import arn, partition_of
from gate.release import GITHUB, Release, role_name
from localaws import LocalTargetError

Document = Mapping[str, Any]

OIDC_AUDIENCE = "sts.amazonaws.com"
REVIEWED = "repository-policy.json"
# MiniStack and the rules of localaws.ecr name every resource arn:aws:….
_PARTITION = "aws"


@dataclass(frozen=True, kw_only=True)
class SeededRelease(Release):
    """A release, and what the account holds before it.

    Attributes:
        policies: what the CI role ("publish") and the role of the night ("verify") may do.
        repository_policy: as it was reviewed; None where no such file can be read, which the gate's scenarios say.
    """

    policies: Mapping[str, Document]
    repository_policy: Document | None

    @classmethod
    def of(cls, release: Release, context: Path, policies: Mapping[str, Document]) -> SeededRelease:
        """What is seeded for a release.

        Args:
            release: as pytest.ini states it.
            context: the folder with the reviewed repository policy.
            policies: the least-privilege policies of the release, "publish" and "verify".

        Raises:
            LocalTargetError: the region is of a partition that cannot be simulated.
        """
        partition = partition_of(release.region).name
        if partition != _PARTITION:
            raise LocalTargetError(
                f"the local target simulates regions of the partition {_PARTITION!r}, and {release.region} is of "
                f'{partition!r}: rehearse what asks the image alone (-m "(ac1 or ac6) and not published"), or use '
                "--target aws"
            )
        return cls(**vars(release), policies=policies, repository_policy=_reviewed(context / REVIEWED))

    @property
    def moving_tags(self) -> tuple[str, ...]:
        """The tags that may be moved; every other tag is immutable."""
        return tuple(filter(None, (self.rolling_tag, self.candidate_tag)))

    @property
    def administrator(self) -> str:
        """The role of the account's administrator."""
        return self.administrator_role or "administrator"

    @property
    def developer(self) -> str:
        """The role of a developer, who may read everything about the images and pull none of them."""
        return role_name(self.repository, "developer")

    @property
    def zip_role(self) -> str:
        """The role that the zip function runs as."""
        return role_name(self.zip_function, "role")

    @property
    def scheduler_role(self) -> str:
        """The role with which EventBridge Scheduler invokes the zip function."""
        return role_name(self.zip_function, "scheduler-role")

    @property
    def rule(self) -> str:
        """The EventBridge rule that invokes the zip function."""
        return role_name(self.zip_function, "every-20-minutes")

    @property
    def schedule(self) -> str:
        """The schedule of EventBridge Scheduler that invokes the zip function."""
        return role_name(self.zip_function, "monthly")

    @property
    def provider(self) -> str:
        """The host of the identity provider of the workflows."""
        return self.workflow_subject.partition(":sub=")[0]

    @property
    def ci_token_subject(self) -> str:
        """The subject of the release workflow's token."""
        return self.workflow_subject.partition(":sub=")[2]

    @property
    def night_token_subject(self) -> str:
        """The subject of the nightly workflow's token. Nobody approves a nightly job, so its role can only read."""
        subject = self.ci_token_subject
        if self.provider != GITHUB or not subject.startswith("repo:"):
            return subject
        return ":".join((*subject.split(":")[:2], "ref:refs/heads/main"))

    @property
    def repository_arn(self) -> str:
        """The ARN of the repository."""
        return self.arn("ecr", f"repository/{self.repository}")

    def arn(self, service: str, resource: str) -> str:
        """The ARN of a resource in the release's region."""
        return arn(service, self.region, self.account, resource)

    def iam_arn(self, resource: str) -> str:
        """The ARN of something in the account's IAM, which has no region."""
        return arn("iam", "", self.account, resource, partition=_PARTITION)

    def reviewed_roles(self) -> tuple[str, ...]:
        """The ARNs of the account's roles that the reviewed repository policy names: ECR asks that they exist."""
        statements = (self.repository_policy or {}).get("Statement", [])
        beginning = self.role_arn("")
        return tuple(sorted({each for each in _strings(statements) if each.startswith(beginning) and "*" not in each}))


def _reviewed(path: Path) -> Document | None:
    with suppress(OSError, ValueError, RecursionError, KeyError, TypeError):
        policy = json.loads(path.read_text(encoding="utf-8"))["policy"]
        return policy if isinstance(policy, dict) else None
    return None


def _strings(value: Any) -> list[str]:
    if isinstance(value, dict | list):
        parts = value.values() if isinstance(value, dict) else value
        return [string for part in parts for string in _strings(part)]
    return [value] if isinstance(value, str) else []
