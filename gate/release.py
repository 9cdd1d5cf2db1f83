"""The release under acceptance, as pytest.ini states it: one frozen value, checked when it is read."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from gate.aws.partition import arn, partition_of, registry_host

# The provider of GitHub Actions' tokens.
GITHUB = "token.actions.githubusercontent.com"
# IAM, EventBridge and EventBridge Scheduler: the longest name of a role, a rule and a schedule.
_LONGEST_NAME = 64


def setting(explanation: str, *, lines: bool = False, optional: bool = False, part: str = "") -> Any:
    """A field of `Release` that is a key of the same name in pytest.ini.

    Args:
        explanation: for `--help`.
        lines: it has a value on each line.
        optional: the key may be left out.
        part: the part of a release that is switched off by leaving the key's value empty. The key itself must be
            there: a line that got lost must not switch anything off.
    """
    return field(metadata={"help": explanation, "lines": lines, "optional": optional, "part": part})


@dataclass(frozen=True)
class Release:
    """Every value that a team would change for its own release; the field names are pytest.ini's keys."""

    account: str = setting("the twelve-digit AWS account that owns the repository")
    region: str = setting("the AWS region of the repository")
    repository: str = setting("the ECR repository's name")
    release_tag: str = setting("the tag that is never moved, and that a rollback relies on")
    rolling_tag: str = setting(
        "the tag that always names the newest accepted release; empty: there is none", part="rolling tag"
    )
    candidate_tag: str = setting("the tag under which an image is pushed and scanned before it is promoted")
    image_context: str = setting("the folder of the Dockerfile that is released")
    approved_bases: tuple[str, ...] = setting("base images that a FROM may name, one a line", lines=True)
    platform: str = setting("the one platform of the image, as os/architecture")
    python_version: str = setting(
        "the Python the function runs on, as major.minor; empty: it runs on another runtime, such as Node or its own",
        part="Python",
    )
    task_root: str = setting("where Lambda finds the function's code")
    handler: str = setting("the handler, as Lambda is given it")
    chrome_bin: str = setting(
        "the path that CHROME_BIN names in the image; empty: no browser is part of it", part="browser"
    )
    chromedriver_bin: str = setting(
        "the path that CHROMEDRIVER_BIN names in the image; empty: no driver is part of it", part="driver"
    )
    chrome_max_age_days: str = setting("how old the pinned version of Chrome may be, in days", optional=True)
    chrome_max_majors_behind: str = setting(
        "how many major versions newer the stable Chrome may be than the pin", optional=True
    )
    drawn_language: str = setting(
        "the language whose text the browser must draw, as a BCP 47 tag (ko, ja, ar-EG); empty: none in particular",
        part="drawn language",
    )
    drawn_text: str = setting("two to nine letters of that language that look different from each other", optional=True)
    required_paths: tuple[str, ...] = setting("paths that must exist in the image, one a line", lines=True)
    function_name: str = setting("the new Lambda function that will run the image")
    function_memory_mb: str = setting("the memory the function is configured with, in MB")
    safe_event: str = setting("the one event a rehearsal may send to the handler, as JSON", optional=True)
    safe_answer: str = setting("fields that the answer to the safe event must hold, as JSON", optional=True)
    development_packages: tuple[str, ...] = setting(
        "Python packages that never ship, one a line; empty where there is no Python", lines=True, optional=True
    )
    startup_hooks: tuple[str, ...] = setting(
        "reviewed files that Python runs whenever it starts, one a line", lines=True, optional=True
    )
    ci_role: str = setting("the role that pushes")
    lambda_role: str = setting("the role that pulls")
    verify_role: str = setting(
        "the role of the nightly job, which reads and never pushes; empty: <repository>-verify-role", optional=True
    )
    administrator_role: str = setting(
        "the account's administrator, as the local target has it; empty: administrator", optional=True
    )
    ci_subject: str = setting(
        "the workflow that becomes the CI role, as principals.yaml names it (<provider's host>:sub=<subject>); "
        "empty: GitHub's, for the environment production of a repository of the ECR repository's name",
        optional=True,
    )
    organization_id: str = setting(
        "the account's AWS organization (o-…), for conditions on it; empty: read by DescribeOrganization", optional=True
    )
    ci_source_ips: tuple[str, ...] = setting(
        "addresses or ranges from which the CI role calls AWS, one a line, for conditions on them; empty: not known",
        lines=True,
        optional=True,
    )
    ci_source_vpce: str = setting(
        "the VPC endpoint through which the CI role calls AWS, or its ARN, which also says whose it is, for "
        "conditions on it; empty: not known",
        optional=True,
    )
    ci_source_vpc: str = setting(
        "the VPC from which the CI role calls AWS, or its ARN, for conditions on it; empty: not known", optional=True
    )
    signing_profile: str = setting(
        "the ARN of the reviewed signing profile with which ECR signs what is pushed; empty: ECR signs nothing",
        optional=True,
    )
    zip_function: str = setting(
        "the zip-based function that must stay untouched; empty: there is none", part="zip function"
    )
    zip_paths: tuple[str, ...] = setting(
        "files of the zip pipeline in the checked repository, one a line", lines=True, optional=True
    )

    @property
    def repository_uri(self) -> str:
        """The repository as docker names it, the story's literal on either target."""
        return f"{registry_host(self.account, self.region)}/{self.repository}"

    @property
    def night_role(self) -> str:
        """The role of the nightly job."""
        return self.verify_role or role_name(self.repository, "verify-role")

    @property
    def workflow_subject(self) -> str:
        """The workflow that becomes the CI role, as principals.yaml names it."""
        # GitHub names a repository owner/name.
        repository = self.repository if "/" in self.repository else f"{self.repository}/{self.repository}"
        return self.ci_subject or f"{GITHUB}:sub=repo:{repository}:environment:production"

    def role_arn(self, name: str) -> str:
        """The ARN of a role of the account."""
        return arn("iam", "", self.account, f"role/{name}", partition=partition_of(self.region).name)

    @property
    def memory_mb(self) -> int:
        """The function's memory in MB."""
        return int(self.function_memory_mb)

    @property
    def chrome_limits(self) -> tuple[int, int]:
        """The days that Chrome's pin may be old, and the major versions that it may be behind."""
        return int(self.chrome_max_age_days), int(self.chrome_max_majors_behind)

    @property
    def absent_parts(self) -> dict[str, str]:
        """Why each part that is no part of this release is none, by the part's tag in features/."""
        return absent_parts(vars(self))

    @property
    def event(self) -> dict[str, Any] | None:
        """The safe event, or None when the handler may only be initialised."""
        return json.loads(self.safe_event) if self.safe_event else None

    @property
    def answer(self) -> dict[str, Any]:
        """The fields that the answer to the safe event must hold."""
        return json.loads(self.safe_answer) if self.safe_answer else {}


def absent_parts(values: Mapping[str, Any]) -> dict[str, str]:
    """Why each part that is no part of a release with these values is none, by the part's tag in features/."""
    return {
        part.replace(" ", "_").lower(): f"no {part} is part of this release: {each.name} is empty in pytest.ini"
        for each in fields(Release)
        if (part := each.metadata["part"]) and each.name in values and not values[each.name]
    }


def role_name(of: str, suffix: str) -> str:
    """A name made of another one, such as a role's of a repository's; it is no longer than IAM allows."""
    return f"{of.replace('/', '-')[: _LONGEST_NAME - len(suffix) - 1]}-{suffix}"


def declare(add: Callable[..., None]) -> None:
    """Declare every setting to pytest (`add` is `parser.addini`)."""
    for each in fields(Release):
        add(each.name, each.metadata["help"], type="linelist" if each.metadata["lines"] else "string", default=None)
