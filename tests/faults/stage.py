"""The real things behind the good release: engine, image and local target; looked at once, whole, before any fault."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from gate import engine as docker_engine
from gate.access.reader import AccountReader
from gate.access.reviewed_principals import load as load_reviews
from gate.aws.calls import CallLog
from gate.aws.retry import TimeSource
from gate.browser.chrome_age import ChromePin
from gate.browser.newest import StableVersion
from gate.candidate import Candidate
from gate.image.base import STAND_IN_LABEL, Base
from gate.image.build import BuiltImage, build_image
from gate.image.end_of_support import load as load_support
from gate.image.python import Interpreter
from gate.legacy.cloudtrail import TrailEvent
from gate.legacy.snapshot import FunctionSnapshot
from gate.legacy.traffic import Traffic
from gate.publish.build import build_stand_in
from gate.publish.earlier_runs import BASELINE
from gate.publish.publication import CheckedImage
from gate.publish.push_and_promote import Publisher
from gate.publish.release_client import ReleaseClient
from gate.registry.manifest import StoredManifest
from gate.release import Release
from gate.release_file import release_of
from gate.run.inputs import REGISTER
from gate.scan.exceptions.reading import load as load_register
from gate.scan.reader import ScanReader
from gate.scan.records import record_of
from localaws.__main__ import seeded_release
from localaws.seed import repository
from localaws.seed.release import SeededRelease
from localaws.target import LocalTarget
from tests.faults.world import ROOT, RecordedManaged, RecordedRepository, RecordedScanner, World

# An older image of the repository, there before the release: what must stay as it is.
OLDER = "v0.9.0"
# Facts of an image that take a look into it; the configuration is always read anew.
LOOKS = ("layers", "tree", "interpreter", "handler_import", "chrome_version", "driver_version", "libraries",
         "handler_run", "probe_run")  # fmt: skip
KEPT = (*LOOKS, "base", "chrome_pin", "driver_pin", "pins", "sbom")


@dataclass
class Stage:
    """The real things behind the good world: engine, image, local target; faults are made with them.

    Attributes:
        home: the folder of the release's pytest.ini.
        older: the manifest of the older image, once it was pushed: the registry keeps its layers.
        baseline: the zip function as it was read before the good release; publishing for a fault does not read it anew.
        standing: what the registry holds now, as fields of the world, if nothing was changed since it was published.
    """

    engine: docker_engine.Engine
    release: Release
    base: Base
    good: Candidate
    target: LocalTarget
    folder: Path
    home: Path
    seeded: SeededRelease
    older: StoredManifest | None = None
    baseline: FunctionSnapshot | None = None
    standing: dict[str, Any] | None = None
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    def client(self, service, role=""):
        """A client of the local target, the same each time; the administrator's, unless a role is named."""
        made, key = self._clients, (service, role or self.seeded.administrator)
        if key not in made:
            made[key] = self.target.session(key[1]).client(service, endpoint_url=self.target.endpoint)
        return made[key]

    @cached_property
    def reader(self):
        """A release client for what is only read, and whose calls nobody looks at."""
        return self.release_client()

    def release_client(self, endpoint=None):
        """A real release client of the CI role, with a call log of its own."""
        engine = self.engine.client.api
        return ReleaseClient(self.target.session(), self.release, CallLog(), engine, _nothing, _nothing,
                             allow_destructive=True, endpoint=endpoint or self.target.endpoint)  # fmt: skip

    def account(self):
        """A real reader of the account's policies."""
        release = self.release
        clients = (self.client(each, self.seeded.ci_role) for each in ("iam", "ecr", "lambda", "organizations"))
        iam, ecr, functions, organizations = clients
        return AccountReader(iam, ecr, account=release.account, region=release.region, repository=release.repository,
                       function=release.function_name, functions=functions, organizations=organizations)  # fmt: skip

    def scanner(self, endpoint=None):
        """A real reader of scans; through a door that misbehaves, with a clock on which waiting takes no time."""
        client = self.target.session().client("ecr", endpoint_url=endpoint or self.target.endpoint)
        return ScanReader(client, None, self.release.repository, time=quick() if endpoint else TimeSource())

    def checked(self):
        """The good image, as the release client takes it."""
        image = self.good.image
        return CheckedImage(image.image_id, image.image_id, image.platform, image.size_bytes)

    def publish(self, release_client):
        """Really publish the good image."""
        run = SimpleNamespace(target="local", store=SimpleNamespace(record=_nothing),
                              terminal=SimpleNamespace(progress=_nothing))  # fmt: skip
        if self.baseline:
            release_client.zip_function = SimpleNamespace(snapshot=lambda: self.baseline)
        publisher, image = Publisher(run, release_client), self.checked()
        publisher.prepare(image, self.folder / BASELINE)
        pushed = publisher.push(image)
        with publisher.log.step(publisher.commands.request_scan(pushed.digest)):
            pass  # what the scan says is read by the scanner of each world
        return publisher.promote(pushed)


def _nothing(*_: object, **_named: object) -> None:
    """Nobody is told anything."""


def quick(pace: float = 10.0, share: float = 0.0) -> TimeSource:
    """A clock on which waiting takes no time, or only a share of it, and `pace` times as much seems to have passed."""
    slept = [0.0]

    def sleep(seconds: float) -> None:
        slept[0] += pace * seconds
        time.sleep(share * seconds)

    return TimeSource(monotonic=lambda: time.monotonic() + slept[0], sleep=sleep)


def build_release(home: Path, release: Release, base: Base, log: Path) -> BuiltImage:
    """What the gate's own build leaves of the release in a folder; nothing new, where it is built."""
    return build_image(home / release.image_context, tag=f"{release.repository}:latest", base_image=base.reference,
                       version=release.release_tag, log=log, progress=lambda _line: None)  # fmt: skip


@contextmanager
def stage(folder: Path, home: Path = ROOT) -> Iterator[Stage]:
    """Build the image (nothing, where it is built), look at it whole, and start the local target beside it.

    Args:
        folder: what is written goes there.
        home: the folder of the release's pytest.ini.
    """
    release, docker = release_of(home / "pytest.ini"), docker_engine.connect()
    seeds = seeded_release(home / "pytest.ini")
    base = build_stand_in(docker, ROOT, folder / "base.log", lambda _line: None)
    built = build_release(home, release, base, folder / "build.log")
    context = home / release.image_context
    base = replace(base, approved=(*release.approved_bases, *base.approved))
    good = Candidate(docker, release, base, built.image_id, built, context, ROOT / ".cache")
    try:
        good.prefetch()
        with LocalTarget(seeds, state=folder / "localaws") as target:
            yield Stage(docker, release, base, good, target, folder, home, seeds)
    finally:
        good.close()
        docker.close()


def good_world(on: Stage) -> World:
    """Publish the good image for real, read everything once, and stub what only AWS can answer."""
    seeded(on)
    release_client = on.release_client()
    published = on.publish(release_client)
    now = datetime.now(UTC)
    managed = RecordedManaged(*(ask(published.digest, 60) for ask in
                                (release_client.managed.signing, release_client.managed.replication)))  # fmt: skip
    ecr = RecordedRepository(on.release.repository, release_client.ecr.snapshot(), published.manifest,
                             release_client.ecr.config(published.manifest))  # fmt: skip
    scanner = _scans(on, now)
    register = load_register(on.home / on.release.image_context / REGISTER)
    night = record_of(scanner.release, register, event="candidate", tags=("candidate",), target="local")
    function = on.baseline = published.legacy_before
    on.standing = {}
    own_reading = TrailEvent("lambda.amazonaws.com", "GetFunction20150331v2", function.name, True, "us", str(now))
    return World(
        release=on.release,
        candidate=recorded(on),
        published=published,
        answered=release_client.verify(published.digest),
        ecr=ecr,
        managed=managed,
        scanner=scanner,
        access=on.account().access_facts(),
        register=register,
        principals=load_reviews(on.home / on.release.image_context / "principals.yaml"),
        legacy_before=function,
        legacy_now=release_client.zip_function.snapshot(),
        trail=(own_reading,),
        traffic=(Traffic(86_400.0, 72.0, 1.0), Traffic(3_600.0, 3.0, 0.0)),
        calls=release_client.call_log.calls,
        repository=ROOT,
        home=on.home,
        history=(night,),
        last_night=night,
        canaries={},
        now=now,
        support=load_support(),
        # On the stand-in nothing is pinned: these are a lock and a list as a release on AWS has them.
        chrome=ChromePin("158.0.8127.37", "158.0.8127.37", now.date() - timedelta(days=10)),
        newest=StableVersion("158.0.8127.37", now.date(), "the list"),
        environment=on.target.environment(),
    )


def seeded(on: Stage) -> None:
    """The repository anew, and in it an older image than the release: the same layers, other bytes of JSON."""
    on.standing, ecr, name = None, on.client("ecr"), on.seeded.repository
    ecr.put_registry_scanning_configuration(scanType="BASIC", rules=[])
    ecr.put_signing_configuration(signingConfiguration={"rules": []})
    ecr.put_replication_configuration(replicationConfiguration={"rules": []})
    ecr.delete_repository(repositoryName=name, force=True)
    repository.seed(ecr, on.seeded)
    stored = on.older
    if stored is None:
        published = on.publish(on.release_client())
        stored = on.older = published.manifest
    ecr.put_image(repositoryName=name, imageManifest=stored.body + "\n\n", imageManifestMediaType=stored.media_type,
                  imageTag=OLDER)  # fmt: skip
    ecr.batch_delete_image(repositoryName=name, imageIds=[{"imageDigest": stored.digest}])


def _scans(on, now):
    reader = on.scanner()
    # Their age only AWS keeps under a day; here it is said.
    release, rolling = (
        replace(reader.scan(tag), vulnerability_source_updated_at=now - timedelta(hours=1))
        for tag in (on.release.release_tag, on.release.rolling_tag)
    )
    return RecordedScanner(on.release.repository, reader.settings(), release, rolling, on.release.rolling_tag)


def recorded(on: Stage, image_id: str = "") -> Candidate:
    """The good image, or what another build left, with every fact kept, and its base as AWS would hand it out."""
    good = on.good
    found = twin(on, image_id or good.image.image_id)
    found.__dict__ |= {name: getattr(good, name) for name in KEPT if name != "libraries"}
    found.__dict__["libraries"] = {name: good.libraries(name) for name in good.browser_paths}.__getitem__
    # As a release on that base has it: the stand-in has a Python of its own.
    version, stated = found.__dict__["interpreter"].version, on.release.python_version
    if not version.startswith(f"{stated}."):
        found.__dict__["interpreter"] = of_agreed_python(on, found.__dict__["interpreter"])
        own = f"python{version.rpartition('.')[0]}"
        components = tuple(
            replace(each, name=each.name.replace(own, f"python{stated}")) for each in good.sbom.components
        )
        found.__dict__["sbom"] = replace(good.sbom, components=components)
    approved = on.release.approved_bases[0]
    labels = {name: value for name, value in good.base.labels.items() if name != STAND_IN_LABEL}
    digest = f"{approved.rpartition(':')[0]}@sha256:{'a' * 64}"
    found.__dict__["base"] = replace(good.base, labels=labels, repo_digests=(digest,))
    found.base_reference, found.base_provenance = approved, "real"
    return found


def of_agreed_python(on: Stage, interpreter: Interpreter) -> Interpreter:
    """The interpreter as the approved base has it, where the stand-in's is another."""
    stated = on.release.python_version
    known = interpreter.version.startswith(f"{stated}.")
    return interpreter if known else replace(interpreter, version=f"{stated}.1")


def twin(on: Stage, image_id: str) -> Candidate:
    """A candidate of which nothing is known yet, as if the release's Dockerfile had built it."""
    built = replace(on.good.built, image_id=image_id)
    return Candidate(on.engine, on.release, on.base, image_id, built, on.good.context, ROOT / ".cache")
