"""For which service and region a request was signed (Signature Version 4, the credential scope)."""

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
# These two answer the same from every region (their endpoints are global).
_GLOBAL = frozenset({"sts", "iam"})


@dataclass(frozen=True)
class Scope:
    """The access key of a signature and what it is for; empty texts where there is no signature."""

    access_key: str = ""
    region: str = ""
    service: str = ""

    def refuse_another_region(self, region: str) -> None:
        """Let pass what is in this region, or in all; what is not in another ECR says itself.

        Raises:
            EcrError: it is for another region.
        """
        here = not self.service or self.region == region or self.service not in SERVICES
        if not here and self.service not in _GLOBAL | {"ecr"}:
            raise not_modelled(f"The local target is in {region}; this call was signed for {self.region}")

    def refuse_another_service(self) -> None:
        """Let pass what is for a service that is here.

        Raises:
            EcrError: it is for another one.
        """
        if self.service and self.service not in SERVICES:
            here = ", ".join(SERVICES.values())
            raise not_modelled(f"The local target is {here}; {self.service!r} is not among them")


def scope_of(authorization: str) -> Scope:
    """Read an Authorization header, or a query's `Credential=…`."""
    found = _SCOPE.search(authorization)
    return Scope(found[1], found[3], found[4]) if found else Scope()


def elsewhere(name: str, parameters: Parameters, account: str, region: str, here: str) -> Parameters:
    """What ECR answers in a region in which the account has no repository.

    Raises:
        EcrError: RepositoryNotFoundException; or that the local target has no such region.
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
