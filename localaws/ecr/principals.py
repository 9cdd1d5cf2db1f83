"""The principals and actions that a repository policy may name, as ECR checks them when a policy is set.

ECR has two messages: 'Invalid repository policy provided' for what IAM's grammar does not allow, and 'Principal not
found' for a role or user that does not exist.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from typing import Any

from localaws.ecr import service_model
from localaws.ecr.errors import EcrError, invalid

Exists = Callable[[str], bool]
# Actions that are permissions and not operations (Service Authorization Reference, Amazon ECR).
PERMISSIONS_ONLY = frozenset({"BatchImportUpstreamImage", "GetImageCopyStatus", "ReplicateImage"})
_ACCOUNT = re.compile(r"[0-9]{12}")
_IAM = re.compile(r"arn:aws:iam::([0-9]{12}):(root|(?:role|user)/[\w+=,.@/-]+)", re.ASCII)
_SESSION = re.compile(
    r"arn:aws:sts::([0-9]{12}):(?:assumed-role|federated-user)/([\w+=,.@-]+)(?:/[\w+=,.@-]+)?", re.ASCII
)
_UNIQUE_ID = re.compile(r"A(?:ID|RO)A[A-Z0-9]{12,}")
_SERVICE = re.compile(r"[a-z0-9.-]+\.amazonaws\.com(?:\.cn)?")


def refused(why: str, detail: str) -> EcrError:
    """ECR's error for a policy; the detail in brackets is the local target's."""
    return invalid(f"Invalid parameter at 'PolicyText' failed to satisfy constraint: '{why}' ({detail})")


def check(document: dict[str, Any], account: str, exists: Exists) -> None:
    """Refuse a policy that names an action that ECR does not have, a principal that does not exist, or a Sid twice.

    Args:
        document: a policy that has the form of one.
        account: the account whose roles and users `exists` knows; those of other accounts are accepted.
        exists: whether this account has a role or user with this ARN.

    Raises:
        EcrError: InvalidParameterException.
    """
    listed = document["Statement"]
    statements = listed if isinstance(listed, list) else [listed]
    if repeated := [sid for sid, times in Counter(each.get("Sid") for each in statements).items() if sid and times > 1]:
        raise refused("Invalid repository policy provided", f"two statements have the Sid {repeated[0]!r}")
    for statement in statements:
        for key in ("Action", "NotAction"):
            for action in _listed(statement.get(key, [])):
                _check_action(action)
        for key in ("Principal", "NotPrincipal"):
            for kind, principal in _principals(statement.get(key, {})):
                _check_principal(kind, principal, account, exists)


def _check_action(action: str) -> None:
    wanted = action.lower().removeprefix("ecr:")
    known = (name.lower() for name in {*service_model.service().operation_names, *PERMISSIONS_ONLY})
    if not any(fnmatchcase(name, wanted) for name in known):
        raise refused("Invalid repository policy provided", f"ECR has no action {action!r}")


def _principals(given: Any) -> Iterator[tuple[str, str]]:
    if isinstance(given, str):
        yield "AWS", given
        return
    for kind, names in given.items():
        for name in _listed(names):
            yield kind, name


def _check_principal(kind: str, name: str, account: str, exists: Exists) -> None:
    if kind == "Service" and not _SERVICE.fullmatch(name):
        raise refused("Invalid repository policy provided", f"{name!r} is not a service")
    if kind != "AWS" or name == "*" or _ACCOUNT.fullmatch(name):
        return
    if _UNIQUE_ID.fullmatch(name):
        raise refused("Principal not found", f"{name} is the id of a role or user that does not exist")
    found, session = _IAM.fullmatch(name), _SESSION.fullmatch(name)
    if found is None and session is None:
        raise refused("Invalid repository policy provided", f"{name!r} is not a principal")
    if found and found[1] == account and found[2] != "root" and not exists(name):
        raise refused("Principal not found", name)
    if session and session[1] == account and ":assumed-role/" in name and not _has_role(session[2], account, exists):
        raise refused("Principal not found", name)


def _has_role(name: str, account: str, exists: Exists) -> bool:
    return exists(f"arn:aws:iam::{account}:role/{name}")


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
