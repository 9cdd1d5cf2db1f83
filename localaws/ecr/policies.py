"""Repository policies and lifecycle policies: validated when set, answered as they were set."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import jsonschema

from gate.registry.lifecycle import SCHEMA
from localaws.ecr import principals
from localaws.ecr.errors import EcrError, invalid
from localaws.ecr.operations import ApiCall, Parameters, operation

_POLICY_SCHEMA = Path(__file__).with_name("policy.schema.json")


@dataclass(frozen=True)
class _Kind:
    """One of the two documents that a repository may have, and its names in the API."""

    attribute: str
    parameter: str
    missing: str
    name: str


_POLICY = _Kind("policy", "policyText", "RepositoryPolicyNotFoundException", "Repository policy")
_LIFECYCLE = _Kind("lifecycle", "lifecyclePolicyText", "LifecyclePolicyNotFoundException", "Lifecycle policy")


@operation("SetRepositoryPolicy")
def set_policy(call: ApiCall) -> Parameters:
    """Set the repository policy."""
    document = check_policy(call.parameters["policyText"])
    with call.reading() as repository:
        name = repository.name
    principals.check(document, call.ecr.account, call.authorizer.has_principal)
    if not call.parameters.get("force"):
        _refuse_lockout(call, name)
    return _set(call, _POLICY)


@operation("PutLifecyclePolicy")
def put_lifecycle(call: ApiCall) -> Parameters:
    """Set the lifecycle policy. It is applied at a push, where that is switched on (`localaws.behaviours`)."""
    check_lifecycle(call.parameters["lifecyclePolicyText"])
    return _set(call, _LIFECYCLE)


def _refuse_lockout(call: ApiCall, name: str) -> None:
    """Without `force`, refuse a policy that forbids its author to set another one (API reference, `force`)."""
    call.authorizer.mirror(name, call.parameters["policyText"], exists=True)
    try:
        call.authorizer.require(call.credential, "SetRepositoryPolicy", name)
    except EcrError as denial:
        raise principals.refused(
            "Repository policy would prevent you from setting another policy in the future; use force", denial.message
        ) from denial


def _set(call: ApiCall, kind: _Kind) -> Parameters:
    text = call.parameters[kind.parameter]
    with call.changing() as repository:
        setattr(repository, kind.attribute, text)
        if kind is _LIFECYCLE:
            repository.evaluated_at = call.ecr.clock().timestamp()
    return {**call.identity, kind.parameter: text}


def _get(kind: _Kind, call: ApiCall, *, delete: bool = False) -> Parameters:
    """The document as it was set; with `delete`, it is removed."""
    with call.changing() as repository:
        text = getattr(repository, kind.attribute)
        if text is None:
            raise EcrError(
                kind.missing,
                f"{kind.name} does not exist for the repository with name '{repository.name}' in the registry "
                f"with id '{call.ecr.account}'",
            )
        if delete:
            setattr(repository, kind.attribute, None)
    evaluated = {"lastEvaluatedAt": repository.evaluated_at} if kind is _LIFECYCLE else {}
    return {**call.identity, kind.parameter: text, **evaluated}


operation("GetRepositoryPolicy")(partial(_get, _POLICY))
operation("DeleteRepositoryPolicy")(partial(_get, _POLICY, delete=True))
operation("GetLifecyclePolicy")(partial(_get, _LIFECYCLE))
operation("DeleteLifecyclePolicy")(partial(_get, _LIFECYCLE, delete=True))


def check_policy(text: str) -> dict[str, Any]:
    """Parse a repository policy, and refuse an invalid one.

    Raises:
        EcrError: InvalidParameterException.
    """
    document: dict[str, Any] = _checked("PolicyText", "Invalid repository policy provided", text, _POLICY_SCHEMA)
    return document


def check_lifecycle(text: str) -> None:
    """Refuse an invalid lifecycle policy.

    Raises:
        EcrError: InvalidParameterException.
    """
    why = "Lifecycle policy validation failure"
    rules = _checked("LifecyclePolicyText", why, text, SCHEMA)["rules"]
    if not rules:
        raise invalid(f"Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: '{why}' (no rules)")
    _check_priorities(rules)


def _checked(parameter: str, why: str, text: str, schema: Path) -> Any:
    try:
        document = json.loads(text)
        jsonschema.validate(document, _schema(schema))
    except (ValueError, RecursionError) as error:
        raise invalid(f"Invalid parameter at '{parameter}' failed to satisfy constraint: '{why}' ({error})") from error
    except jsonschema.ValidationError as fault:
        place = "/".join(map(str, fault.absolute_path)) or "the document"
        raise invalid(
            f"Invalid parameter at '{parameter}' failed to satisfy constraint: '{why}' ({place}: {fault.message})"
        ) from fault
    return document


@cache
def _schema(file: Path) -> Any:
    return json.loads(file.read_text())


def _check_priorities(rules: list[dict[str, Any]]) -> None:
    priorities = [rule["rulePriority"] for rule in rules]
    if len(set(priorities)) < len(priorities):
        raise invalid(f"Invalid parameter at 'LifecyclePolicyText': rulePriority must be unique; it is {priorities}")
    _check_overlap([rule["selection"] for rule in rules])
    catch_all = [rule["rulePriority"] for rule in rules if rule["selection"]["tagStatus"] == "any"]
    if catch_all and catch_all != [max(priorities)]:
        raise invalid(
            "Invalid parameter at 'LifecyclePolicyText': the one rule with tagStatus 'any' must have the highest "
            f"rulePriority; it has {catch_all}, the highest is {max(priorities)}"
        )


def _check_overlap(selections: list[dict[str, Any]]) -> None:
    """User guide, "Lifecycle policy evaluation rules"."""
    claimed = [
        (selection.get("storageClass", "standard"), selection["tagStatus"], *sorted(selection.get("tagPrefixList", [])))
        for selection in selections
        if selection["tagStatus"] == "untagged" or "tagPrefixList" in selection
    ]
    if len(set(claimed)) < len(claimed):
        raise invalid(
            "Invalid parameter at 'LifecyclePolicyText': of the images of a storage class one rule may select those "
            "without a tag, and no two rules the same prefixes"
        )
