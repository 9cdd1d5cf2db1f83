"""The JSON 1.1 API: authenticates and authorises a call, and runs its operation."""

from __future__ import annotations

import json
import threading
from typing import Any

from localaws.ecr import (  # noqa: F401  imported because each registers its operations
    images,
    inspector_coverage,
    policies,
    pushing,
    referrers,
    replication,
    repositories,
    resource_tags,
    scan_operations,
    service_model,
    signing,
)
from localaws.ecr.authorization import TARGET, Authorizer, Headers
from localaws.ecr.credentials import Credential, IssuedCredentials
from localaws.ecr.errors import EcrError, invalid, not_an_operation
from localaws.ecr.operations import OPERATIONS, ApiCall, Ecr, Parameters
from localaws.ecr.scope import elsewhere, scope_of

# The authorization check reads a call's resource in `repositoryName` only; these have it elsewhere.
_BY_NAMES = frozenset({"DescribeRepositories", "BatchGetRepositoryScanningConfiguration"})
_BY_ARN = frozenset({"ListTagsForResource", "TagResource", "UntagResource"})
# After these the check must have the same repositories and policies as this registry, whatever the outcome.
_MIRRORED = frozenset({"CreateRepository", "DeleteRepository", "SetRepositoryPolicy", "DeleteRepositoryPolicy"})


class Api:
    """ECR's control plane."""

    def __init__(self, ecr: Ecr, authorizer: Authorizer, issued: IssuedCredentials) -> None:
        self._ecr = ecr
        self._authorizer = authorizer
        self._issued = issued
        self._mirroring = threading.Lock()

    def answer(self, headers: Headers, body: bytes) -> bytes:
        """Answer one call.

        Raises:
            EcrError: the error with which ECR would refuse it.
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
        """Answer Inspector's ListCoverage, which the authorization check has allowed."""
        return json.dumps(inspector_coverage.covered(self._ecr, _parsed(body))).encode()

    def mirror_everything(self) -> None:
        """Give the authorization check all repositories and policies."""
        with self._ecr.store.reading() as account:
            standing = [(repository.name, repository.policy) for repository in account.repositories.values()]
        for name, policy in standing:
            self._authorizer.mirror(name, policy, exists=True)

    def _answer(self, name: str, headers: Headers, named: dict[str, str], body: bytes) -> bytes:
        scope = scope_of(named.get("authorization", ""))
        credential = self._issued.owner_of(scope.access_key)
        denial = self._authorizer.denial(headers, body)
        parameters = _parsed(body)
        if name in OPERATIONS:
            service_model.check(name, parameters)
        resources = _resources(name, parameters)
        for repository in resources:
            self._authorizer.require(credential, name, repository)
        if denial is not None and not resources:
            raise EcrError("AccessDeniedException", denial)
        if name not in OPERATIONS:
            raise not_an_operation(name, service_model.service().operation_names)
        if scope.region != self._ecr.region:
            there = replication.images_in(self._ecr, scope.region, name, parameters)
            there = there or elsewhere(name, parameters, self._ecr.account, scope.region, self._ecr.region)
            return json.dumps(there).encode()
        return json.dumps(OPERATIONS[name](self._call(parameters, credential, named))).encode()

    def _call(self, parameters: Parameters, credential: Credential, named: dict[str, str]) -> ApiCall:
        return ApiCall(self._ecr, parameters, credential, named.get("host", ""), self._authorizer)

    def _mirror(self, body: bytes) -> None:
        try:
            name = _parsed(body).get("repositoryName", "")
        except EcrError:
            return  # not JSON: refused, and nothing has changed
        with self._ecr.store.reading() as account:
            repository = account.repositories.get(name)
            exists, policy = repository is not None, repository.policy if repository else None
        self._authorizer.mirror(name, policy, exists=exists)


def _resources(name: str, parameters: Parameters) -> list[str]:
    if name in _BY_NAMES:
        return parameters.get("repositoryNames") or ["*"]
    if name in _BY_ARN:
        return [parameters["resourceArn"].partition(":repository/")[2] or "*"]
    return []


def _parsed(body: bytes) -> Any:
    try:
        parameters = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise EcrError("SerializationException", f"the request's body is not JSON: {error}") from error
    if not isinstance(parameters, dict):
        raise invalid("the request's body is not a JSON object")
    return parameters
