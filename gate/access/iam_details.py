"""The answer of GetAccountAuthorizationDetails as roles, users, groups and managed policies."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from gate.access.document import PolicyText
from gate.access.facts import Group, Identity, ManagedPolicy

Documents = Callable[[str], Any]
"""The document in force of a managed policy, by its ARN."""

_OF_AWS = re.compile(r"arn:[\w-]+:iam::aws:policy/[\w+=,.@/-]+(?![\w+=,.@/*?-])")


def role(raw: dict[str, Any], documents: Documents) -> Identity:
    """A role, with every policy that speaks for it."""
    who = f"role {raw['RoleName']}"
    trust = PolicyText(f"trust policy of {who}", raw["AssumeRolePolicyDocument"])
    policies = _attached(raw, "RolePolicyList", who, documents)
    return Identity(raw["Arn"], raw["RoleId"], policies, _boundary(raw, who, documents), trust, _tags(raw))


def user(raw: dict[str, Any], groups: list[dict[str, Any]], documents: Documents) -> Identity:
    """A user, with its policies and those of its groups."""
    who = f"user {raw['UserName']}"
    policies = _attached(raw, "UserPolicyList", who, documents)
    for group in groups:
        policies += _attached(group, "GroupPolicyList", f"{who} by group {group['GroupName']}", documents)
    member = tuple(each["Arn"] for each in groups)
    return Identity(raw["Arn"], raw["UserId"], policies, _boundary(raw, who, documents), None, _tags(raw), member)


def group(raw: dict[str, Any], documents: Documents) -> Group:
    """A group, with its policies."""
    return Group(raw["Arn"], _attached(raw, "GroupPolicyList", f"group {raw['GroupName']}", documents))


def managed_policies(raw: list[dict[str, Any]], documents: Documents) -> tuple[ManagedPolicy, ...]:
    """Managed policies, with their older versions."""
    found = []
    for policy in raw:
        arn = policy["Arn"]
        older = [each for each in policy.get("PolicyVersionList", ()) if not each.get("IsDefaultVersion")]
        texts = (
            PolicyText(f"policy {arn}, version {each['VersionId']}", each["Document"], managed=arn) for each in older
        )
        in_force = PolicyText(f"policy {arn}", documents(arn), managed=arn)
        found.append(ManagedPolicy(arn, in_force, tuple(texts)))
    return tuple(found)


def _attached(raw: dict[str, Any], inline: str, who: str, documents: Documents) -> tuple[PolicyText, ...]:
    own = (
        PolicyText(f"inline policy {each['PolicyName']} of {who}", each["PolicyDocument"], raw["Arn"])
        for each in raw.get(inline, ())
    )
    managed = (
        PolicyText(f"policy {each['PolicyName']} of {who}", documents(each["PolicyArn"]), raw["Arn"], each["PolicyArn"])
        for each in raw.get("AttachedManagedPolicies", ())
    )
    return (*own, *managed)


def _boundary(raw: dict[str, Any], who: str, documents: Documents) -> PolicyText | None:
    attached = raw.get("PermissionsBoundary")
    if not attached:
        return None
    arn = attached["PermissionsBoundaryArn"]
    return PolicyText(f"permissions boundary of {who}", documents(arn), raw["Arn"], arn)


def _tags(raw: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple((each["Key"], each["Value"]) for each in raw.get("Tags", ()))


def named_of_aws(identities: Iterable[Identity]) -> tuple[str, ...]:
    """The ARNs of AWS's own policies that are written in full in a policy, as in a condition on attaching."""
    texts = (text.document for each in identities for text in each.policies)
    found = {arn for text in texts for arn in _OF_AWS.findall(text if isinstance(text, str) else json.dumps(text))}
    return tuple(sorted(found))
