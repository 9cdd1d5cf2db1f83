"""Whether an endpoint is AWS's: exactly the host that botocore resolves for service and region without overrides.

Pure except for the data that botocore ships. The suffix of the host is not enough: rented hosts are called
ec2-….amazonaws.com, and customers' APIs, load balancers and endpoint services have such names too.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from urllib.parse import SplitResult, urlsplit

from gate.aws.partition import data, partition_of, registry_hosts, service_data
from gate.check import ACCEPTED, CheckResult, check, reject

_HTTPS_PORT = 443
# The DNS names of an interface VPC endpoint for a service of AWS: endpoint ID and unique ID, an optional zone, service,
# region, vpce, domain (AWS PrivateLink guide, "Access an AWS service using an interface VPC endpoint"). A service that
# is not AWS's has vpce-svc-… in place of its name.
_PRIVATE_LINK = re.compile(
    r"vpce-[0-9a-f]{8,17}-[0-9a-z]{6,12}(?:-(?P<zone>[a-z0-9-]+))?"
    r"\.(?P<label>.+)\.(?P<region>[a-z0-9-]+)\.vpce\.(?P<domain>.+)"
)


@dataclass(frozen=True)
class Endpoint:
    """The endpoint of one client of a run, or the registry that ECR named.

    Attributes:
        service: botocore's name of the service, such as "ecr".
        region: the client's region.
        url: the address that it calls.
        prefix: the service's endpoint prefix in botocore's service model.
        registry_of: the account, for a registry that ECR named; "" for a service.
    """

    service: str
    region: str
    url: str
    prefix: str = ""
    registry_of: str = ""

    @property
    def is_aws(self) -> bool:
        """Whether it uses https on port 443 and is AWS's host for this service or registry."""
        parts = _parts(self.url)
        if parts is None or parts.scheme != "https" or parts.port not in (None, _HTTPS_PORT):
            return False
        host = parts.hostname or ""
        bare = parts.username is None and not parts.path.strip("/")
        return bare and (host in self.expected or (not self.registry_of and self._is_private_link(host)))

    @property
    def expected(self) -> frozenset[str]:
        """The hosts that AWS has for it."""
        if self.registry_of:
            return registry_hosts(self.registry_of, self.region)
        return hosts(self.service, self.region, self.prefix or self.service)

    @property
    def shown(self) -> str:
        """The address without user, password, path and query."""
        parts = _parts(self.url)
        if parts is None:
            return "an address that cannot be read"
        host = parts.hostname or "no host"
        host = f"[{host}]" if ":" in host else host
        return f"{parts.scheme or 'no scheme'}://{host}" + (f":{parts.port}" if parts.port else "")

    @property
    def name(self) -> str:
        """What it is, for a sentence."""
        return f"the registry that {self.service} names" if self.registry_of else self.service

    def __str__(self) -> str:
        suffix = partition_of(self.region).suffix
        order = {host: ("fips" in host, not host.endswith(suffix), len(host), host) for host in self.expected}
        usual = min(order, key=order.__getitem__, default="")
        wanted = f"AWS's own is https://{usual}" if usual else "botocore knows no such service"
        return f"{self.name} in {self.region}: {self.shown} ({wanted})"

    def _is_private_link(self, host: str) -> bool:
        """Whether it is the name of an interface VPC endpoint for one of the expected hosts."""
        here, link = partition_of(self.region), _PRIVATE_LINK.fullmatch(host)
        if (
            link is None
            or link["domain"] != here.suffix
            or not (link["zone"] or link["region"]).startswith(link["region"])
        ):
            return False
        places = [f"{link['region']}.{here.suffix}", *([here.suffix] if link["region"] == here.global_region else [])]
        return any(f"{link['label']}.{place}" in self.expected for place in places)


def _known_bad() -> tuple[tuple[Endpoint, ...], bool]:
    here = Endpoint("ecr", "eu-west-1", f"https://{min(hosts('ecr', 'eu-west-1', 'api.ecr'))}", "api.ecr")
    return (here, Endpoint("cloudtrail", "eu-west-1", "https://cloudtrail.example")), True


@check(8, known_bad=_known_bad)
def check_endpoints(endpoints: Iterable[Endpoint], publishes: bool) -> CheckResult:
    """Whether a run may publish: a rehearsal must not change a registry of AWS.

    Args:
        endpoints: the endpoints of all clients.
        publishes: whether the run releases.
    """
    asked = tuple(endpoints)
    elsewhere = [str(each) for each in asked if not each.is_aws]
    if not publishes or not elsewhere or not any(each.service == "ecr" and each.is_aws for each in asked):
        return ACCEPTED
    return reject(
        "The run would publish to a registry of AWS, but not every service that it calls is AWS's: "
        + "; ".join(elsewhere),
        "AWS_ENDPOINT_URL…, and endpoint_url and services in the AWS profile",
        "remove these addresses for a release; for a rehearsal, point every service to the emulator, ECR too",
    )


@check(8, known_bad=lambda: (("ecr", "sts"), ()))
def check_recorded_clients(services: Iterable[str], endpoints: Iterable[Endpoint]) -> CheckResult:
    """Whether the run recorded the endpoint of every service that was called.

    Args:
        services: the services in the call log.
        endpoints: the recorded endpoints.
    """
    unseen = sorted(set(services) - {each.service for each in endpoints})
    if not unseen:
        return ACCEPTED
    return reject(
        f"The endpoint of the client that called {', '.join(unseen)} was not recorded, so it may not have been AWS",
        "the log of all AWS calls",
        "this is a defect of the gate: each client must be made from the session of the run",
    )


def _parts(url: str) -> SplitResult | None:
    """The parts of an address; None if it, or its port, is not valid."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts


@cache
def hosts(service: str, region: str, prefix: str) -> frozenset[str]:
    """The hosts that botocore resolves for a service in a region without overrides, FIPS and dual-stack included.

    Args:
        service: botocore's name of the service.
        region: such as "eu-west-1".
        prefix: its endpoint prefix, which botocore's older data uses.
    """
    return frozenset({*_by_rules(service, region), *_by_list(prefix, region)})


def _by_rules(service: str, region: str) -> Iterator[str]:
    """By the service's endpoint rules, with every combination of the built-in switches."""
    from botocore.endpoint_provider import EndpointProvider
    from botocore.exceptions import BotoCoreError

    try:
        rules = service_data(service, "endpoint-rule-set-1")
    except BotoCoreError:
        # botocore does not ship this service, so no host of AWS is known for it.
        return
    provider = EndpointProvider(rules, data("partitions"))
    switches = [name for name, each in rules["parameters"].items()
                if str(each["type"]).lower() == "boolean" and "builtIn" in each]  # fmt: skip
    for values in itertools.product((False, True), repeat=len(switches)):
        try:
            found = provider.resolve_endpoint(Region=region, **dict(zip(switches, values, strict=True)))
        except BotoCoreError:
            # "FIPS is enabled but this partition does not support it": there is no such host.
            continue
        yield urlsplit(found.url).hostname or ""


def _by_list(prefix: str, region: str) -> Iterator[str]:
    """By botocore's older endpoint list, from which `client.meta.endpoint_url` still comes."""
    from botocore.exceptions import BotoCoreError
    from botocore.regions import EndpointResolver

    resolver, partition = EndpointResolver(data("endpoints")), partition_of(region).name
    for dual, fips in itertools.product((False, True), repeat=2):
        try:
            found = resolver.construct_endpoint(
                prefix, region, partition, use_dualstack_endpoint=dual, use_fips_endpoint=fips
            )
        except BotoCoreError:
            continue
        if found:
            yield str(found["hostname"])
