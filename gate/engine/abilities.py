"""What the gate needs of an engine besides the calls themselves, by the engine's own account. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

# SystemInfo of Docker's Engine API, which Podman answers too; without these the sandbox would not be Lambda's.
_LIMITS = {
    "MemoryLimit": "limit a container's memory",
    "CpuCfsQuota": "limit a container's share of the processors",
    "PidsLimit": "limit a container's processes",
}
# Docker 20.10, the oldest that is tried (docs/engines.md).
_API = (1, 41)


def lacking(version: Mapping[str, Any], info: Mapping[str, Any]) -> tuple[str, ...]:
    """What this engine cannot do, each as the end of "it cannot"; an engine that does not say is taken at its best.

    Args:
        version: the answer of /version.
        info: the answer of /info.
    """
    return tuple(_lacking(version, info))


def _lacking(version: Mapping[str, Any], info: Mapping[str, Any]) -> Iterator[str]:
    system, spoken = str(info.get("OSType") or "linux").lower(), str(version.get("ApiVersion") or "")
    if system != "linux":
        yield f"run Linux containers (it runs those of {system})"
        return
    if spoken and _numbers(spoken) < _API:
        yield f"speak version {'.'.join(map(str, _API))} of Docker's API (it speaks {spoken})"
    yield from (what for name, what in _LIMITS.items() if info.get(name) is False)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdecimal())
