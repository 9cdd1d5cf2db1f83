"""Growth: the same work on inputs of growing size, each size in a process of its own.

`python -m bench.scale NAME SIZE` prints the CPU seconds of one size, without the making of its input, and the largest
resident memory in MiB, with it.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.measure import ROOT, resident
from gate.access.access_facts import AccessFacts, Identity
from gate.access.document import PolicyText
from gate.access.matrix import access_matrix, plain
from gate.evidence.store import EvidenceRecord
from gate.image.archive import read_image
from gate.image.base_files import base_unchanged
from gate.image.layer_files import LayerFolder
from gate.image.package_records import PackageRecords
from gate.image.permissions import readable_by_all
from gate.image.secrets.secret_checks import no_secret
from gate.report.findings import findings as listed
from gate.report.page import ReportPage, render
from gate.scan.exceptions.reading import load
from gate.scan.findings import Finding, tally
from gate.scan.records import from_json, keep, read_all, record_of, to_json
from gate.scan.report import ScanReport
from gate.scan.result_checks import complete, counts_match, free_of
from gate.scan.scan_diff import compare, last_before, trend
from gate.scan.statuses import Mode
from gate.verdict import ScenarioOutcome, StepOutcome, Verdict

NOW = datetime(2026, 1, 2, tzinfo=UTC)
DIGEST = "sha256:" + "a" * 64
_ACCOUNT = "111122223333"
_REGISTER = load(ROOT / "image" / "exceptions.yaml")
_WORDS = ("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL", "UNDEFINED")
_POLICIES, _FOUND_A_NIGHT, _RECORDS, _SCENARIOS = 50, 300, 2_000, 82
Work = Callable[[], object]


def measured(name: str, size: int) -> tuple[float, float]:
    """CPU seconds and MiB of one size; one that fails ends the bench."""
    command = [sys.executable, "-m", "bench.scale", name, str(size)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command[1:])} ended with {done.returncode}:\n{done.stderr[-3000:]}")
    seconds, megabytes = json.loads(done.stdout)
    return seconds, megabytes


def exponent(points: list[tuple[int, float]]) -> float:
    """The slope of the straight line through the logarithms: 1 is linear, 2 quadratic."""
    logs = [(math.log(size), math.log(seconds)) for size, seconds in points]
    x, y = (sum(values) / len(logs) for values in zip(*logs, strict=True))
    return float(sum((a - x) * (b - y) for a, b in logs) / sum((a - x) ** 2 for a, _ in logs))


def _findings(size: int, _: Path) -> Work:
    """The checks of a scan, its record, and the page."""
    report = scan(size)

    def work() -> None:
        complete(report, DIGEST, NOW)
        free_of(report, "CRITICAL", 0)
        counts_match(report)
        from_json(to_json(record_of(report, _REGISTER, event="released", tags=("v1",), target="local")))
        page(report)

    return work


def scan(size: int) -> ScanReport:
    """A scan with so many findings, of every severity."""
    found = tuple(
        Finding(f"CVE-2026-{n}", f"lib{n // 10}", "1.0", "1.1", _WORDS[n % 6], 5.0, "a", "", Mode.BASIC, entry=n)
        for n in range(size)
    )
    counts = tuple(tally(found).items())
    return ScanReport(DIGEST, "v1", Mode.BASIC, "COMPLETE", NOW, NOW, found, counts, 10, NOW, "rescanned")


def page(report: ScanReport) -> str:
    """The page of a run with this scan, with 82 scenarios and 2,000 records of 5,000 characters."""
    records = [
        EvidenceRecord(
            n, 1, "scenario", f"record {n}", "asked", "x" * 5000, "local", "real", "", "2026-01-02", "0" * 64
        )
        for n in range(1, _RECORDS + 1)
    ]
    each = _RECORDS // _SCENARIOS
    outcomes = [
        ScenarioOutcome(f"scenario {n}", 1 + n % 9, "passed", steps=(StepOutcome("Then", "it", "passed", 0.1, part),))
        for n in range(_SCENARIOS)
        for part in [tuple(range(n * each + 1, n * each + each + 1))]
    ]
    document = {"target": "local", "judges": {"said_no": 0, "of": 0}, "valid_until": None}
    verdict, facts = Verdict("REHEARSAL PASSED", 0, (), {}, ()), [("Digest", DIGEST)]
    found = listed(report, _REGISTER)
    return render(ReportPage(verdict, document, "a release", facts, [], outcomes, records, (), findings=found))


def _principals(size: int, _: Path) -> Work:
    """Who can do what, of so many roles with 50 policies each; in twenty one can push, and one become it."""
    facts = AccessFacts(_ACCOUNT, "us-east-1", "app", "function", tuple(map(_role, range(size))), None)
    return lambda: plain(access_matrix(facts))


def _role(number: int) -> Identity:
    arn = f"arn:aws:iam::{_ACCOUNT}:role/role-"
    others = (
        _policy(Effect="Allow", Action=[f"s3:Get{n}*", "logs:Put*"], Resource=f"arn:aws:s3:::bucket-{number}-{n}/*")
        for n in range(_POLICIES - 1)
    )
    may = {0: "ecr:PutImage", 1: "sts:AssumeRole"}.get(number % 20, "ecr:DescribeImages")
    own = _policy(Effect="Allow", Action=may, Resource=f"{arn}{number - 1}" if number % 20 == 1 else "*")
    root = {"AWS": f"arn:aws:iam::{_ACCOUNT}:root"}
    trust = _policy(Effect="Allow", Principal=root, Action="sts:AssumeRole")
    return Identity(f"{arn}{number}", f"AROA{number}", (*others, own), trust=trust)


def _policy(**statement: object) -> PolicyText:
    return PolicyText("a policy", json.dumps({"Version": "2012-10-17", "Statement": [statement]}))


def _files(size: int, folder: Path) -> Work:
    """Reading and searching an image of so many small files, half of them in its base, and the checks of them."""
    saved, digests = folder / "saved.tar", []
    with tarfile.open(saved, "w") as archive:
        for number in range(2):
            layer = folder / f"{number}.tar"
            with tarfile.open(layer, "w") as files:
                for each in range(size // 2):
                    _add(files, f"opt/{number}/{each // 1000}/module_{each}.py", f"value = {each}\n".encode() * 20)
            archive.add(layer, f"{number}/layer.tar")
            with layer.open("rb") as file:
                digests.append(f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}")

    def work() -> None:
        with closing(LayerFolder(folder / "layers")) as kept:
            image = read_image(digests, kept, lambda: saved.open("rb"))
            readable_by_all(image.tree())
            layers = image.search(PackageRecords(), 1)
            base_unchanged(layers, 1, "/opt/lib")
            no_secret({}, (), layers, 1)

    return work


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))
    archive.members.clear()  # type: ignore[attr-defined]


def _nights(size: int, folder: Path) -> Work:
    """Reading the records of so many nights with 300 findings each, the last one compared, and their trend."""
    for night in range(size):
        report = replace(scan(_FOUND_A_NIGHT), read_at=NOW - timedelta(days=night + 1))
        keep(record_of(report, _REGISTER, event="rescanned", tags=("v1",), target="local"), folder)

    def work() -> None:
        nights = read_all(folder)
        compare(last_before(nights, NOW, DIGEST), nights[-1])
        trend(nights)

    return work


# What is measured, at which sizes, and the size for which it has to serve.
WORK: dict[str, tuple[Callable[[int, Path], Work], tuple[int, ...], int]] = {
    "findings of a scan": (_findings, (12_500, 25_000, 50_000, 100_000), 100_000),
    "principals with 50 policies each": (_principals, (125, 250, 500, 1_000), 1_000),
    # A million is 4 times the largest: dict doubles its tables, so they are as full then.
    "files of an image": (_files, (31_250, 62_500, 125_000, 250_000), 1_000_000),
    "nights on record": (_nights, (50, 100, 200, 400), 400),
}


def main(name: str, size: int) -> None:
    """Measure one size in this process."""
    with tempfile.TemporaryDirectory() as folder:
        work = WORK[name][0](size, Path(folder))
        began = time.process_time()
        work()
        seconds = time.process_time() - began
    print(json.dumps([seconds, resident(os.getpid())]))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
