"""A gate with folders of its own, and the engine that it uses."""

from __future__ import annotations

import docker
import pytest

from tests.hard_use.runs import Gate


@pytest.fixture
def gate(tmp_path) -> Gate:
    """A gate that nobody else uses."""
    return Gate(tmp_path)


@pytest.fixture(scope="session")
def engine():
    """The Docker engine."""
    client = docker.from_env()
    yield client
    client.close()
