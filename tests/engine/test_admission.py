"""What four engines pushed (their recorded manifests), and what BuildKit makes of an image that is left to it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gate.registry.manifest import StoredManifest, check_admission, check_bytes, check_same_config, read_manifest

ANSWERS = Path(__file__).with_name("answers")
ENGINES = ("docker-20-classic", "docker-26-buildx", "docker-26-containerd", "podman-5")


def _recorded(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ANSWERS / f"{name}.json").read_text())
    return found


def _pushed(engine: str) -> StoredManifest:
    return StoredManifest(**_recorded(engine)["manifest"])


@pytest.mark.parametrize("engine", ENGINES)
def test_what_an_engine_pushes_is_admitted(engine: str) -> None:
    """One image for one platform, layers in gzip, and its bytes are those of its digest."""
    stored = _pushed(engine)
    assert (check_bytes(stored) + check_admission(stored, "linux/amd64")).accepted


@pytest.mark.parametrize("engine", ENGINES)
def test_what_an_engine_pushes_is_the_image_that_was_checked(engine: str) -> None:
    """By the configuration's digest, under every image store; another engine's image is another one."""
    stored = _pushed(engine)
    assert check_same_config(stored, _recorded(engine)["checked"]["image_id"]).accepted
    others = [each for each in ENGINES if each != engine]
    assert not any(check_same_config(stored, _recorded(other)["checked"]["image_id"]).accepted for other in others)


@pytest.mark.parametrize("engine", ENGINES)
def test_every_layer_is_pushed(engine: str) -> None:
    """None of them twice, and none left out that a registry might have had already."""
    assert len(read_manifest(_pushed(engine)).layers) == _recorded(engine)["checked"]["layers"]


def test_the_builders_default_attestations_are_refused_with_the_way_out() -> None:
    """An index of Docker 26, made by `docker build` with nothing asked for or forbidden."""
    stored = StoredManifest(**_recorded("default-attestations"))
    [rejection] = check_admission(stored, "linux/amd64").rejections
    assert "an OCI index with BuildKit attestations" in rejection.cause
    assert "--provenance=false" in rejection.remedy
    assert not check_same_config(stored, "sha256:" + "a" * 64).accepted
