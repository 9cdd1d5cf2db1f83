"""Reads users, groups, roles and managed policies from IAM (GetAccountAuthorizationDetails)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import cache
from typing import Any

from gate.access.document import PolicyText
from gate.access.facts import Group, Identity, ManagedPolicy
from gate.aws.errors import AwsNotFound, ask, pages, readable

_Raw = dict[str, Any]
_Documents = Callable[[str], Any]  # the document in force of a managed policy, by ARN
_AWS_MANAGED = re.compile(r"arn:[\w-]+:iam::aws:policy/[\w+=,.@/-]+(?![\w+=,.@/*?-])")


def read_iam(iam: Any, account: str) -> tuple[tuple[Identity, ...], tuple[Group, ...], tuple[ManagedPolicy, ...]]:
    """Every role and user, every group, and the managed policies of an account.

    AWS's own managed policies are among them if they are attached, or named in full in a policy.

    Args:
        iam: boto3's IAM client.
        account: the twelve-digit account.

    Raises:
        AwsRefused: IAM refuses a call, or its answer cannot be read.
    """
    raw: dict[str, list[_Raw]] = {
        name: [] for name in ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")
    }
    permission = "iam:GetAccountAuthorizationDetails"
    with readable("GetAccountAuthorizationDetails"):
        for page in pages(iam, "get_account_authorization_details", permission, f"account {account}"):
            for name, details in raw.items():
                details.extend(page[name])
        documents = _documents(iam, raw["Policies"])
        by_name = {each["GroupName"]: each for each in raw["GroupDetailList"]}
        identities = (
            *(_role(each, documents) for each in raw["RoleDetailList"]),
            *(
                _user(each, [by_name[name] for name in each.get("GroupList", ())], documents)
                for each in raw["UserDetailList"]
            ),
        )
        managed = tuple(_managed_policy(each, documents) for each in raw["Policies"])
        named = _named_policies(_named_in(identities) - {each.arn for each in managed}, documents)
        return identities, tuple(_group(each, documents) for each in by_name.values()), (*managed, *named)


def _documents(iam: Any, managed: list[_Raw]) -> _Documents:
    given = {
        policy["Arn"]: version["Document"]
        for policy in managed
        for version in policy.get("PolicyVersionList", ())
        if version.get("IsDefaultVersion")
    }

    @cache
    def document(arn: str) -> Any:
        if arn in given:
            return given[arn]
        policy = ask(iam.get_policy, "iam:GetPolicy", arn, ("NoSuchEntity",), PolicyArn=arn)
        version = policy["Policy"]["DefaultVersionId"]
        answer = ask(iam.get_policy_version, "iam:GetPolicyVersion", arn, PolicyArn=arn, VersionId=version)
        return answer["PolicyVersion"]["Document"]

    return document


def _role(raw: _Raw, documents: _Documents) -> Identity:
    who = f"role {raw['RoleName']}"
    trust = PolicyText(f"trust policy of {who}", raw["AssumeRolePolicyDocument"])
    policies = _policies(raw, "RolePolicyList", who, documents)
    return Identity(raw["Arn"], raw["RoleId"], policies, _boundary(raw, who, documents), trust, _tags(raw))


def _user(raw: _Raw, groups: list[_Raw], documents: _Documents) -> Identity:
    who = f"user {raw['UserName']}"
    policies = _policies(raw, "UserPolicyList", who, documents)
    for group in groups:
        policies += _policies(group, "GroupPolicyList", f"{who} by group {group['GroupName']}", documents)
    member = tuple(each["Arn"] for each in groups)
    return Identity(raw["Arn"], raw["UserId"], policies, _boundary(raw, who, documents), None, _tags(raw), member)


def _group(raw: _Raw, documents: _Documents) -> Group:
    return Group(raw["Arn"], _policies(raw, "GroupPolicyList", f"group {raw['GroupName']}", documents))


def _managed_policy(raw: _Raw, documents: _Documents) -> ManagedPolicy:
    arn = raw["Arn"]
    older = (
        PolicyText(f"policy {arn}, version {each['VersionId']}", each["Document"], managed=arn)
        for each in raw.get("PolicyVersionList", ())
        if not each.get("IsDefaultVersion")
    )
    return ManagedPolicy(arn, PolicyText(f"policy {arn}", documents(arn), managed=arn), tuple(older))


def _named_policies(arns: Iterable[str], documents: _Documents) -> Iterator[ManagedPolicy]:
    for arn in sorted(arns):
        with suppress(AwsNotFound):  # nobody can attach a policy that AWS does not have
            yield ManagedPolicy(arn, PolicyText(f"policy {arn}", documents(arn), managed=arn))


def _named_in(identities: Iterable[Identity]) -> set[str]:
    """The ARNs of AWS's own policies that are written in full in a policy, as in a condition on attaching."""
    texts = (text.document for each in identities for text in each.policies)
    return {arn for text in texts for arn in _AWS_MANAGED.findall(text if isinstance(text, str) else json.dumps(text))}


def _policies(raw: _Raw, inline: str, who: str, documents: _Documents) -> tuple[PolicyText, ...]:
    own = (
        PolicyText(f"inline policy {each['PolicyName']} of {who}", each["PolicyDocument"], raw["Arn"])
        for each in raw.get(inline, ())
    )
    managed = (
        PolicyText(f"policy {each['PolicyName']} of {who}", documents(each["PolicyArn"]), raw["Arn"], each["PolicyArn"])
        for each in raw.get("AttachedManagedPolicies", ())
    )
    return (*own, *managed)


def _boundary(raw: _Raw, who: str, documents: _Documents) -> PolicyText | None:
    attached = raw.get("PermissionsBoundary")
    if not attached:
        return None
    arn = attached["PermissionsBoundaryArn"]
    return PolicyText(f"permissions boundary of {who}", documents(arn), raw["Arn"], arn)


def _tags(raw: _Raw) -> tuple[tuple[str, str], ...]:
    return tuple((each["Key"], each["Value"]) for each in raw.get("Tags", ()))
