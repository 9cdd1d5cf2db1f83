"""The same work in two ways: by the gate, and by hand."""

from __future__ import annotations

import os
import statistics
import sys
import time
from pathlib import Path

import docker

from bench.clock import ROOT, seconds
from gate.image.build import build_arguments
from localaws.registry.container import BLOBS
from localaws.target import LocalTarget
from tests.local_target.clients import aws_cli

# Without our conftest.py, and without the plugin that the gate leaves out too.
_ALONE = ("-c", os.devnull, "--confcutdir", "bench/plain", "-p", "no:hypothesispytest", "-q")
IMAGES = ("naver-sms-automation:latest", "naver-sms-automation:by-hand", "naver-lambda-base:standin")


def gate() -> float:
    """One whole rehearsal by the gate, its local target's start included."""
    return seconds([sys.executable, "-m", "pytest", "features/"])


def by_hand() -> float:
    """The same work by the script; the start of its local target counts, as the gate's does."""
    began = time.monotonic()
    arguments = [
        f"--build-arg={name}={value}" for name, value in build_arguments(ROOT / "image", None, "v1.0.0").items()
    ]
    with LocalTarget(state=ROOT / ".cache" / "bench") as target:
        programs = {"AWS_CLI": str(aws_cli() / "aws"), "SYFT": str(Path(sys.executable).with_name("syft"))}
        seconds(["bench/by_hand.sh", *arguments], {**target.environment(), **programs, "REGISTRY": target.registry})
    return time.monotonic() - began


def inspection() -> float:
    """The gate's claims that look into the image, and run nothing as Lambda does."""
    looks = "not (Chrome_opens or Korean or initialises or Five_warm or published or built)"
    own = ("-m", "ac1 or ac6", "-k", looks, "--image", IMAGES[0])
    beside = ("-o", f"reports={ROOT / '.cache' / 'bench'}")
    return seconds([sys.executable, "-m", "pytest", "features/", *own, *beside])


def on_the_host() -> float:
    """The same checks as plain testinfra tests; the files are read as the gate reads them."""
    return _plain("test_files_on_the_host.py")


def in_the_image() -> float:
    """The same, but for the files: the image's own find and grep are trusted."""
    return _plain("test_files_in_the_image.py")


def collecting() -> float:
    """Until pytest has found every scenario, and ended."""
    return _collected("features/")


def collecting_plain() -> float:
    """The same for the plain tests: what pytest and its plugins take by themselves."""
    return _collected(*_ALONE, "bench/plain/test_inspection.py")


def _plain(files: str) -> float:
    tests = [sys.executable, "-m", "pytest", *_ALONE, "bench/plain/test_inspection.py", f"bench/plain/{files}"]
    return seconds(tests, {"BENCH_IMAGE": IMAGES[0]})


def _collected(*what: str) -> float:
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", *what]
    # A shell may forbid Python to keep what it compiled; each call would then compile the gate anew.
    environment = {"PYTHONDONTWRITEBYTECODE": "", "BENCH_IMAGE": IMAGES[0]}
    seconds(command, environment)
    return statistics.median(seconds(command, environment) for _ in range(5))


def forget() -> None:
    """Cold: no image, no layer cache, no blob, no SBOM; downloaded packages stay where they are."""
    client = docker.from_env()
    for name in IMAGES:
        if client.images.list(name=name):
            client.images.remove(name, force=True)
    client.images.prune()
    for volume in client.volumes.list(filters={"name": BLOBS}):
        volume.remove(force=True)
    for folder in ("sbom", "sboms"):
        for file in (ROOT / ".cache" / folder).glob("*"):
            file.unlink()
    client.close()


def nothing() -> None:
    """Warm: everything stays as the run before left it."""
