"""A gate with folders of its own, and the engine that it uses."""

from __future__ import annotations

from pathlib import Path

import docker
import pytest

from tests.hard_use.runs import Gate
from tests.other_releases import folders


@pytest.fixture
def gate(tmp_path) -> Gate:
    """A gate that nobody else uses."""
    return Gate(tmp_path)


@pytest.fixture
def plain_gate(tmp_path) -> Gate:
    """A gate about an image without a browser, a fifth as large: for what holds of a run whatever its image is."""
    return without_layers(tmp_path)


def without_layers(folder: Path) -> Gate:
    """A gate about such an image, of which no layer is kept: its runs ask the engine for all of it."""
    release = folders.plain(folder / "plain")
    (release / ".cache").unlink()
    return Gate(folder, release=release)


@pytest.fixture(scope="session")
def engine():
    """The Docker engine."""
    client = docker.from_env()
    yield client
    client.close()
