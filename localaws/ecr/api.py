"""The JSON 1.1 side: who calls, may they, and which operation answers."""

from __future__ import annotations

import json
import threading
from typing import Any

from localaws.ecr import (  # noqa: F401  imported for the operations they enter on the list of checks
    account_operations,
    coverage,
    images,
    policies,
    pushing,
    referrers,
    repositories,
    scan_operations,
    shapes,
    signing,
)
from localaws.ecr.access import TARGET, Access, Headers
from localaws.ecr.credentials import Credential, Issued
from localaws.ecr.errors import EcrError, invalid, not_an_operation
from localaws.ecr.operations import OPERATIONS, Call, Ecr, Parameters
from localaws.ecr.scope import elsewhere, scope_of

# The check of access sees a call's resource in `repositoryName` only; these name it otherwise.
_BY_NAMES = frozenset({"DescribeRepositories", "BatchGetRepositoryScanningConfiguration"})
_BY_ARN = frozenset({"ListTagsForResource", "TagResource", "UntagResource"})
# After these the check has to hold the same repositories and policies as this registry, whatever the outcome.
_MIRRORED = frozenset({"CreateRepository", "DeleteRepository", "SetRepositoryPolicy", "DeleteRepositoryPolicy"})


class Api:
    """ECR's control plane."""

    def __init__(self, ecr: Ecr, access: Access, issued: Issued) -> None:
        self._ecr = ecr
        self._access = access
        self._issued = issued
        self._mirroring = threading.Lock()

    def answer(self, headers: Headers, body: bytes) -> bytes:
        """Answer one call.

        Raises:
            EcrError: what ECR would refuse it with.
        """
        named = {name.lower(): value for name, value in headers}
        name = named["x-amz-target"].removeprefix(TARGET)
        if name not in _MIRRORED:
            return self._answer(name, headers, named, body)
        with self._mirroring:
            try:
                return self._answer(name, headers, named, body)
            finally:
                self._mirror(body)

    def coverage(self, body: bytes) -> bytes:
        """Answer Inspector's ListCoverage, which the check of access has let pass."""
        return json.dumps(coverage.covered(self._ecr, _parsed(body))).encode()

    def mirror_everything(self) -> None:
        """Let the check of access know all repositories and policies."""
        with self._ecr.store.reading() as account:
            standing = [(repository.name, repository.policy) for repository in account.repositories.values()]
        for name, policy in standing:
            self._access.mirror(name, policy, exists=True)

    def _answer(self, name: str, headers: Headers, named: dict[str, str], body: bytes) -> bytes:
        scope = scope_of(named.get("authorization", ""))
        credential = self._issued.owner_of(scope.access_key)
        denial = self._access.denial(headers, body)
        parameters = _parsed(body)
        if name in OPERATIONS:
            shapes.check(name, parameters)
        resources = _resources(name, parameters)
        for repository in resources:
            self._access.require(credential, name, repository)
        if denial is not None and not resources:
            raise EcrError("AccessDeniedException", denial)
        if name not in OPERATIONS:
            raise not_an_operation(name, shapes.service().operation_names)
        if scope.region != self._ecr.region:
            there = elsewhere(name, parameters, self._ecr.account, scope.region, self._ecr.region)
            return json.dumps(there).encode()
        return json.dumps(OPERATIONS[name](self._call(parameters, credential, named))).encode()

    def _call(self, parameters: Parameters, credential: Credential, named: dict[str, str]) -> Call:
        return Call(self._ecr, parameters, credential, named.get("host", ""), self._access)

    def _mirror(self, body: bytes) -> None:
        try:
            name = _parsed(body).get("repositoryName", "")
        except EcrError:
            return  # not JSON: refused, and nothing has changed
        with self._ecr.store.reading() as account:
            repository = account.repositories.get(name)
            exists, policy = repository is not None, repository.policy if repository else None
        self._access.mirror(name, policy, exists=exists)


def _resources(name: str, parameters: Parameters) -> list[str]:
    if name in _BY_NAMES:
        return parameters.get("repositoryNames") or ["*"]
    if name in _BY_ARN:
        return [parameters["resourceArn"].partition(":repository/")[2] or "*"]
    return []


def _parsed(body: bytes) -> Any:
    try:
        parameters = json.loads(body or b"{}")
    except (ValueError, RecursionError) as damage:
        raise EcrError("SerializationException", f"the request's body is not JSON: {damage}") from damage
    if not isinstance(parameters, dict):
        raise invalid("the request's body is not a JSON object")
    return parameters
