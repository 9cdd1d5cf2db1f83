"""`python -m bench` (`make bench`): measures, and writes bench/RESULTS.md."""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import docker

from bench.findings import growth
from gate.image.build import build_arguments
from localaws.registry.container import BLOBS
from localaws.target import LocalTarget
from tests.local_target.clients import aws_cli

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ("naver-sms-automation:latest", "naver-sms-automation:by-hand", "naver-lambda-base:standin")


class Memory:
    """The largest resident memory of any measured process in MiB, without what it starts itself (syft, docker)."""

    largest = 0.0

    @classmethod
    def follow(cls, process: subprocess.Popen[str]) -> None:
        """Look at a process until it ends."""
        status = Path(f"/proc/{process.pid}/status")
        while process.poll() is None:
            with suppress(OSError, StopIteration, ProcessLookupError):
                peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
                cls.largest = max(cls.largest, int(peak.split()[1]) / 1024)
            time.sleep(0.02)


def seconds(command: list[str], environment: dict[str, str] | None = None) -> float:
    """How long a command takes; one that fails ends the bench, with its last lines."""
    began = time.monotonic()
    whole = {**os.environ, **(environment or {})}
    with tempfile.TemporaryFile("w+") as screen:
        process = subprocess.Popen(command, cwd=ROOT, env=whole, stdout=screen, stderr=screen, text=True)
        Memory.follow(process)
        took = time.monotonic() - began
        screen.seek(0)
        if process.returncode:
            raise SystemExit(f"{' '.join(command[:4])} ended with {process.returncode}:\n{screen.read()[-3000:]}")
    return took


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


def plain() -> float:
    """The same checks as plain testinfra tests."""
    # Without our conftest.py, and without the plugin that the gate leaves out too.
    alone = ("-c", os.devnull, "--confcutdir", "bench/plain", "-p", "no:hypothesispytest")
    tests = [sys.executable, "-m", "pytest", *alone, "-q", "bench/plain"]
    return seconds(tests, {"BENCH_IMAGE": IMAGES[0]})


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


def medians(
    runs: int, ours: Callable[[], float], theirs: Callable[[], float], before: Callable[[], None]
) -> tuple[float, float]:
    """The medians of two ways to do the same, in turns, so that both meet the same machine."""
    gates: list[float] = []
    others: list[float] = []
    for number in range(runs):
        for measure, times in ((ours, gates), (theirs, others)):
            before()
            times.append(measure())
            print(f"  run {number + 1}: {measure.__name__} {times[-1]:.1f} s", flush=True)
    return statistics.median(gates), statistics.median(others)


def main() -> None:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="warm runs of each (default: 5)")
    parser.add_argument("--cold", type=int, default=5, help="cold runs of each; removes dangling images (default: 5)")
    options = parser.parse_args()
    rows: list[str] = []
    alone = (collecting(), growth())
    for label, count, ours, theirs, before in (
        ("inspection, against plain testinfra", options.runs, inspection, plain, nothing),
        ("whole gate, warm", options.runs, gate, by_hand, nothing),
        ("whole gate, cold", options.cold, gate, by_hand, forget),
    ):
        if count:
            if before is nothing:
                ours(), theirs()
            mine, other = medians(count, ours, theirs, before)
            rows.append(f"| {label} | {mine:.1f} s | {other:.1f} s | {mine / other:.2f} | {count} |")
            write(rows, *alone)


def nothing() -> None:
    """Warm: everything stays as the run before left it."""


def collecting() -> float:
    """Until pytest has found every scenario, and ended."""
    command = [sys.executable, "-m", "pytest", "features/", "--collect-only", "-q"]
    return statistics.median(seconds(command) for _ in range(5))


def write(rows: list[str], collected: float, grown: float) -> None:
    """bench/RESULTS.md, after each row: an interrupted bench keeps what it has."""
    machine = f"{os.cpu_count()} cores {platform.machine()}, Linux {platform.release()}, load {os.getloadavg()[0]:.1f}"
    revision = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(revision, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    text = f"""# Measurements

Written by `make bench` on {datetime.now(UTC):%Y-%m-%d %H:%M} UTC at {commit.strip()}; {machine}.
By hand is `bench/by_hand.sh`: the same questions, asked one after the other; plain testinfra is `bench/plain`. Medians;
the two take turns. Cold is without images, layer cache, blobs and SBOM; what was downloaded stays.

| what | gate | the other | ratio | runs |
|---|---|---|---|---|
{chr(10).join(rows)}

| what | measured | limit |
|---|---|---|
| `pytest features/ --collect-only` | {collected:.2f} s | 1 s |
| resident memory of the suite at its largest | {Memory.largest:.0f} MB | 200 MB |
| judging 10,000 findings against 1,000 | {grown:.1f} times the CPU time | 10 times is linear |
"""
    (ROOT / "bench" / "RESULTS.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
