"""What an engine cannot do is reported in one sentence at the start."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from gate.engine import Engine
from gate.engine.capabilities import emulated, lacks_processor, missing_capabilities
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


@pytest.mark.parametrize(
    ("platform", "machine", "others", "said"),
    [
        ("linux/arm64", "x86_64", set(), "the Docker engine's machine is x86_64 and emulates no aarch64"),
        ("linux/amd64", "aarch64", {"arm"}, "the Docker engine's machine is aarch64 and emulates no x86_64"),
        ("linux/arm64", "x86_64", {"aarch64"}, ""),
        ("linux/arm64", "aarch64", set(), ""),
        ("linux/amd64", "x86_64", set(), ""),
        ("linux/amd64", "amd64", set(), ""),
        ("linux/arm64", "arm64", set(), ""),
        ("linux/amd64", "arm64", set(), "the Docker engine's machine is arm64 and emulates no x86_64"),
        ("linux/amd64", "aarch64", None, ""),
        ("linux/amd64", "", set(), ""),
        ("", "x86_64", set(), ""),
    ],
)
def test_another_processor_is_told_before_anything_is_built(platform, machine, others, said):
    """In one sentence; an engine that does not name its machine, or emulates the other one, is believed."""
    found = lacks_processor(platform, {"Architecture": machine}, others)
    assert found.startswith(said)
    assert bool(found) is bool(said)


def binfmt(machine: str, state: str = "enabled") -> str:
    """An entry of binfmt_misc for ELF files of this machine, as the kernel shows it."""
    magic = "7f454c46020101" + "00" * 9 + "0200" + machine
    return f"{state}\ninterpreter /usr/bin/emulator\nflags: OCF\noffset 0\nmagic {magic}\nmask {'ff' * 20}\n"


def test_an_emulator_is_known_by_what_it_runs_whatever_its_name(tmp_path):
    """QEMU's and Rosetta's; a disabled one, one for another processor, and for scripts are none."""
    here = {"KernelVersion": os.uname().release}
    assert emulated(here, tmp_path) is None
    for name, text in {
        "status": "enabled\n",
        "rosetta": binfmt("3e00"),
        "qemu-aarch64": binfmt("b700", "disabled"),
        "qemu-arm": binfmt("2800"),
        "python3.11": "enabled\ninterpreter /usr/bin/python3.11\nflags: \noffset 0\nmagic a70d0d0a\n",
    }.items():
        (tmp_path / name).write_text(text)
    assert emulated(here, tmp_path) == {"x86_64"}
    assert emulated({"KernelVersion": "6.6.1-linuxkit"}, tmp_path) is None
    assert emulated({}, tmp_path) is None
