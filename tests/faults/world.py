"""The facts of a release that scenarios are checked on, and what stands in for those who would be asked for them."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from gate.access.reviewed_principals import ReviewedPrincipals
from gate.browser.chrome_age import ChromePin
from gate.browser.newest import StableVersion
from gate.candidate import Candidate
from gate.image.end_of_support import SupportDates
from gate.legacy.cloudtrail import TrailEvent
from gate.legacy.snapshot import FunctionSnapshot
from gate.legacy.traffic import Traffic
from gate.publish.publication import ACCEPTED, Promotion, Publication
from gate.registry.changes import InspectedManifests
from gate.registry.ecr import StoredConfig
from gate.registry.manifest import StoredManifest
from gate.registry.repository import RepositorySnapshot
from gate.registry.signing_and_replication import ImageSigning, Replica
from gate.release import Release
from gate.scan.records import ScanRecord
from gate.scan.report import ScanReport
from gate.scan.settings import ScanSettings

ROOT = Path(__file__).resolve().parents[2]
# Where a run inside this one finds its facts.
WORLD = pytest.StashKey["World"]()


@dataclass(frozen=True)
class RecordedRepository:
    """The repository as it answered, in the place of `EcrRepository`."""

    name: str
    now: RepositorySnapshot
    stored: StoredManifest
    held: StoredConfig

    def describe(self):
        """DescribeRepositories."""
        return self.now.repository

    def images(self):
        """DescribeImages."""
        return self.now.images

    def snapshot(self):
        """All of it."""
        return self.now

    def lifecycle_policy(self):
        """GetLifecyclePolicy."""
        return self.now.lifecycle_policy

    def manifest(self, _digest):
        """BatchGetImage."""
        return self.stored

    def look_at(self, digests):
        """BatchGetImage, of which only the release's is recorded."""
        return InspectedManifests({digest: self.stored for digest in digests if digest == self.stored.digest})

    def config(self, _stored):
        """The config blob."""
        return self.held


@dataclass(frozen=True)
class RecordedManaged:
    """What ECR did with the image by itself, in the place of `SigningAndReplicationReader`."""

    signed: ImageSigning
    replicas: tuple[Replica, ...]

    def signing(self, _digest, _limit):
        """The managed signing of the image."""
        return self.signed

    def replication(self, _digest, _limit):
        """The image at each destination."""
        return self.replicas


@dataclass(frozen=True)
class RecordedScanner:
    """The scans behind both tags as they were read, in the place of `Scanner`."""

    repository: str
    configuration: ScanSettings
    release: ScanReport
    rolling: ScanReport
    rolling_tag: str

    def settings(self):
        """The scanning configuration."""
        return self.configuration

    def scan(self, tag):
        """The scan behind a tag."""
        return self.rolling if tag == self.rolling_tag else self.release

    def scan_digest(self, _digest):
        """The scan of the checked digest."""
        return self.release


@dataclass(frozen=True)
class World:
    """What the steps are given.

    Attributes:
        facts: what the run believes of the release instead of what it published.
        answered: what ECR answers when it is asked once more, at the end.
        environment: with which a whole release finds its target.
        home: the folder of the release's pytest.ini.
        deeds: edits of what the run has written (see `record.edited`).
    """

    release: Release
    candidate: Candidate
    published: Publication | Exception
    answered: Publication
    ecr: Any
    managed: Any
    scanner: Any
    access: Any
    register: Any
    principals: ReviewedPrincipals | Exception
    legacy_before: FunctionSnapshot
    legacy_now: FunctionSnapshot
    trail: tuple[TrailEvent, ...]
    traffic: tuple[Traffic, Traffic]
    calls: tuple[Any, ...]
    repository: Path
    home: Path
    history: tuple[ScanRecord, ...]
    last_night: ScanRecord | None
    canaries: dict[str, str]
    now: datetime
    support: SupportDates
    chrome: ChromePin
    newest: StableVersion | Exception
    promotions: tuple[Promotion, ...] = (
        Promotion("2026-01-02T03:04:05+00:00", "local", "app", f"sha256:{'0' * 64}", "v0.9.0", "latest", "", ACCEPTED),
    )
    facts: Mapping[str, Any] = field(default_factory=dict)
    record_edits: tuple[Any, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


class RecordedClient:
    """Answers for the release client from a world."""

    def __init__(self, world):
        self._world, self.ecr, self.managed = world, world.ecr, world.managed
        self.zip_function = self

    def verify(self, _digest, _image=None):
        """What ECR answers now."""
        return self._world.answered

    def snapshot(self):
        """The zip function now."""
        return self._world.legacy_now

    def trail(self, _baseline):
        """CloudTrail's answer."""
        return self._world.trail

    def traffic(self, _baseline):
        """CloudWatch's answer."""
        return self._world.traffic


def with_dockerfile(world: World, line: str, folder: Path) -> World:
    """The world with another Dockerfile: the release's own, and one line more (a FROM before it, else after it)."""
    own = world.candidate.dockerfile.read_text(encoding="utf-8")
    folder.mkdir(parents=True)
    begins = "# the fault\n" if not line.startswith("FROM") else f"{line}\n"
    text = own.replace("\nFROM ", f"\n{begins}\nFROM ", 1) + ("" if line.startswith("FROM") else f"{line}\n")
    (folder / "Dockerfile").write_text(text, encoding="utf-8")
    candidate = copy.copy(world.candidate)
    candidate._context = folder
    candidate.__dict__.pop("from_lines", None)  # read before, from the release's own
    return replace(world, candidate=candidate)
