"""One local target for all tests of it, two tiny images, and the clients that speak to it."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from gate.engine.leftovers import owner_label
from localaws.target import LocalTarget
from tests.local_target.registry_client import layer
from tests.seeded import SEEDED

# The child that is the gateway imports its scanner by name; "tests" is importable from the project's root.
SCANNER = "tests.local_target.rehearsal_scanners:slow"


@pytest.fixture(scope="session")
def engine() -> Iterator[docker.DockerClient]:
    """The Docker engine."""
    client = docker.from_env()
    yield client
    client.close()


@pytest.fixture(scope="session")
def volume(engine: docker.DockerClient) -> Iterator[str]:
    """A blob volume of this session, so that its registry starts empty."""
    made = engine.volumes.create(f"release-gate-test-{uuid.uuid4().hex[:8]}", labels=owner_label())
    yield made.name
    made.remove(force=True)


@pytest.fixture(scope="session")
def target(tmp_path_factory: pytest.TempPathFactory, volume: str) -> Iterator[LocalTarget]:
    """A freshly seeded local target."""
    with LocalTarget(SEEDED, state=tmp_path_factory.mktemp("state"), scanner=SCANNER, volume=volume) as started:
        yield started


@pytest.fixture(scope="session")
def client(target: LocalTarget) -> Callable[..., Any]:
    """Makes boto3 clients of the target: `client("ecr", role=…)`."""

    def make(service: str, role: str = SEEDED.ci_role) -> Any:
        return target.session(role).client(service, endpoint_url=target.endpoint)

    return make


@pytest.fixture(scope="session")
def ecr(client: Callable[..., Any]) -> Any:
    """ECR as the CI role."""
    return client("ecr")


@pytest.fixture(scope="session")
def owner(client: Callable[..., Any]) -> Any:
    """ECR as the administrator."""
    return client("ecr", role=SEEDED.administrator)


@pytest.fixture
def repository(owner: Any) -> Iterator[str]:
    """An empty repository of this test's own, in which everything is allowed to the administrator."""
    name = f"test/{uuid.uuid4().hex[:8]}"
    owner.create_repository(repositoryName=name)
    yield name
    if name in {each["repositoryName"] for each in owner.describe_repositories()["repositories"]}:
        owner.delete_repository(repositoryName=name, force=True)


@pytest.fixture(scope="session")
def tiny(engine: docker.DockerClient) -> Iterator[Callable[[str], str]]:
    """Makes an image of one small file with the given content; returns its name."""
    made = []

    def make(content: str) -> str:
        name = f"release-gate-test-{uuid.uuid4().hex[:8]}"
        engine.api.import_image_from_data(layer({"content": content}), repository=name, tag="latest")
        made.append(f"{name}:latest")
        return made[-1]

    yield make
    for name in made:
        engine.api.remove_image(name, force=True)


@pytest.fixture
def docker_environment(target: LocalTarget, tmp_path: Path) -> dict[str, str]:
    """A person's shell: the target's exports and a Docker configuration of its own."""
    configuration = tmp_path / "docker"
    configuration.mkdir()
    return {**os.environ, **target.environment(), "DOCKER_CONFIG": str(configuration)}
