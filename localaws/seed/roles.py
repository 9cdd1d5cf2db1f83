"""The roles, who may assume them, and what they may do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from localaws.seed import names

Document = dict[str, Any]

# The policies that the documentation tells a platform team to grant are granted, and enforced, here.
POLICIES = Path(__file__).resolve().parents[2] / "docs" / "policies"

# The policy for what the emulator authorises on another resource than AWS does.
EMULATOR = "only-the-emulator-needs-this"

_HALF_A_DAY = 43200
_PULL = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
_LOOK = [
    "ecr:BatchGetRepositoryScanningConfiguration",
    "ecr:DescribeImages",
    "ecr:DescribeImageScanFindings",
    "ecr:DescribeRepositories",
    "ecr:GetLifecyclePolicy",
    "ecr:GetRepositoryPolicy",
    "ecr:ListImages",
    "ecr:ListTagsForResource",
]
_LOOK_AT_THE_REGISTRY = ["ecr:DescribeRegistry", "ecr:GetRegistryPolicy", "ecr:GetRegistryScanningConfiguration"]


def seed(iam: Any) -> None:
    """Create the identity provider and the roles, unless they exist."""
    _ensure_provider(iam)
    standing = {role["RoleName"] for role in iam.list_roles()["Roles"]}
    for name, make in _ROLES.items():
        if name not in standing:
            make(iam)


def _administrator(iam: Any) -> None:
    _role(iam, names.ADMINISTRATOR, _trusts_account())
    iam.attach_role_policy(RoleName=names.ADMINISTRATOR, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")


def _ci(iam: Any) -> None:
    """The role that pushes; only a workflow of this repository's production environment may assume it."""
    _role(iam, names.CI_ROLE, _trusts_workflow(names.OIDC_SUBJECT))
    _documented(iam, names.CI_ROLE, "publish")


def _verify(iam: Any) -> None:
    """The role that reads the release every night, and may change nothing."""
    _role(iam, names.VERIFY_ROLE, _trusts_workflow(names.NIGHTLY_SUBJECT))
    _documented(iam, names.VERIFY_ROLE, "verify")


def _lambda(iam: Any) -> None:
    _role(iam, names.LAMBDA_ROLE, _trusts_service("lambda.amazonaws.com"))
    statements = [
        _allow("Pull", _PULL, names.REPOSITORY_ARN),
        _allow("LogIn", ["ecr:GetAuthorizationToken"], "*"),
        _write_logs(names.NEW_FUNCTION),
    ]
    _inline(iam, names.LAMBDA_ROLE, "run", statements)


def _developer(iam: Any) -> None:
    """May read everything about the images and pull none of them."""
    _role(iam, names.DEVELOPER, _trusts_account())
    statements = [
        _allow("Look", _LOOK, names.REPOSITORY_ARN),
        _allow("LogIn", ["ecr:GetAuthorizationToken"], "*"),
        _allow("LookAround", _LOOK_AT_THE_REGISTRY, "*"),
    ]
    _inline(iam, names.DEVELOPER, "look", statements)


def _zip(iam: Any) -> None:
    _role(iam, names.ZIP_ROLE, _trusts_service("lambda.amazonaws.com"))
    _inline(iam, names.ZIP_ROLE, "run", [_write_logs(names.ZIP_FUNCTION)])


def _scheduler(iam: Any) -> None:
    """The role with which EventBridge Scheduler invokes the zip function."""
    _role(iam, names.SCHEDULER_ROLE, _trusts_service("scheduler.amazonaws.com"))
    function = f"arn:aws:lambda:{names.REGION}:{names.ACCOUNT}:function:{names.ZIP_FUNCTION}"
    _inline(iam, names.SCHEDULER_ROLE, "start", [_allow("Start", ["lambda:InvokeFunction"], function)])


_ROLES = {
    names.ADMINISTRATOR: _administrator,
    names.CI_ROLE: _ci,
    names.VERIFY_ROLE: _verify,
    names.LAMBDA_ROLE: _lambda,
    names.DEVELOPER: _developer,
    names.ZIP_ROLE: _zip,
    names.SCHEDULER_ROLE: _scheduler,
}


def _ensure_provider(iam: Any) -> None:
    providers = iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
    if not any(provider["Arn"].endswith(names.OIDC_HOST) for provider in providers):
        iam.create_open_id_connect_provider(Url=f"https://{names.OIDC_HOST}", ClientIDList=[names.OIDC_AUDIENCE])


def _role(iam: Any, name: str, trust: Document) -> None:
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust), MaxSessionDuration=_HALF_A_DAY)


def _inline(iam: Any, role: str, name: str, statements: list[Document]) -> None:
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(_document(*statements)))


def _documented(iam: Any, role: str, policy: str) -> None:
    text = (POLICIES / f"{policy}.json").read_text(encoding="utf-8")
    iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=text)
    # AWS authorises these on the rule and on the principal (Service Authorization Reference); MiniStack knows neither.
    known_to_aws_alone = ["events:ListTargetsByRule", "iam:SimulatePrincipalPolicy"]
    _inline(iam, role, EMULATOR, [_allow("MiniStack", known_to_aws_alone, "*")])


def _document(*statements: Document) -> Document:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _allow(sid: str, actions: list[str], resource: str) -> Document:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource}


def _write_logs(function: str) -> Document:
    group = f"arn:aws:logs:{names.REGION}:{names.ACCOUNT}:log-group:/aws/lambda/{function}:*"
    return _allow("WriteLogs", ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], group)


def _trusts_account() -> Document:
    principal = {"AWS": f"arn:aws:iam::{names.ACCOUNT}:root"}
    return _document({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"})


def _trusts_service(service: str) -> Document:
    return _document({"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"})


def _trusts_workflow(subject: str) -> Document:
    provider = f"arn:aws:iam::{names.ACCOUNT}:oidc-provider/{names.OIDC_HOST}"
    claims = {f"{names.OIDC_HOST}:aud": names.OIDC_AUDIENCE, f"{names.OIDC_HOST}:sub": subject}
    return _document(
        {
            "Effect": "Allow",
            "Principal": {"Federated": provider},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": claims},
        }
    )
