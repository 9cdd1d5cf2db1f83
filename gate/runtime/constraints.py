"""Lambda's constraints, as docker-py's `create_host_config` takes them."""

from __future__ import annotations

from typing import Any

from docker.types import LogConfig, Ulimit

from gate.runtime.report import Settings

# Measured against what Lambda gives a container image.
USER = "993:990"
TMP_BYTES = 512 * 1024 * 1024
TMP = {"/tmp": f"size={TMP_BYTES},exec,mode=1777"}  # noqa: S108 - Lambda's own path
# Lambda quotas: file descriptors, and processes and threads.
DESCRIPTORS = 1024
PROCESSES = 1024
# Microseconds in which a container may use its share of the CPUs; the kernel's and Docker's usual value.
_PERIOD = 100_000
_SIDECAR_MB = 128
# The engine's default driver may keep nothing that can be read back; this one does, and is bounded.
_LOGS = LogConfig(type=LogConfig.types.JSON, config={"max-size": "16m", "max-file": "2"})


def function(settings: Settings, network: str) -> dict[str, Any]:
    """How the function's container runs.

    Args:
        settings: the function's memory decides its CPU share.
        network: "none", or "container:<id>" to share another container's loopback.
    """
    return {
        **_restricted(settings.memory_mb, PROCESSES, network),
        "tmpfs": TMP,
        # As `--cpus` sets them, which the engine refuses for more CPUs than it has: a function may have six.
        "cpu_period": _PERIOD,
        "cpu_quota": int(settings.cpus * _PERIOD),
        "ulimits": [Ulimit(name="nofile", soft=DESCRIPTORS, hard=DESCRIPTORS)],
    }


def sidecar() -> dict[str, Any]:
    """How the container that serves the Runtime API runs: with the same restrictions, and on loopback alone."""
    return _restricted(_SIDECAR_MB, 64, "none")


def observer(identity: str) -> dict[str, Any]:
    """How the container runs that measures another one from beside it: it sees that one's processes."""
    return {**sidecar(), "pid_mode": f"container:{identity}"}


def _restricted(memory_mb: int, processes: int, network: str) -> dict[str, Any]:
    return {
        "read_only": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"],
        "ipc_mode": "none",
        # The same number twice: no swap.
        "mem_limit": f"{memory_mb}m",
        "memswap_limit": f"{memory_mb}m",
        "pids_limit": processes,
        "network_mode": network,
        "log_config": _LOGS,
    }
