"""`python -m bench` (`make bench`): measures, and writes bench/RESULTS.md."""

from __future__ import annotations

import argparse
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
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


def seconds(command: list[str], environment: dict[str, str] | None = None) -> float:
    """How long a command takes; one that fails ends the bench, with its last lines."""
    began = time.monotonic()
    whole = {**os.environ, **(environment or {})}
    done = subprocess.run(command, cwd=ROOT, env=whole, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{(done.stdout + done.stderr)[-3000:]}")
    return time.monotonic() - began


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


def medians(runs: int, before: Callable[[], None]) -> tuple[float, float]:
    """The medians of gate and script, in turns, so that both meet the same machine."""
    gates, hands = [], []
    for number in range(runs):
        for measure, times in ((gate, gates), (by_hand, hands)):
            before()
            times.append(measure())
            print(f"  run {number + 1}: {measure.__name__} {times[-1]:.1f} s", flush=True)
    return statistics.median(gates), statistics.median(hands)


def main() -> None:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="warm runs of each (default: 5)")
    parser.add_argument("--cold", type=int, default=5, help="cold runs of each; removes dangling images (default: 5)")
    options = parser.parse_args()
    rows = []
    for label, count, before in (("warm", options.runs, lambda: None), ("cold", options.cold, forget)):
        if count:
            if label == "warm":
                gate(), by_hand()
            ours, theirs = medians(count, before)
            rows.append(f"| whole gate, {label} | {ours:.1f} s | {theirs:.1f} s | {ours / theirs:.2f} | {count} |")
    collecting = statistics.median(
        seconds([sys.executable, "-m", "pytest", "features/", "--collect-only"]) for _ in range(max(options.runs, 1))
    )
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    write(rows, collecting, memory)


def write(rows: list[str], collecting: float, memory: float) -> None:
    """bench/RESULTS.md."""
    machine = f"{os.cpu_count()} cores {platform.machine()}, Linux {platform.release()}, load {os.getloadavg()[0]:.1f}"
    revision = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(revision, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    text = f"""# Measurements

Written by `make bench` on {datetime.now(UTC):%Y-%m-%d %H:%M} UTC at {commit.strip()}; {machine}.
By hand is `bench/by_hand.sh`: the same questions, asked one after the other. Medians; gate and script take turns.

| what | gate | by hand | ratio | runs |
|---|---|---|---|---|
{chr(10).join(rows)}

| what | measured | limit |
|---|---|---|
| `pytest features/ --collect-only` | {collecting:.2f} s | 1 s |
| largest process of any run | {memory:.0f} MB | 200 MB |
| judging 10,000 findings against 1,000 | {growth():.1f} times the CPU time | 10 times is linear |
"""
    (ROOT / "bench" / "RESULTS.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
