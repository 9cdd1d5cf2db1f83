"""Whether an address is AWS's own: the very host that botocore resolves for service and region without any override.

Pure but for the data that botocore ships. A suffix proves nothing: everybody's rented host is called
ec2-….amazonaws.com, and everybody's API, load balancer or endpoint service has such a name too.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import SplitResult, urlsplit

from gate.aws.partition import data, partition_of, registry_hosts, service_data
from gate.check import ACCEPTED, CheckResult, check, reject

_HTTPS_PORT = 443


@dataclass(frozen=True)
class Endpoint:
    """Where one client of a run asks, or what AWS named as the registry.

    Attributes:
        service: botocore's name of the service, such as "ecr".
        region: the client's region.
        url: the address that it asks.
        prefix: the service's endpoint prefix in botocore's service model.
        registry_of: for a registry that ECR named, the account; "" for a service.
    """

    service: str
    region: str
    url: str
    prefix: str = ""
    registry_of: str = ""

    @property
    def is_aws(self) -> bool:
        """Whether it is https, without a port of its own, and a host of AWS for this very purpose."""
        parts = _parts(self.url)
        if parts is None or parts.scheme != "https" or parts.port not in (None, _HTTPS_PORT):
            return False
        host = parts.hostname or ""
        bare = parts.username is None and not parts.path.strip("/")
        return bare and (host in self.expected or (not self.registry_of and self._is_private_link(host)))

    @property
    def expected(self) -> frozenset[str]:
        """The hosts of AWS."""
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
        """What it is."""
        return f"the registry that {self.service} names" if self.registry_of else self.service

    def __str__(self) -> str:
        suffix = partition_of(self.region).suffix
        order = {host: ("fips" in host, not host.endswith(suffix), len(host), host) for host in self.expected}
        usual = min(order, key=order.__getitem__, default="")
        wanted = f"AWS's own is https://{usual}" if usual else "botocore knows no such service"
        return f"{self.name} in {self.region}: {self.shown} ({wanted})"

    def _is_private_link(self, host: str) -> bool:
        here = partition_of(self.region)
        return any(
            _private_link(label, region, here.suffix).fullmatch(host)
            for label, region in _labels(self.expected, self.region, here.suffix, here.global_region)
        )


def _known_bad() -> tuple[tuple[Endpoint, ...], bool]:
    here = Endpoint("ecr", "eu-west-1", f"https://{min(hosts('ecr', 'eu-west-1', 'api.ecr'))}", "api.ecr")
    return (here, Endpoint("cloudtrail", "eu-west-1", "https://cloudtrail.example")), True


@check(8, known_bad=_known_bad)
def check_endpoints(endpoints: Iterable[Endpoint], publishes: bool) -> CheckResult:
    """Whether a run may publish: it must not change AWS's own registry by the rules of a rehearsal.

    Args:
        endpoints: where each client asks.
        publishes: whether the run releases.
    """
    asked = tuple(endpoints)
    elsewhere = [str(each) for each in asked if not each.is_aws]
    if not publishes or not elsewhere or not any(each.service == "ecr" and each.is_aws for each in asked):
        return ACCEPTED
    return reject(
        "The run would publish to AWS's own registry, while not every service that it asks is AWS's: "
        + "; ".join(elsewhere),
        "AWS_ENDPOINT_URL…, and endpoint_url and services in the AWS profile",
        "take these addresses away for a release; for a rehearsal, lead every service to the emulator, ECR too",
    )


@check(8, known_bad=lambda: (("ecr", "sts"), ()))
def check_looked_at(services: Iterable[str], endpoints: Iterable[Endpoint]) -> CheckResult:
    """Whether every service that was called was called by a client that the run looked at.

    Args:
        services: those of the calls in the call log.
        endpoints: where each client that was looked at asks.
    """
    unseen = sorted(set(services) - {each.service for each in endpoints})
    if not unseen:
        return ACCEPTED
    return reject(
        f"Nobody looked at the client that called {', '.join(unseen)}, so nobody knows whether AWS answered",
        "the log of all AWS calls",
        "this is a defect of the gate: each client must be made from the run's own session",
    )


def _parts(url: str) -> SplitResult | None:
    """The parts of an address; None where it is none, its port included."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _labels(found: frozenset[str], region: str, suffix: str, global_region: str) -> Iterator[tuple[str, str]]:
    """What stands before region and domain in the hosts of a service; before the domain, where it has no region."""
    for host in found:
        if host.endswith(f".{region}.{suffix}"):
            yield host.removesuffix(f".{region}.{suffix}"), region
        elif host.endswith(f".{suffix}"):
            yield host.removesuffix(f".{suffix}"), global_region


@cache
def _private_link(label: str, region: str, suffix: str) -> re.Pattern[str]:
    """The names of an interface endpoint for a service of AWS.

    Source: AWS PrivateLink guide, "Access an AWS service using an interface VPC endpoint": endpoint_id-unique, with
    a zone or none, service, region, vpce, domain. Somebody else's service has vpce-svc-… in place of the service.
    """
    zone = f"(?:-{re.escape(region)}[a-z0-9-]*)?"
    tail = re.escape(f".{label}.{region}.vpce.{suffix}")
    return re.compile(rf"vpce-[0-9a-f]{{8,17}}-[0-9a-z]{{6,12}}{zone}{tail}")


@cache
def hosts(service: str, region: str, prefix: str) -> frozenset[str]:
    """The hosts that botocore resolves for a service in a region, FIPS and dual stack included; no override is seen.

    Args:
        service: botocore's name of it.
        region: such as "eu-west-1".
        prefix: its endpoint prefix, by which botocore's older data knows it.
    """
    return frozenset({*_by_rules(service, region), *_by_list(prefix, region)})


def _by_rules(service: str, region: str) -> Iterator[str]:
    """By the service's endpoint rules: with each of the switches that botocore itself sets, on and off."""
    from botocore.endpoint_provider import EndpointProvider
    from botocore.exceptions import BotoCoreError

    try:
        rules = service_data(service, "endpoint-rule-set-1")
    except BotoCoreError:
        # A service that botocore does not ship has no host of AWS's that anybody here knows.
        return
    provider = EndpointProvider(rules, data("partitions"))
    switches = [name for name, each in rules["parameters"].items() if _is_switch(each)]
    for values in itertools.product((False, True), repeat=len(switches)):
        try:
            found = provider.resolve_endpoint(Region=region, **dict(zip(switches, values, strict=True)))
        except BotoCoreError:
            # "FIPS is enabled but this partition does not support it": there is no such host.
            continue
        yield urlsplit(found.url).hostname or ""


def _is_switch(parameter: dict[str, Any]) -> bool:
    return str(parameter["type"]).lower() == "boolean" and "builtIn" in parameter


def _by_list(prefix: str, region: str) -> Iterator[str]:
    """By the list that botocore had before the rules; `client.meta.endpoint_url` still comes from it."""
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
