"""The image that the plain tests look into."""

import json
import os
import subprocess

import pytest
import testinfra

IMAGE = os.environ["BENCH_IMAGE"]


@pytest.fixture(scope="session")
def docker():
    """What the docker CLI prints."""

    def ask(*arguments):
        return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True).stdout

    return ask


@pytest.fixture(scope="session")
def image(docker):
    """The image's configuration."""
    return json.loads(docker("image", "inspect", IMAGE))[0]


@pytest.fixture(scope="session")
def container(docker):
    """A container of the image that only sleeps."""
    found = docker("run", "--rm", "--detach", "--network", "none", "--entrypoint", "sleep", IMAGE, "600").strip()
    yield found
    docker("rm", "--force", found)


@pytest.fixture(scope="session")
def host(container):
    """Testinfra's host in it."""
    return testinfra.get_host(f"docker://{container}")


@pytest.fixture(scope="session")
def secret():
    """What a secret looks like."""
    return r"AKIA[0-9A-Z]{16}|BEGIN [A-Z ]*PRIVATE KEY|ghp_[0-9A-Za-z]{36}|xox[baprs]-|eyJ[A-Za-z0-9_-]{20,}\.eyJ"
