"""Reads users, groups, roles and managed policies from IAM (GetAccountAuthorizationDetails)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import cache
from operator import itemgetter
from typing import Any

from gate.access.access_facts import Group, Identity, ManagedPolicy
from gate.access.document import PolicyText
from gate.aws.calls import ask, pages, readable
from gate.aws.errors import AwsNotFound

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
    users, groups, roles, policies = list[_Raw](), list[_Raw](), list[_Raw](), list[_Raw]()
    with readable("GetAccountAuthorizationDetails"):
        for page in pages(iam, "get_account_authorization_details", f"account {account}", lambda page: [page]):
            users += page["UserDetailList"]
            groups += page["GroupDetailList"]
            roles += page["RoleDetailList"]
            policies += page["Policies"]
        documents = _documents(iam, policies)
        by_name = {each["GroupName"]: each for each in groups}
        members = ((each, [by_name[name] for name in each.get("GroupList", ())]) for each in users)
        identities = (
            *(_identity(each, "Role", documents) for each in roles),
            *(_identity(each, "User", documents, member) for each, member in members),
        )
        managed = tuple(_managed_policy(each, documents) for each in policies)
        named = _named_policies(_named_in(identities) - {each.arn for each in managed}, documents)
        read = (Group(each["Arn"], _policies(each, "Group", documents)) for each in by_name.values())
        return identities, tuple(read), (*managed, *named)


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
        version = ask(
            iam, "get_policy", arn, lambda of: of["Policy"]["DefaultVersionId"], ("NoSuchEntity",), PolicyArn=arn
        )
        held = ask(iam, "get_policy_version", arn, itemgetter("PolicyVersion"), PolicyArn=arn, VersionId=version)
        return held["Document"]

    return document


def _identity(raw: _Raw, kind: str, documents: _Documents, groups: Iterable[_Raw] = ()) -> Identity:
    """A role or user; `kind` is its kind as the names of the answer's fields begin with it."""
    who = f"{kind.lower()} {raw[f'{kind}Name']}"
    by_group = (
        policy
        for each in groups
        for policy in _policies(each, "Group", documents, f"{who} by group {each['GroupName']}")
    )
    boundary = None
    if raw.get("PermissionsBoundary"):
        cap = raw["PermissionsBoundary"]["PermissionsBoundaryArn"]
        boundary = PolicyText(f"permissions boundary of {who}", documents(cap), raw["Arn"], cap)
    return Identity(
        raw["Arn"],
        raw[f"{kind}Id"],
        (*_policies(raw, kind, documents), *by_group),
        boundary,
        PolicyText(f"trust policy of {who}", raw["AssumeRolePolicyDocument"]) if kind == "Role" else None,
        tuple((each["Key"], each["Value"]) for each in raw.get("Tags", ())),
        tuple(each["Arn"] for each in groups),
    )


def _policies(raw: _Raw, kind: str, documents: _Documents, of: str = "") -> tuple[PolicyText, ...]:
    of = of or f"{kind.lower()} {raw[f'{kind}Name']}"
    inline = (
        PolicyText(f"inline policy {each['PolicyName']} of {of}", each["PolicyDocument"], raw["Arn"])
        for each in raw.get(f"{kind}PolicyList", ())
    )
    managed = (
        PolicyText(f"policy {each['PolicyName']} of {of}", documents(each["PolicyArn"]), raw["Arn"], each["PolicyArn"])
        for each in raw.get("AttachedManagedPolicies", ())
    )
    return (*inline, *managed)


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
            yield _managed_policy({"Arn": arn}, documents)


def _named_in(identities: Iterable[Identity]) -> set[str]:
    """The ARNs of AWS's own policies that are written in full in a policy, as in a condition on attaching."""
    texts = (text.document for each in identities for text in each.policies)
    return {arn for text in texts for arn in _AWS_MANAGED.findall(text if isinstance(text, str) else json.dumps(text))}
