"""What decides how an image is built: the release, and nothing that is exported around the build."""

from __future__ import annotations

import pytest

from gate.image.build_inputs import environment

PLAIN = {"PATH": "/bin", "HOME": "/root", "https_proxy": "http://proxy:3128"}
DECIDING = {
    "DOCKER_BUILDKIT": "1",
    "DOCKER_DEFAULT_PLATFORM": "linux/arm64",
    "DOCKER_CONTEXT": "elsewhere",
    "DOCKER_API_VERSION": "1.24",
    "DOCKER_CONTENT_TRUST": "1",
    "DOCKER_CUSTOM_HEADERS": "x=y",
    "BUILDX_BUILDER": "mine",
    "BUILDX_NO_DEFAULT_ATTESTATIONS": "0",
    "BUILDX_NO_DEFAULT_LOAD": "1",
    "BUILDX_METADATA_PROVENANCE": "max",
    "BUILDX_METADATA_WARNINGS": "1",
    "BUILDX_GIT_LABELS": "full",
    "BUILDX_EXPERIMENTAL": "1",
    "BUILDKIT_PROGRESS": "rawjson",
    "BUILDKIT_HOST": "tcp://elsewhere:1234",
    "BUILDKIT_COLORS": "run=red",
    "EXPERIMENTAL_BUILDKIT_SOURCE_POLICY": "/policy.json",
    "SOURCE_DATE_EPOCH": "0",
}
LEADING = {
    "DOCKER_HOST": "tcp://engine:2376",
    "DOCKER_TLS_VERIFY": "1",
    "DOCKER_CERT_PATH": "/certs",
    "DOCKER_CONFIG": "/config",
    "DOCKER_AUTH_CONFIG": "{}",
    "BUILDX_CONFIG": "/buildx",
}


def told(surroundings: dict[str, str], *, platform: str = "linux/amd64", buildkit: bool = True) -> dict[str, str]:
    """The environment of a build among some surroundings."""
    return environment({**PLAIN, **surroundings}, platform=platform, buildkit=buildkit)


@pytest.mark.parametrize("name", DECIDING)
@pytest.mark.parametrize("buildkit", [True, False])
def test_no_setting_of_a_builder_changes_a_build(name: str, buildkit: bool) -> None:
    """Exported or not, the same environment comes of it."""
    assert told({name: DECIDING[name]}, buildkit=buildkit) == told({}, buildkit=buildkit)


def test_all_of_them_together_change_nothing_either() -> None:
    """As on a machine that builds other things all day."""
    assert told(DECIDING) == told({})


@pytest.mark.parametrize("name", LEADING)
def test_the_way_to_the_engine_and_the_logins_stay(name: str) -> None:
    """The engine that builds is the one that is asked afterwards."""
    assert told(LEADING)[name] == LEADING[name]


@pytest.mark.parametrize("name", PLAIN)
def test_everything_else_stays(name: str) -> None:
    """Paths and proxies are none of a builder's settings."""
    assert told(DECIDING)[name] == PLAIN[name]


@pytest.mark.parametrize("buildkit", [True, False])
def test_no_builder_makes_an_index_or_another_platform(buildkit: bool) -> None:
    """BuildKit's default attestations make one, which Lambda refuses."""
    found = told(DECIDING, platform="linux/arm64", buildkit=buildkit)
    assert (found["BUILDX_NO_DEFAULT_ATTESTATIONS"], found["DOCKER_DEFAULT_PLATFORM"]) == ("1", "linux/arm64")
    assert found["BUILDX_BUILDER"] == found["DOCKER_CONTEXT"] == "default"


def test_an_engine_without_buildkit_gets_the_classic_builder() -> None:
    """The docker command takes BuildKit for granted on Linux, and Podman has none."""
    assert told({}, buildkit=False)["DOCKER_BUILDKIT"] == "0"
    assert "DOCKER_BUILDKIT" not in told({"DOCKER_BUILDKIT": "0"})


def test_no_platform_is_the_engines_own() -> None:
    """Also where another one is exported."""
    assert "DOCKER_DEFAULT_PLATFORM" not in told(DECIDING, platform="")
