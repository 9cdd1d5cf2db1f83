"""AWS partitions from the data that botocore ships: the partition of a region, and the names that depend on it.

AWS_DATA_PATH and ~/.aws/models are not read, because their content can be changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any


@dataclass(frozen=True)
class Partition:
    """One AWS partition.

    Attributes:
        name: as in an ARN, such as "aws" or "aws-cn".
        suffix: the domain of its services, such as "amazonaws.com".
        dual_stack_suffix: the domain of its dual-stack endpoints, such as "api.aws".
        global_region: the region of its global services.
    """

    name: str
    suffix: str
    dual_stack_suffix: str
    global_region: str

    @property
    def registry_suffix(self) -> str:
        """The domain of ECR's dual-stack registries, "on.aws" (ECR User Guide, "Dual-stack endpoints")."""
        return f"on.{self.dual_stack_suffix.removeprefix('api.')}"


@cache
def partition_of(region: str) -> Partition:
    """The partition of a region; for a region that botocore does not know, the first whose pattern fits, else "aws"."""
    from botocore.endpoint_provider import RuleSetStandardLibrary

    # botocore's implementation of the function `aws.partition` of the endpoint rules.
    found = RuleSetStandardLibrary(data("partitions")).aws_partition(region)
    return Partition(
        found["name"], found["dnsSuffix"], found["dualStackDnsSuffix"], found.get("implicitGlobalRegion", "")
    )


def arn(service: str, region: str, account: str, resource: str, *, partition: str = "") -> str:
    """The ARN of a resource; `partition` is needed for one without a region, such as a role."""
    return f"arn:{partition or partition_of(region).name}:{service}:{region}:{account}:{resource}"


def registry_host(account: str, region: str) -> str:
    """The host of an account's registry, as in the URI of an image."""
    return f"{account}.dkr.ecr.{region}.{partition_of(region).suffix}"


def registry_hosts(account: str, region: str) -> frozenset[str]:
    """Every host of an account's registry, FIPS and dual-stack included.

    Source: ECR, "Endpoints and quotas", and the ECR User Guide, "Making requests over dual-stack endpoints".
    """
    here = partition_of(region)
    plain = {f"{account}.dkr.{kind}.{region}.{here.suffix}" for kind in ("ecr", "ecr-fips")}
    return frozenset(plain | {f"{account}.dkr-{kind}.{region}.{here.registry_suffix}" for kind in ("ecr", "ecr-fips")})


@cache
def data(name: str) -> Any:
    """A data file that botocore ships, by its name without extension."""
    return _loader().load_data(name)


def service_data(service: str, kind: str) -> Any:
    """A data file of a service, such as its endpoint rules.

    Raises:
        UnknownServiceError, DataNotFoundError: botocore ships no such file.
    """
    return _loader().load_service_model(service, kind)


@cache
def _loader() -> Any:
    from botocore.loaders import Loader

    return Loader(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)
