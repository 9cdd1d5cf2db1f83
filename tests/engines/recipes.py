"""The engines: of which packages each is made, and how it is started."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# Where an engine's sandbox has the folder that it shares with this machine.
SHARED = "/run/engine"
_MIRROR = "http://deb.debian.org"
# procps: `docker top` runs the ps of the engine's own machine.
_BASICS = ("ca-certificates", "iptables", "mount", "procps", "slirp4netns")
_DOCKERD = (
    *("dockerd", "--host", f"unix://{SHARED}/docker.sock", "--exec-root", "/run/docker-exec", "--pidfile"),
    *("/run/docker.pid", "--cgroup-parent", "/release-gate-engines", "--config-file", f"{SHARED}/daemon.json"),
)


@dataclass(frozen=True)
class Recipe:
    """One engine.

    Attributes:
        name: of its folder.
        title: as the page calls it.
        suite: of Debian.
        packages: what it is made of, besides the essential ones.
        command: starts it; it has to answer at docker.sock in the shared folder.
        settings: its files of settings in the shared folder, by name.
        same_root: the name of the engine whose files it shares; "" for files of its own. Data are never shared.
    """

    name: str
    title: str
    suite: str
    packages: tuple[str, ...]
    command: tuple[str, ...]
    settings: Mapping[str, str]
    same_root: str = ""

    @property
    def sources(self) -> tuple[str, ...]:
        """The lines of apt's sources."""
        return (
            f"deb {_MIRROR}/debian {self.suite} main",
            f"deb {_MIRROR}/debian-security {self.suite}-security main",
        )


def _docker(name: str, title: str, suite: str, *packages: str, settings: str = "{}", same_root: str = "") -> Recipe:
    command = (*_DOCKERD, "--data-root", f"/var/lib/{name}")
    files = {"daemon.json": settings}
    return Recipe(name, title, suite, ("docker.io", *packages, *_BASICS), command, files, same_root)


ENGINES = (
    _docker("docker-20-classic", "Docker 20.10, classic builder", "bookworm"),
    _docker("docker-26-buildx", "Docker 26.1, buildx", "trixie", "docker-cli", "docker-buildx"),
    _docker(
        *("docker-26-containerd", "Docker 26.1, buildx, containerd's image store", "trixie"),
        *("docker-cli", "docker-buildx"),
        settings='{"features": {"containerd-snapshotter": true}}',
        same_root="docker-26-buildx",
    ),
    Recipe(
        "podman-5",
        "Podman 5, its Docker-compatible socket",
        "trixie",
        ("podman", "docker-cli", "netavark", "aardvark-dns", "crun", "nftables", *_BASICS),
        (
            *("env", f"CONTAINERS_CONF_OVERRIDE={SHARED}/containers.conf"),
            *(f"CONTAINERS_REGISTRIES_CONF={SHARED}/registries.conf", "podman", "--cgroup-manager=cgroupfs"),
            *("system", "service", "--time=0", f"unix://{SHARED}/docker.sock"),
        ),
        {
            # Its own limits of files and processes are above what some machines let even root have.
            "containers.conf": '[containers]\ndefault_ulimits = ["nofile=8192:8192", "nproc=16384:16384"]\n',
            # As Docker has it by default: the local target speaks HTTP.
            "registries.conf": '[[registry]]\nprefix = "127.0.0.1"\nlocation = "127.0.0.1"\ninsecure = true\n',
        },
    ),
)


def client_commands(root: Path) -> dict[str, str]:
    """The engine's own docker command and its plug-ins as scripts for this machine, by their paths.

    They run with the loader and the libraries of their own root, so that this machine's may be older.
    """
    plugins = root / "usr/libexec/docker/cli-plugins"
    programs = {"bin/docker": root / "usr/bin/docker"}
    programs |= {f"config/cli-plugins/{each.name}": each for each in sorted(plugins.glob("docker-*"))}
    loader = f"{root}/lib64/ld-linux-x86-64.so.2 --library-path {root}/usr/lib/x86_64-linux-gnu"
    return {path: f'#!/bin/sh\nexec {loader} {program} "$@"\n' for path, program in programs.items()}
