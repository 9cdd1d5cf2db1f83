"""The measured work: by the gate, by hand, by plain tests, and on many findings."""

from __future__ import annotations

import os
import statistics
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import docker

from bench.measure import ROOT, seconds
from gate.image.build import build_arguments
from gate.publish.build import STAND_IN
from gate.release_file import release_of
from gate.scan.findings import Finding, tally
from gate.scan.report import ScanReport
from gate.scan.result_checks import complete, counts_match, free_of
from gate.scan.statuses import Mode
from localaws.__main__ import seeded_release
from localaws.registry.container import BLOBS
from localaws.target import LocalTarget
from tests.local_target.clients import aws_cli

# Without this project's conftest.py, and without the plugin that the gate leaves out too.
_ALONE = ("-c", os.devnull, "--confcutdir", "bench/plain", "-p", "no:hypothesispytest", "-q")
RELEASE = release_of(ROOT / "pytest.ini")
IMAGES = (f"{RELEASE.repository}:latest", f"{RELEASE.repository}:by-hand", STAND_IN)
_BENCHED = {"BENCH_IMAGE": IMAGES[0], "BENCH_BASE": STAND_IN}


def gate() -> float:
    """One whole rehearsal by the gate, its local target's start included."""
    return seconds([sys.executable, "-m", "pytest", "features/"])


def by_hand() -> float:
    """The same work by the script; the start of its local target counts, as the gate's does."""
    began = time.monotonic()
    arguments = [
        f"--build-arg={name}={value}"
        for name, value in build_arguments(ROOT / RELEASE.image_context, None, RELEASE.release_tag).items()
    ]
    with LocalTarget(seeded_release(ROOT / "pytest.ini"), state=ROOT / ".cache" / "bench") as target:
        given = {
            "AWS_CLI": str(aws_cli() / "aws"),
            "SYFT": str(Path(sys.executable).with_name("syft")),
            "REGISTRY": target.registry,
            "REPOSITORY": RELEASE.repository,
            "ZIP_FUNCTION": RELEASE.zip_function,
            "RELEASE_TAG": RELEASE.release_tag,
            "ROLLING_TAG": RELEASE.rolling_tag,
            "CONTEXT": RELEASE.image_context,
            "IMAGE": IMAGES[1],
            "STAND_IN": STAND_IN,
        }
        seconds(["bench/by_hand.sh", *arguments], {**target.environment(), **given})
    return time.monotonic() - began


def inspection() -> float:
    """The gate's scenarios that inspect the image and do not run it as Lambda does."""
    inspections = "not (Chrome_opens or Korean or initialises or Five_warm or published or built)"
    own = ("-m", "ac1 or ac6", "-k", inspections, "--image", IMAGES[0])
    beside = ("-o", f"reports={ROOT / '.cache' / 'bench'}")
    return seconds([sys.executable, "-m", "pytest", "features/", *own, *beside])


def on_the_host() -> float:
    """The same checks as plain testinfra tests; the files are read as the gate reads them."""
    return _plain("test_files_on_the_host.py")


def in_the_image() -> float:
    """The same, except that the files are read with the image's own find and grep."""
    return _plain("test_files_in_the_image.py")


def collecting() -> float:
    """Pytest's collection of every scenario."""
    return _collected("features/")


def collecting_plain() -> float:
    """The same for the plain tests: the time of pytest and its plugins."""
    return _collected(*_ALONE, "bench/plain/test_inspection.py")


def _plain(files: str) -> float:
    tests = [sys.executable, "-m", "pytest", *_ALONE, "bench/plain/test_inspection.py", f"bench/plain/{files}"]
    return seconds(tests, _BENCHED)


def _collected(*what: str) -> float:
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", *what]
    # If the environment keeps Python from writing bytecode, each call would compile the gate again.
    environment = {"PYTHONDONTWRITEBYTECODE": "", **_BENCHED}
    seconds(command, environment)
    return statistics.median(seconds(command, environment) for _ in range(5))


def empty_caches() -> None:
    """Remove images, layer cache, blobs and SBOMs; downloaded packages stay."""
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


def growth(small: int = 1_000, large: int = 10_000) -> float:
    """The CPU time of checking `large` findings compared with `small`: 10 is linear.

    The median of nine rounds; in each the two take about as long one after the other, as the machine's speed varies.
    """
    times = large // small
    return statistics.median(times * _checking(large) / sum(_checking(small) for _ in range(times)) for _ in range(9))


def _checking(number: int) -> float:
    now, digest = datetime(2026, 1, 2, tzinfo=UTC), "sha256:" + "a" * 64
    findings = tuple(
        Finding(f"CVE-2026-{n}", "openssl", "3.0.1", "3.0.2", "CRITICAL", 9.8, "a title", "", Mode.BASIC, entry=n)
        for n in range(number)
    )
    counts = tuple(tally(findings).items())
    report = ScanReport(digest, "v1.0.0", Mode.BASIC, "COMPLETE", now, now, findings, counts, 10, now, "rescanned")
    began = time.process_time()
    complete(report, digest, now)
    free_of(report, "CRITICAL", 0)
    counts_match(report)
    return time.process_time() - began
