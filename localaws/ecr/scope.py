"""The credential scope of a request's signature: its service and region (Signature Version 4)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from localaws.ecr.errors import EcrError, not_modelled
from localaws.ecr.operations import Parameters

_SCOPE = re.compile(r"Credential=([^/,\s]*)/([^/,\s]*)/([^/,\s]*)/([^/,\s]*)/aws4_request")
SERVICES = {
    "ecr": "ECR",
    "sts": "STS",
    "iam": "IAM",
    "lambda": "Lambda",
    "events": "EventBridge",
    "scheduler": "EventBridge Scheduler",
}
# Their endpoints are global.
_GLOBAL = frozenset({"sts", "iam"})


@dataclass(frozen=True)
class Scope:
    """The access key, region and service of a signature; empty strings without a signature."""

    access_key: str = ""
    region: str = ""
    service: str = ""

    def refuse_another_region(self, region: str) -> None:
        """Refuse a call for another region, except to ECR (see `elsewhere`) and to global services.

        Raises:
            EcrError: the call is for another region.
        """
        here = not self.service or self.region == region or self.service not in SERVICES
        if not here and self.service not in _GLOBAL | {"ecr"}:
            raise not_modelled(f"The local target is in {region}; this call was signed for {self.region}")

    def refuse_another_service(self) -> None:
        """Refuse a call for a service that is not modelled.

        Raises:
            EcrError: the call is for such a service.
        """
        if self.service and self.service not in SERVICES:
            here = ", ".join(SERVICES.values())
            raise not_modelled(f"The local target is {here}; {self.service!r} is not among them")


def scope_of(authorization: str) -> Scope:
    """Read an Authorization header, or a query's `Credential=…`."""
    found = _SCOPE.search(authorization)
    return Scope(found[1], found[3], found[4]) if found else Scope()


def elsewhere(name: str, parameters: Parameters, account: str, region: str, here: str) -> Parameters:
    """The answer of ECR in a region in which the account has no repository.

    Raises:
        EcrError: RepositoryNotFoundException, or UnsupportedOperationException where no repository is named.
    """
    named = [*parameters.get("repositoryNames", []), parameters.get("repositoryName"), parameters.get("resourceArn")]
    wanted = next((each.rpartition(":repository/")[2] for each in named if each), None)
    if name == "DescribeRepositories" and wanted is None:
        return {"repositories": []}
    if wanted is None or name == "CreateRepository":
        raise not_modelled(f"The local target is in {here}; this call was signed for {region}")
    raise EcrError(
        "RepositoryNotFoundException",
        f"The repository with name '{wanted}' does not exist in the registry with id '{account}'",
    )
