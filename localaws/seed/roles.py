"""The roles, who may assume them, and what they may do."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from localaws.seed.release import OIDC_AUDIENCE, SeededRelease

Document = dict[str, Any]

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


def seed(iam: Any, release: SeededRelease) -> None:
    """Create the identity provider and the roles, unless they exist."""
    _ensure_provider(iam, release)
    standing = {role["RoleName"] for role in iam.list_roles()["Roles"]}
    for name, make in _roles(release).items():
        if name not in standing:
            make(iam, release)
    for arn in release.reviewed_roles():
        path, _, name = arn.partition(":role")[2].rpartition("/")
        if name not in {*standing, *_roles(release)}:
            trust = json.dumps(_trusts_account(release))
            iam.create_role(RoleName=name, Path=f"{path}/", AssumeRolePolicyDocument=trust)


def _roles(release: SeededRelease) -> dict[str, Callable[[Any, SeededRelease], None]]:
    """How each role is made."""
    serving = {release.zip_role: _zip, release.scheduler_role: _scheduler} if release.zip_function else {}
    return {
        release.administrator: _administrator,
        release.ci_role: _ci,
        release.verify_role: _verify,
        release.lambda_role: _lambda,
        release.developer: _developer,
        **serving,
    }


def _administrator(iam: Any, release: SeededRelease) -> None:
    _role(iam, release.administrator, _trusts_account(release))
    iam.attach_role_policy(RoleName=release.administrator, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")


def _ci(iam: Any, release: SeededRelease) -> None:
    """The role that pushes; only a workflow of this repository's production environment may assume it."""
    _role(iam, release.ci_role, _trusts_workflow(release, release.ci_token_subject))
    _documented(iam, release, release.ci_role, "publish")


def _verify(iam: Any, release: SeededRelease) -> None:
    """The role that reads the release every night, and may change nothing."""
    _role(iam, release.verify_role, _trusts_workflow(release, release.night_token_subject))
    _documented(iam, release, release.verify_role, "verify")


def _lambda(iam: Any, release: SeededRelease) -> None:
    _role(iam, release.lambda_role, _trusts_service("lambda.amazonaws.com"))
    statements = [
        _allow("Pull", _PULL, release.repository_arn),
        _allow("LogIn", ["ecr:GetAuthorizationToken"], "*"),
        _write_logs(release, release.function_name),
    ]
    _inline(iam, release.lambda_role, "run", statements)


def _developer(iam: Any, release: SeededRelease) -> None:
    """May read everything about the images and pull none of them."""
    _role(iam, release.developer, _trusts_account(release))
    statements = [
        _allow("Look", _LOOK, release.repository_arn),
        _allow("LogIn", ["ecr:GetAuthorizationToken"], "*"),
        _allow("LookAround", _LOOK_AT_THE_REGISTRY, "*"),
    ]
    _inline(iam, release.developer, "look", statements)


def _zip(iam: Any, release: SeededRelease) -> None:
    _role(iam, release.zip_role, _trusts_service("lambda.amazonaws.com"))
    _inline(iam, release.zip_role, "run", [_write_logs(release, release.zip_function)])


def _scheduler(iam: Any, release: SeededRelease) -> None:
    """The role with which EventBridge Scheduler invokes the zip function."""
    _role(iam, release.scheduler_role, _trusts_service("scheduler.amazonaws.com"))
    function = release.arn("lambda", f"function:{release.zip_function}")
    _inline(iam, release.scheduler_role, "start", [_allow("Start", ["lambda:InvokeFunction"], function)])


def _ensure_provider(iam: Any, release: SeededRelease) -> None:
    providers = iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
    if not any(provider["Arn"].endswith(release.provider) for provider in providers):
        iam.create_open_id_connect_provider(Url=f"https://{release.provider}", ClientIDList=[OIDC_AUDIENCE])


def _role(iam: Any, name: str, trust: Document) -> None:
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust), MaxSessionDuration=_HALF_A_DAY)


def _inline(iam: Any, role: str, name: str, statements: list[Document]) -> None:
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(_document(*statements)))


def _documented(iam: Any, release: SeededRelease, role: str, policy: str) -> None:
    # What the documentation tells a platform team to grant is granted, and enforced, here.
    iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(release.policies[policy]))
    # AWS authorises these on the rule and on the principal (Service Authorization Reference); MiniStack knows neither.
    known_to_aws_alone = ["events:ListTargetsByRule", "iam:SimulatePrincipalPolicy"]
    _inline(iam, role, EMULATOR, [_allow("MiniStack", known_to_aws_alone, "*")])


def _document(*statements: Document) -> Document:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _allow(sid: str, actions: list[str], resource: str) -> Document:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource}


def _write_logs(release: SeededRelease, function: str) -> Document:
    group = release.arn("logs", f"log-group:/aws/lambda/{function}:*")
    return _allow("WriteLogs", ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], group)


def _trusts_account(release: SeededRelease) -> Document:
    principal = {"AWS": release.iam_arn("root")}
    return _document({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"})


def _trusts_service(service: str) -> Document:
    return _document({"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"})


def _trusts_workflow(release: SeededRelease, subject: str) -> Document:
    provider = release.iam_arn(f"oidc-provider/{release.provider}")
    claims = {f"{release.provider}:aud": OIDC_AUDIENCE, f"{release.provider}:sub": subject}
    return _document(
        {
            "Effect": "Allow",
            "Principal": {"Federated": provider},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": claims},
        }
    )
