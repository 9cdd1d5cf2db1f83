"""From needs to the least-privilege policy that grants them, and nothing else. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from gate.permission.required import RequiredPermission, resources
from gate.release import Release


def document(needs: Iterable[RequiredPermission], release: Release) -> dict[str, Any]:
    """An IAM policy with one statement for each set of resources."""
    actions: dict[tuple[str, ...], list[str]] = {}
    for need in needs:
        actions.setdefault(resources(need, release), []).append(need.action)
    statements = [_statement(arns, sorted(set(granted))) for arns, granted in sorted(actions.items())]
    return {"Version": "2012-10-17", "Statement": statements}


def text(policy: dict[str, Any]) -> str:
    """The policy as the file holds it."""
    return json.dumps(policy, indent=2) + "\n"


def _statement(arns: tuple[str, ...], actions: list[str]) -> dict[str, Any]:
    resource = arns[0] if len(arns) == 1 else list(arns)
    return {"Sid": _sid(arns), "Effect": "Allow", "Action": actions, "Resource": resource}


def _sid(arns: tuple[str, ...]) -> str:
    names = {
        "*": "WhereIamKnowsNoResource",
        "repository": "TheRepository",
        "function": "TheZipFunction",
        "rule": "ItsRules",
        "schedule": "ItsSchedules",
        "policy": "PoliciesOfTheAccount",
        "role": "PrincipalsOfTheAccount",
    }
    kind = "*" if arns == ("*",) else arns[0].split(":", 5)[-1].replace("/", ":").partition(":")[0]
    return names[kind]
