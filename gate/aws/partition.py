"""AWS's partitions as botocore's own data has them: which one a region is in, and the names that follow from it.

Only the data that botocore ships is read: AWS_DATA_PATH and ~/.aws/models, where more could lie, are not looked into.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any


@dataclass(frozen=True)
class Partition:
    """One partition.

    Attributes:
        name: as it stands in an ARN, such as "aws" or "aws-cn".
        suffix: the domain of its services, such as "amazonaws.com".
        dual_stack_suffix: the domain of those that answer over IPv6 too, such as "api.aws".
        global_region: where its services without a region are.
    """

    name: str
    suffix: str
    dual_stack_suffix: str
    global_region: str

    @property
    def registry_suffix(self) -> str:
        """The domain of ECR's registries over IPv6, "on.aws" (ECR User Guide, "Dual-stack endpoints")."""
        return f"on.{self.dual_stack_suffix.removeprefix('api.')}"


@cache
def partition_of(region: str) -> Partition:
    """The partition of a region; of one that botocore does not know, the first whose pattern it fits, else "aws"."""
    from botocore.endpoint_provider import RuleSetStandardLibrary

    # The rule `aws.partition` of the endpoint rules, as botocore evaluates it.
    found = RuleSetStandardLibrary(data("partitions")).aws_partition(region)
    return Partition(
        found["name"], found["dnsSuffix"], found["dualStackDnsSuffix"], found.get("implicitGlobalRegion", "")
    )


def arn(service: str, region: str, account: str, resource: str, *, partition: str = "") -> str:
    """The ARN of a resource; of one without a region, such as a role, with `partition` for the release's region."""
    return f"arn:{partition or partition_of(region).name}:{service}:{region}:{account}:{resource}"


def registry_host(account: str, region: str) -> str:
    """The host of an account's registry, as it stands in every image's URI."""
    return f"{account}.dkr.ecr.{region}.{partition_of(region).suffix}"


def registry_hosts(account: str, region: str) -> frozenset[str]:
    """Every host by which an account's registry can be reached: FIPS and IPv6 as well.

    Source: ECR, "Endpoints and quotas", and the ECR User Guide, "Making requests over dual-stack endpoints".
    """
    here = partition_of(region)
    plain = {f"{account}.dkr.{kind}.{region}.{here.suffix}" for kind in ("ecr", "ecr-fips")}
    return frozenset(plain | {f"{account}.dkr-{kind}.{region}.{here.registry_suffix}" for kind in ("ecr", "ecr-fips")})


@cache
def data(name: str) -> Any:
    """A file of the data that botocore ships, by its name without ending."""
    return _loader().load_data(name)


def service_data(service: str, kind: str) -> Any:
    """A file about a service, such as its endpoint rules.

    Raises:
        UnknownServiceError, DataNotFoundError: botocore ships none.
    """
    return _loader().load_service_model(service, kind)


@cache
def _loader() -> Any:
    from botocore.loaders import Loader

    return Loader(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)
