"""The files of a new release's folder, from the few values that nobody can guess. Pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from gate.aws.partition import arn, partition_of
from gate.errors import WrongUse

HERE = Path(__file__).parent
GATE = Path(__file__).resolve().parents[2]
# gate.scan.exceptions and gate.access: how long an entry and a review may hold.
_ENTRY_DAYS, _REVIEW_DAYS = 89, 364
_DEVELOPMENT = ("pytest", "moto", "mypy", "ruff", "debugpy")
_INI = """\
# The release under acceptance; `pytest features/ --help` of the gate explains each key.
# `make accept RELEASE=<this folder>`, in the gate's folder, rehearses it.
[pytest]
account = {account}
region = {region}
repository = {repository}
release_tag = v1.0.0
rolling_tag = latest
candidate_tag = candidate

image_context = image
approved_bases =
    {base}
platform = {platform}
python_version = {python}
task_root = /var/task
handler = app.handler
required_paths =
    {program}
function_name = {function}
function_memory_mb = {memory}
# The only event that is ever sent to the handler.
safe_event = {{"action": "healthcheck"}}
safe_answer = {{"ok": true}}
development_packages ={development}

# Parts that this release does not have. Give the key a value, and the scenarios about the part are checked.
chrome_bin =
chromedriver_bin =
drawn_language =
zip_function = {zip_function}

ci_role = {ci_role}
lambda_role = {lambda_role}
verify_role = {verify_role}
administrator_role = {administrator_role}
ci_subject = {ci_subject}
"""
_REGISTER = """\
# Accepted vulnerabilities, components that the scanner does not see, accepted ends of support.
version: 1
policy:
  CRITICAL: never
  UNRATED: fixed or excepted
  HIGH: fixed or excepted
  MEDIUM: monitor
  LOW: monitor
  INFORMATIONAL: monitor
exceptions: []
coverage:
"""
_COVERAGE_OF_PYTHON = """\
  - purl: pkg:generic/python
    target: aws
    scanning: both
    reason: built into AWS's base image outside of its package database
    check: the base image is rebuilt by AWS; each release builds on its newest digest
    expires: {expires}
  - ecosystem: pypi
    target: both
    scanning: basic
    reason: Python packages, the release's and the base's, which basic scanning does not look at
    check: pip-audit on the locked requirements before each release; the base image brings its own up to date
    expires: {expires}
  - ecosystem: nuget
    target: both
    scanning: basic
    reason: launchers for Windows that pip carries along, which Linux never runs
    check: they come and go with pip, which each newer base image raises
    expires: {expires}
"""
_COVERAGE = """\
  - ecosystem: golang
    target: aws
    scanning: basic
    reason: modules inside the runtime interface emulator of AWS's base image, which Lambda does not start
    check: the base image is rebuilt by AWS; each release builds on its newest digest
    expires: {expires}
"""
_PRINCIPAL = """\
  - principal: {principal}
    may: [{may}]
    reason: {reason}
    reviewer: {reviewer}
    expires: {expires}
"""


def _value(explanation: str, default: str | None = None) -> Any:
    """A value with the help of its option; without a default it has to be given."""
    return field(metadata={"explanation": explanation, "default": default})


@dataclass(frozen=True)
class NewRelease:
    """What a new release is made from; each value is as pytest.ini states it, and today counts as the day of review.

    In a default stands {name} for the repository's name with hyphens, {path} for the one in GitHub.
    """

    repository: str = _value("the ECR repository's name, such as my-team/scraper")
    account: str = _value("the twelve-digit AWS account that owns it")
    region: str = _value("its AWS region")
    function: str = _value("the Lambda function that will run the image", "{name}")
    ci_role: str = _value("the role that pushes", "{name}-ci-role")
    lambda_role: str = _value("the role that pulls", "{name}-lambda-role")
    verify_role: str = _value("the role of the nightly job", "{name}-verify-role")
    administrator_role: str = _value("the account's break-glass role", "administrator")
    ci_subject: str = _value(
        "the workflow that becomes the CI role, <provider's host>:sub=<subject>",
        "token.actions.githubusercontent.com:sub=repo:{path}:environment:production",
    )
    zip_function: str = _value("the zip-based function that the image takes the place of", "")
    python: str = _value("the Python, as major.minor; none: the image brings a runtime of its own", "3.12")
    platform: str = _value("the platform, as os/architecture", "linux/amd64")
    memory: str = _value("the function's memory in MB", "512")
    reviewer: str = _value("the role that reviews policy and principals", "infrastructure security lead")
    today: date = field(default_factory=lambda: datetime.now(UTC).date())

    def arn(self, service: str, region: str, resource: str) -> str:
        """An ARN of the account."""
        return arn(service, region, self.account, resource, partition=partition_of(self.region).name)

    @property
    def image(self) -> Path:
        """The folder of the files that its image is made of."""
        return HERE / ("image" if self.python else "image_without_python")

    def role(self, name: str) -> str:
        """The ARN of a role."""
        return self.arn("iam", "", f"role/{name}")


def files_of(new: NewRelease) -> dict[str, str]:
    """The content of each file by its path in the folder, without the IAM policies."""
    image = {
        each.name: each.read_text(encoding="utf-8").replace("@PYTHON@", new.python) for each in new.image.iterdir()
    }
    if new.python:
        image["requirements.in"] = "# What the handler imports, and nothing else. Lock it with hashes.\ncertifi\n"
        image["requirements.txt"] = _pin("certifi")
    return {
        **{f"image/{name.replace('dockerignore', '.dockerignore')}": text for name, text in image.items()},
        "pytest.ini": _ini(new),
        ".gitignore": ".cache/\nreports/\n",
        "image/exceptions.yaml": _register(new),
        "image/repository-policy.json": json.dumps(_policy(new), indent=2) + "\n",
        "image/principals.yaml": _principals(new),
    }


def _ini(new: NewRelease) -> str:
    base = f"python:{new.python}" if new.python else "provided:al2023"
    development = "".join(f"\n    {name}" for name in _DEVELOPMENT if new.python)
    program = "/var/task/app.py" if new.python else "/var/runtime/bootstrap"
    text = _INI.format(**vars(new), base=f"public.ecr.aws/lambda/{base}", development=development, program=program)
    return re.sub(r"= $", "=", text, flags=re.MULTILINE)


def _register(new: NewRelease) -> str:
    expires = new.today + timedelta(days=_ENTRY_DAYS)
    coverage = _COVERAGE_OF_PYTHON * bool(new.python) + _COVERAGE
    return (_REGISTER + coverage + "support: []\n").format(expires=expires)


def _pin(name: str) -> str:
    """The pin of a package with its hashes, as the gate's own image has it."""
    text = (GATE / "image" / "requirements.txt").read_text(encoding="utf-8")
    found = re.search(rf"^{name}==(?:.*\\\n)*.*", text, re.MULTILINE)
    if found is None:
        raise WrongUse(f"the gate's own image does not pin {name}", where="image/requirements.txt")
    return found[0] + "\n"


def _policy(new: NewRelease) -> dict[str, Any]:
    pull = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    push = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:CompleteLayerUpload",
            "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart"]  # fmt: skip
    source = {"StringLike": {"aws:sourceArn": new.arn("lambda", new.region, f"function:{new.function}")}}
    statements = [
        _allow("PushByTheCiRole", {"AWS": new.role(new.ci_role)}, push),
        _allow("PullByTheLambdaRole", {"AWS": new.role(new.lambda_role)}, pull),
        {**_allow("LambdaECRImageRetrievalPolicy", {"Service": "lambda.amazonaws.com"}, pull), "Condition": source},
    ]
    policy = {"Version": "2012-10-17", "Statement": statements}
    return {"reviewed_by": new.reviewer, "reviewed_on": new.today.isoformat(), "policy": policy}


def _allow(sid: str, principal: dict[str, str], actions: list[str]) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": actions}


def _principals(new: NewRelease) -> str:
    may = [
        (new.role(new.ci_role), "pull", "the gate pulls the published digest to check it"),
        (new.role(new.verify_role), "pull", "the nightly job and a verifying run look at the published digest"),
        (new.ci_subject, "become", "the release workflow, after approval of its environment, becomes the CI role"),
        (new.role(new.administrator_role), "push, pull, delete, rules, replicate, become", "the break-glass role"),
    ]
    expires = new.today + timedelta(days=_REVIEW_DAYS)
    entries = (
        _PRINCIPAL.format(principal=principal, may=powers, reason=reason, reviewer=new.reviewer, expires=expires)
        for principal, powers, reason in may
    )
    return "# Who may do more than the CI role's push and Lambda's pull: review each entry.\nprincipals:\n" + "".join(
        entries
    )
