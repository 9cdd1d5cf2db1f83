"""A build host whose builder adds a provenance attestation by default, as BuildKit does in containerd's image store."""

from __future__ import annotations

import os
import shlex
import shutil
from pathlib import Path

import pytest

from gate.image.build import BuiltImage
from tests.faults.stage import Stage, build_release

# An attestation makes an index of any image, and its digest is what the build then answers. The variable is BuildKit's
# own; a build host's administrator may have exported it with any value, or none.
_DOCKER = """#!/bin/sh
{docker} "$@" || exit
[ "$1" = build ] && [ "$BUILDX_NO_DEFAULT_ATTESTATIONS" != 1 ] || exit 0
while [ "$1" != --iidfile ]; do shift; done
printf sha256:%064d 0 > "$2"
"""
_EXPORTED = {"BUILDX_NO_DEFAULT_ATTESTATIONS": "0", "BUILDX_METADATA_PROVENANCE": "max"}


def built_with_attestations(on: Stage, folder: Path) -> BuiltImage:
    """What the gate's own build of the release leaves on such a host."""
    commands = folder / "commands"
    commands.mkdir(parents=True)
    docker = shlex.quote(str(shutil.which("docker")))
    (commands / "docker").write_text(_DOCKER.format(docker=docker), encoding="utf-8")
    (commands / "docker").chmod(0o755)
    with pytest.MonkeyPatch.context() as environment:
        for name, value in {**_EXPORTED, "PATH": f"{commands}:{os.environ['PATH']}"}.items():
            environment.setenv(name, value)
        return build_release(on.home, on.release, on.base, folder / "build.log")
