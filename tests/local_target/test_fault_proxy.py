"""The fault-injecting proxy affects the chosen requests and no others."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from localaws.target import LocalTarget
from tests.local_target.fault_proxy import ALWAYS, FaultInjectingProxy, InjectedFault
from tests.local_target.registry_client import RegistryClient, login
from tests.seeded import SEEDED

pytestmark = pytest.mark.docker

ONE = {"repositoryNames": [SEEDED.repository]}


def through(target: LocalTarget, proxy: FaultInjectingProxy) -> Any:
    """ECR through the fault-injecting proxy, without retries, with a short timeout."""
    once = Config(retries={"total_max_attempts": 1}, read_timeout=1)
    return target.session().client("ecr", endpoint_url=proxy.endpoint, config=once)


def test_without_faults_it_is_the_real_gateway(target: LocalTarget, owner: Any, repository: str) -> None:
    """Signed calls, a login that names this proxy, pushes and pulls pass through it."""
    with FaultInjectingProxy(target.registry) as proxy:
        ecr = target.session(SEEDED.administrator).client("ecr", endpoint_url=proxy.endpoint)
        assert ecr.get_authorization_token()["authorizationData"][0]["proxyEndpoint"] == proxy.endpoint
        assert RegistryClient(proxy.registry, login(ecr)).push(repository, "v1", "through").status == 201
        assert [seen.operation for seen in proxy.seen[:2]] == ["GetAuthorizationToken"] * 2
    assert owner.describe_images(repositoryName=repository)["imageDetails"][0]["imageTags"] == ["v1"]


def run(environment: dict[str, str], *command: str, said: str = "") -> subprocess.CompletedProcess[str]:
    """One docker command."""
    return subprocess.run(
        ["docker", *command], env=environment, input=said, text=True, capture_output=True, timeout=120, check=False
    )


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (InjectedFault(status=500), ClientError),
        (InjectedFault(status=200, body=b"<garbage"), KeyError),  # botocore answers it without any member
        (InjectedFault(reset=True), ConnectionClosedError),
        (InjectedFault(delay=2), ReadTimeoutError),
        (InjectedFault(cut_to=10), ConnectionClosedError),
    ],
)
def test_a_fault_affects_the_chosen_number_of_requests(
    target: LocalTarget, fault: InjectedFault, error: type[Exception]
) -> None:
    """The first call passes, the second fails, the third passes."""
    with FaultInjectingProxy(target.registry) as proxy:
        ecr = through(target, proxy)
        fault.operation, fault.skip = "DescribeRepositories", 1
        proxy.faults.append(fault)
        assert ecr.describe_repositories(**ONE)["repositories"]
        with pytest.raises(error):
            ecr.describe_repositories(**ONE)["repositories"]
        assert ecr.describe_repositories(**ONE)["repositories"]


def test_a_push_through_a_broken_registry_fails(
    target: LocalTarget, tiny: Callable[[str], str], docker_environment: dict[str, str]
) -> None:
    """A manifest that is always answered with 500 ends docker's push with an error."""
    with FaultInjectingProxy(
        target.registry, [InjectedFault(method="PUT", path="manifests", status=500, times=ALWAYS)]
    ) as proxy:
        user, password = login(through(target, proxy))
        reference = f"{proxy.registry}/{SEEDED.repository}:broken"
        run(docker_environment, "login", "-u", user, "--password-stdin", proxy.registry, said=password)
        run(docker_environment, "tag", tiny("broken"), reference)
        pushed = run(docker_environment, "push", reference)
        run(docker_environment, "rmi", reference)
    assert pushed.returncode != 0
    assert "500 Internal Server Error" in pushed.stderr
