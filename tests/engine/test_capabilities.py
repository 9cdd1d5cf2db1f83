"""What an engine cannot do is reported in one sentence at the start."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from gate.engine import Engine
from gate.engine.capabilities import missing_capabilities
from gate.errors import EngineUnavailable

ANSWERS = Path(__file__).with_name("answers")
ABLE = {"OSType": "linux", "MemoryLimit": True, "CpuCfsQuota": True, "PidsLimit": True}
CASES: list[tuple[dict[str, Any], dict[str, Any], tuple[str, ...]]] = [
    ({"ApiVersion": "1.41"}, ABLE, ()),
    ({"ApiVersion": "1.45"}, {**ABLE, "SwapLimit": False, "Warnings": ["WARNING: No swap limit support"]}, ()),
    ({"ApiVersion": "1.100"}, ABLE, ()),
    ({"ApiVersion": "2.0"}, ABLE, ()),
    ({}, {}, ()),
    ({"ApiVersion": ""}, {"OSType": "", "MemoryLimit": None}, ()),
    ({"ApiVersion": "1.40"}, ABLE, ("version 1.41",)),
    ({"ApiVersion": "1.24"}, {**ABLE, "PidsLimit": False}, ("version 1.41", "processes")),
    ({}, {**ABLE, "OSType": "windows"}, ("those of windows",)),
    ({}, {**ABLE, "OSType": "Windows", "MemoryLimit": False}, ("those of windows",)),
    ({}, {**ABLE, "MemoryLimit": False}, ("memory",)),
    ({}, {**ABLE, "CpuCfsQuota": False}, ("processors",)),
    (
        {},
        {**ABLE, "MemoryLimit": False, "CpuCfsQuota": False, "PidsLimit": False},
        ("memory", "processors", "processes"),
    ),
]


@pytest.mark.parametrize(("version", "info", "words"), CASES)
def test_what_is_lacking(version: dict[str, Any], info: dict[str, Any], words: tuple[str, ...]) -> None:
    """By the engine's own answers; what it does not state it is taken to have."""
    found = tuple(missing_capabilities(version, info))
    assert len(found) == len(words)
    assert all(word in sentence for word, sentence in zip(words, found, strict=True))


@pytest.mark.parametrize("engine", ["docker-20-classic", "docker-26-buildx", "docker-26-containerd", "podman-5"])
def test_the_engines_that_were_tried_lack_nothing(engine: str) -> None:
    """By their recorded answers."""
    recorded = json.loads((ANSWERS / f"{engine}.json").read_text())
    assert not list(missing_capabilities(recorded["version"], recorded["info"]))


def test_an_unable_engine_is_refused_in_one_sentence() -> None:
    """With the way out, in place of one failure per scenario."""
    client = Mock()
    client.version.return_value, client.info.return_value = {}, {"MemoryLimit": False, "PidsLimit": False}
    with pytest.raises(EngineUnavailable, match="cannot limit a container's memory, or limit") as refused:
        Engine(client).require_capabilities()
    assert "DOCKER_HOST" in refused.value.remedy
