"""Every scenario, with its own wording and checks, on the facts of a world instead of on what a run would ask for."""

from types import SimpleNamespace

import pytest
from pytest_bdd import scenarios

from gate.browser.newest import NewestUnknown
from gate.cached_property import made_once
from gate.publish.earlier_runs import BASELINE
from gate.publish.pipeline import Pipeline
from gate.publish.release_log import note_build, note_publication
from gate.report.validation_md import write as write_notes
from gate.run.connections import Connections
from tests.faults.record import edited
from tests.faults.world import ROOT, WORLD, RecordedClient

scenarios(str(ROOT / "features"))


@pytest.fixture(scope="session")
def world(pytestconfig):
    """The facts."""
    return pytestconfig.stash[WORLD]


@pytest.fixture(scope="session")
def release(world):
    """Overrides what pytest.ini states."""
    return world.release


@pytest.fixture
def now(world):
    """The moment at which the facts were taken."""
    return lambda: world.now


def known_image(run, world):
    """The candidate image, as the pipeline enters it into the run."""
    found = world.candidate
    run.store.digest = run.facts.image_id = found.image.image_id
    run.facts.uncompressed_bytes, run.facts.candidate = found.image.size_bytes, found
    note_build(run, found.built, world.now.isoformat())
    return found


class RecordedConnections(Connections):
    """Answers of a world in the place of AWS; nothing is asked of any target."""

    def __init__(self, run, world):
        super().__init__(run)
        self.release_client, self.scanner, self.target = RecordedClient(world), world.scanner, "recorded"


class RecordedPipeline(Pipeline):
    """The release as it was published, whatever stands against it: each scenario is decided by itself."""

    def __init__(self, run, world):
        super().__init__(RecordedConnections(run, world))
        self.world = world

    @made_once
    def candidate(self):
        """The candidate image."""
        return known_image(self.run, self.world)

    @made_once
    def registry_image(self):
        """The image that was pushed; it was built, and the zip function's baseline was kept, before."""
        _ = self.candidate
        self.world.legacy_before.keep(self.run.store.folder / BASELINE)
        if isinstance(self.world.published, Exception):
            raise self.world.published
        self.run.store.digest = self.run.facts.unpromoted = self.world.published.digest
        return self.world.published

    @made_once
    def published(self):
        """The release as it was promoted, and what the run believes of it."""
        run, facts, published = self.run, self.run.facts, self.registry_image
        facts.publication, facts.digest, facts.tags = published, published.digest, published.tags
        facts.size_bytes, facts.unpromoted = published.compressed_bytes, ""
        note_publication(run, published.digest, published.steps)
        for name, value in self.world.facts.items():
            setattr(facts, name, value)
        self.connections.stack.callback(self._check_unchanged, published)
        return published

    @made_once
    def digest_scan(self):
        """The scan of the checked digest."""
        report = self.run.facts.scan_report = self.world.scanner.scan_digest(self.registry_image.digest)
        self.connections.stack.callback(self._record_scan, report)
        return report


@pytest.fixture(scope="session")
def release_pipeline(world, run):
    """The release from a world."""
    pipeline = RecordedPipeline(run, world)
    yield pipeline
    pipeline.close()


def fact(attribute):
    """A fixture that is this attribute of the world."""

    @pytest.fixture(scope="session")
    def known(world):
        return getattr(world, attribute)

    return known


# By the fixtures of steps/fixtures.py whose place they take.
ecr = fact("ecr")
register = fact("register")
accepted_ends = fact("register")
support_dates = fact("support")
chrome_pin = fact("chrome")
earlier_promotions = fact("promotions")
checked_repository = fact("repository")
scan_history = fact("history")
last_night = fact("last_night")
canaries = fact("canaries")


@pytest.fixture(scope="session")
def call_log(world):
    """The calls of the run."""
    return SimpleNamespace(calls=world.calls)


@pytest.fixture(scope="session")
def account(world):
    """The account's policies."""
    return world.access if hasattr(world.access, "access_facts") else SimpleNamespace(access_facts=lambda: world.access)


@pytest.fixture(scope="session")
def newest_chrome(world):
    """The newest stable Chrome."""
    if isinstance(world.newest, NewestUnknown):
        pytest.skip(world.newest.cause)
    if isinstance(world.newest, Exception):
        raise world.newest
    return world.newest


@pytest.fixture
def principals(world):
    """The reviewed principals."""
    if isinstance(world.principals, Exception):
        raise world.principals
    return world.principals


@pytest.fixture
def notes(world, run, published, previous_release, request):
    """VALIDATION.md as the run writes it, and then what the fault does to the record; undone after the scenario."""
    written = write_notes(run)
    title = request.node.obj.__doc__
    with edited(run.folder, [edit for edit in world.record_edits if edit.get("during", "") in title], published.digest):
        yield written
