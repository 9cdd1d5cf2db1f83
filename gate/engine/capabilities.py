"""What an engine can do, by its answers to /version and /info (Docker Engine API; Podman answers them too). Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

# SystemInfo; without these the sandbox could not set Lambda's limits.
_LIMITS = {
    "MemoryLimit": "limit a container's memory",
    "CpuCfsQuota": "limit a container's share of the processors",
    "PidsLimit": "limit a container's processes",
}
# Docker 20.10, the oldest that is tried (docs/engines.md).
_API = (1, 41)


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


def is_docker_own_store(version: Mapping[str, Any], info: Mapping[str, Any]) -> bool:
    """Whether image IDs are digests of configurations, and sizes those of files: Docker's own image store.

    In containerd's store IDs are digests of manifests and sizes count blocks on its disk; Podman counts the tar around
    the files. `Size` means something else again on both.
    """
    is_docker = "Engine" in [each.get("Name") for each in version.get("Components") or ()]
    return is_docker and ["driver-type", "io.containerd.snapshotter.v1"] not in (info.get("DriverStatus") or [])
