"""What an engine can do, by its answers to /version and /info (Docker Engine API; Podman answers them too)."""

from __future__ import annotations

import os
import re
from collections.abc import Container, Iterator, Mapping
from pathlib import Path
from typing import Any

# SystemInfo; without these the sandbox could not set Lambda's limits.
_LIMITS = {
    "MemoryLimit": "limit a container's memory",
    "CpuCfsQuota": "limit a container's share of the processors",
    "PidsLimit": "limit a container's processes",
}
# Docker 20.10, the oldest that is tried (docs/engines.md).
_API = (1, 41)
# The processors of Lambda's platforms as the kernel names them, and so Docker; as Go does, and so Podman.
_PROCESSORS = {"linux/amd64": ("x86_64", "amd64"), "linux/arm64": ("aarch64", "arm64")}
_BINFMT = Path("/proc/sys/fs/binfmt_misc")
# The magic number of an ELF file up to its processor (System V ABI, e_machine, little-endian), in hexadecimal.
_ELF = re.compile(r"^enabled$.*^magic 7f454c46[0-9a-f]{28}(3e00|b700)", re.M | re.S)
_MACHINES = {"3e00": "x86_64", "b700": "aarch64"}

EMULATE = (
    "rehearse on a machine of that kind, or let this one emulate it "
    "(docker run --privileged --rm tonistiigi/binfmt --install all)"
)
ANOTHER_ENGINE = "let DOCKER_HOST name an engine that can: docs/engines.md lists those that were tried"


def missing_capabilities(version: Mapping[str, Any], info: Mapping[str, Any]) -> Iterator[str]:
    """What the gate needs and this engine cannot do, each as the end of "it cannot".

    An engine that does not state a capability is taken to have it.

    Args:
        version: the answer of /version.
        info: the answer of /info.
    """
    system, spoken = str(info.get("OSType") or "linux").lower(), str(version.get("ApiVersion") or "")
    if system != "linux":
        yield f"run Linux containers (it runs those of {system})"
        return
    if spoken and tuple(int(part) for part in spoken.split(".") if part.isdecimal()) < _API:
        yield f"speak version {'.'.join(map(str, _API))} of Docker's API (it speaks {spoken})"
    yield from (what for name, what in _LIMITS.items() if info.get(name) is False)


def lacks_processor(platform: str, info: Mapping[str, Any], emulated: Container[str] | None) -> str:
    """Why images for a platform cannot be built and run here, as a sentence; "" where they can, or it is not known.

    Args:
        platform: as os/architecture.
        info: the answer of /info.
        emulated: the processors that the engine's kernel emulates; None where that is not known.
    """
    machine, names = str(info.get("Architecture") or ""), _PROCESSORS.get(platform, ())
    if emulated is None or not machine or not names or machine in names or names[0] in emulated:
        return ""
    return f"the Docker engine's machine is {machine} and emulates no {names[0]}, so nothing for {platform} runs on it"


def is_docker_own_store(version: Mapping[str, Any], info: Mapping[str, Any]) -> bool:
    """Whether image IDs are digests of configurations, and sizes those of files: Docker's own image store.

    In containerd's store IDs are digests of manifests and sizes count blocks on its disk; Podman counts the tar around
    the files. `Size` means something else again on both.
    """
    is_docker = "Engine" in [each.get("Name") for each in version.get("Components") or ()]
    return is_docker and ["driver-type", "io.containerd.snapshotter.v1"] not in (info.get("DriverStatus") or [])


def emulated(info: Mapping[str, Any], folder: Path = _BINFMT) -> frozenset[str] | None:
    """The processors that the engine's kernel emulates (kernel, "binfmt_misc"), by whatever emulator.

    None where it cannot be asked: it is the kernel of a virtual machine (Docker Desktop, Colima), or the file system is
    not mounted, as in a container.
    """
    if info.get("KernelVersion") != os.uname().release or not (folder / "status").exists():
        return None
    texts = (each.read_text(encoding="ascii", errors="replace") for each in folder.iterdir() if each.name != "register")
    return frozenset(_MACHINES[found[1]] for text in texts if (found := _ELF.search(text)))
