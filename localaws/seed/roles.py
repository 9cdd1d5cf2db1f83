"""The roles, who may assume them, and what they may do."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from localaws.seed.release import OIDC_AUDIENCE, Document, SeededRelease

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


class _Role(NamedTuple):
    """A role: the one statement of its trust policy, and its policies, inline by name and attached by ARN."""

    trust: Document
    inline: dict[str, Document]
    attached: tuple[str, ...] = ()


def seed(iam: Any, release: SeededRelease) -> None:
    """Create the identity provider and the roles, unless they exist."""
    providers = iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
    if not any(provider["Arn"].endswith(release.provider) for provider in providers):
        iam.create_open_id_connect_provider(Url=f"https://{release.provider}", ClientIDList=[OIDC_AUDIENCE])
    standing, made = {role["RoleName"] for role in iam.list_roles()["Roles"]}, _roles(release)
    for name, role in made.items():
        if name not in standing:
            _create(iam, name, role.trust, MaxSessionDuration=_HALF_A_DAY)
            for policy, document in role.inline.items():
                iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(document))
            for arn in role.attached:
                iam.attach_role_policy(RoleName=name, PolicyArn=arn)
    for arn in release.reviewed_roles():
        path, _, name = arn.partition(":role")[2].rpartition("/")
        if name not in standing | made.keys():
            _create(iam, name, _trusts({"AWS": release.iam_arn("root")}), Path=f"{path}/")


def _roles(release: SeededRelease) -> dict[str, _Role]:
    by_account = _trusts({"AWS": release.iam_arn("root")})
    by_lambda, by_scheduler = (_trusts({"Service": f"{name}.amazonaws.com"}) for name in ("lambda", "scheduler"))
    log_in = _allow("LogIn", ["ecr:GetAuthorizationToken"], "*")
    roles = {
        release.administrator: _Role(by_account, {}, ("arn:aws:iam::aws:policy/AdministratorAccess",)),
        # Only a workflow of this repository's production environment may assume the role that pushes.
        release.ci_role: _Role(_trusts_workflow(release, release.ci_token_subject), _documented(release, "publish")),
        # It reads the release every night, and may change nothing.
        release.night_role: _Role(
            _trusts_workflow(release, release.night_token_subject), _documented(release, "verify")
        ),
        release.lambda_role: _Role(
            by_lambda,
            {
                "run": _document(
                    _allow("Pull", _PULL, release.repository_arn), log_in, _write_logs(release, release.function_name)
                )
            },
        ),
        release.developer: _Role(
            by_account,
            {
                "look": _document(
                    _allow("Look", _LOOK, release.repository_arn),
                    log_in,
                    _allow("LookAround", _LOOK_AT_THE_REGISTRY, "*"),
                )
            },
        ),
    }
    if release.zip_function:
        start = _allow("Start", ["lambda:InvokeFunction"], release.arn("lambda", f"function:{release.zip_function}"))
        roles[release.zip_role] = _Role(by_lambda, {"run": _document(_write_logs(release, release.zip_function))})
        roles[release.scheduler_role] = _Role(by_scheduler, {"start": _document(start)})
    return roles


def _create(iam: Any, name: str, trust: Document, **more: Any) -> None:
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(_document(trust)), **more)


def _documented(release: SeededRelease, policy: str) -> dict[str, Document]:
    """What the documentation tells a platform team to grant is granted, and enforced, here."""
    # AWS authorises these on the rule and on the principal (Service Authorization Reference); MiniStack knows neither.
    known_to_aws_alone = ["events:ListTargetsByRule", "iam:SimulatePrincipalPolicy"]
    emulator = _document(_allow("MiniStack", known_to_aws_alone, "*"))
    return {policy: release.policies[policy], "only-the-emulator-needs-this": emulator}


def _document(*statements: Document) -> Document:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _allow(sid: str, actions: list[str], resource: str) -> Document:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource}


def _write_logs(release: SeededRelease, function: str) -> Document:
    group = release.arn("logs", f"log-group:/aws/lambda/{function}:*")
    return _allow("WriteLogs", ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], group)


def _trusts(principal: Document) -> Document:
    return {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}


def _trusts_workflow(release: SeededRelease, subject: str) -> Document:
    claims = {f"{release.provider}:aud": OIDC_AUDIENCE, f"{release.provider}:sub": subject}
    return {
        "Effect": "Allow",
        "Principal": {"Federated": release.iam_arn(f"oidc-provider/{release.provider}")},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": claims},
    }
