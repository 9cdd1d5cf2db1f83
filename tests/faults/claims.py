"""Every claim, with its own wording and checks, on the facts of a world instead of on what a run would ask for."""

from types import SimpleNamespace

import pytest
from pytest_bdd import scenarios

from gate.run.steps import note_build, note_publication
from gate.run.validation_md import write as write_notes
from tests.faults.record import edited
from tests.faults.world import ROOT, WORLD, RecordedDesk

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


@pytest.fixture(scope="session")
def candidate(world, run):
    """The candidate image, as the fixtures enter it into the run."""
    found = world.candidate
    run.store.digest = run.facts.image_id = found.image.image_id
    run.facts.uncompressed_bytes, run.facts.candidate = found.image.size_bytes, found
    note_build(run, found.built, world.now.isoformat())
    return found


@pytest.fixture(scope="session")
def target():
    """Nothing is asked of any target."""


@pytest.fixture(scope="session")
def release_client(world):
    """What AWS answered."""
    return RecordedDesk(world)


@pytest.fixture(scope="session")
def published(world, fixtures, run, release_client, registry_image):
    """The release as it was promoted, and what the run believes of it: no claim is a condition of another here."""
    facts, published = run.facts, registry_image
    facts.publication, facts.digest, facts.tags = published, published.digest, published.tags
    facts.size_bytes, facts.unpromoted = published.compressed_bytes, ""
    note_publication(run, published.digest, published.steps)
    for name, value in world.facts.items():
        setattr(run.facts, name, value)
    yield published
    fixtures.still_true(run, release_client, published)


@pytest.fixture(scope="session")
def earlier_promotions(world):
    """What earlier runs recorded."""
    return world.promotions


@pytest.fixture(scope="session")
def ecr(world):
    """The repository."""
    return world.ecr


@pytest.fixture(scope="session")
def call_log(world):
    """The calls of the run."""
    return SimpleNamespace(calls=world.calls)


@pytest.fixture(scope="session")
def checked_repository(world):
    """Where git is asked."""
    return world.repository


@pytest.fixture(scope="session")
def account(world):
    """The account's policies."""
    return world.access if hasattr(world.access, "access_facts") else SimpleNamespace(access_facts=lambda: world.access)


@pytest.fixture(scope="session")
def scanner(world):
    """The scans."""
    return world.scanner


@pytest.fixture(scope="session")
def digest_scan(world, run, registry_image):
    """The scan of the checked digest."""
    run.facts.scan_report = world.scanner.scan_digest(registry_image.digest)
    return run.facts.scan_report


@pytest.fixture(scope="session")
def register(world):
    """The register of exceptions."""
    return world.register


@pytest.fixture(scope="session")
def support_dates(world):
    """Until when makers support what a release can stand on."""
    return world.support


@pytest.fixture(scope="session")
def chrome_pin(world):
    """The Chrome that the release pins."""
    return world.chrome


@pytest.fixture(scope="session")
def newest_chrome(world):
    """The newest stable Chrome."""
    if isinstance(world.newest, Exception):
        raise world.newest
    return world.newest


@pytest.fixture
def principals(world):
    """The reviewed principals."""
    if isinstance(world.principals, Exception):
        raise world.principals
    return world.principals


@pytest.fixture(scope="session")
def scan_history(world):
    """Earlier scans."""
    return world.history


@pytest.fixture(scope="session")
def last_night(world):
    """The last recorded scan."""
    return world.last_night


@pytest.fixture
def notes(world, run, published, previous_release, request):
    """VALIDATION.md as the run writes it, and then what the fault does to the record; undone after the claim."""
    written = write_notes(run)
    title = request.node.obj.__doc__
    with edited(run.folder, [edit for edit in world.deeds if edit.get("during", "") in title], published.digest):
        yield written


@pytest.fixture
def canaries(world):
    """Secrets of which the redactor was not told."""
    return world.canaries
