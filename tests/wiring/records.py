"""Records of earlier runs, as they would lie in the reports folder: a night's scan, a release that was refused."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from gate.publish.publication import ACCEPTED, FILE, REFUSED, Promotion
from gate.run.model import Run
from gate.scan.records import RecordedFinding, ScanRecord, keep
from tests.seeded import SEEDED


def keep_night(run: Run | None, digest: str, finding: str, data: datetime) -> None:
    """Last night's scan of the digest, with one finding, made from vulnerability data of a date."""
    assert run is not None
    night = datetime.now(UTC) - timedelta(hours=12)
    noted = (RecordedFinding(finding, "zlib1g", "1:1.2.13", "", "LOW", None, "monitor"),)
    tags, place = ("latest",), run.target
    record = ScanRecord(night, "rescanned", digest, tags, place, "BASIC", night, data, "rescanned", noted)
    keep(record, run.scans)


def keep_refusal(run: Run | None, ecr: Any, tag: str) -> None:
    """A release that was refused, and behind whose digest the tag is now."""
    assert run is not None
    listed = ecr.describe_images(repositoryName=SEEDED.repository, imageIds=[{"imageTag": tag}])
    digest = listed["imageDetails"][0]["imageDigest"]
    refused = Promotion("2026-01-02T03:04:05+00:00", run.target, SEEDED.repository, digest, "v0.9.0", tag, "", REFUSED,
                        "AC7: a critical finding")  # fmt: skip
    folder = run.reports / "runs" / "20260102T030405.000000Z" / "evidence"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text(json.dumps(asdict(refused)), encoding="utf-8")


def keep_accepted(run: Run | None, ecr: Any, tag: str) -> None:
    """A release that was accepted in this repository, and whose digest is not there."""
    assert run is not None
    (repository,) = ecr.describe_repositories(repositoryNames=[SEEDED.repository])["repositories"]
    digest = f"sha256:{'0' * 64}"
    accepted = Promotion("2026-01-01T03:04:05+00:00", run.target, SEEDED.repository, digest, tag, "latest", "",
                         ACCEPTED, repository_created=repository["createdAt"].isoformat())  # fmt: skip
    folder = run.reports / "runs" / "20260101T030405.000000Z" / "evidence"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text(json.dumps(asdict(accepted)), encoding="utf-8")
