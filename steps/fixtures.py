"""What the steps are given: the run, the release step by step, its connections, and what is looked up beside it."""

from datetime import UTC, datetime
from operator import attrgetter

import pytest

from gate.browser import newest
from gate.browser.chrome_age import NothingPinned
from gate.browser.newest import NewestUnknown
from gate.image.end_of_support import load as load_support
from gate.publish import promotion_record, release_facts
from gate.report.validation_md import write as write_notes
from gate.run import PLUGIN, RUN, inputs
from gate.scan.records import read_all


@pytest.fixture(scope="session")
def run(pytestconfig):
    """What the hooks and fixtures of this run share."""
    return pytestconfig.stash[RUN]


@pytest.fixture
def evidence(request):
    """The evidence recorder of this scenario: what is added to it is on disk before the next line."""
    return request.config.pluginmanager.getplugin(PLUGIN).recorder(request.node)


@pytest.fixture(scope="session")
def now():
    """The clock."""
    return lambda: datetime.now(UTC)


@pytest.fixture(scope="session")
def nightly(run):
    """Whether this is the nightly rescan."""
    return run.kind == "rescan"


@pytest.fixture(scope="session")
def release(run, request):
    """The release as pytest.ini states it; at night the newest accepted one, which the registry tells."""
    if run.kind == "rescan":
        _ = request.getfixturevalue("release_pipeline").connections.release_client
    return run.release


@pytest.fixture(scope="session")
def release_pipeline(run):
    """The way of the release, step by step. Imported when the first scenario needs it: beginning takes no SDK."""
    from gate.publish.pipeline import Pipeline
    from gate.run.connections import Connections

    pipeline = Pipeline(Connections(run))
    yield pipeline
    pipeline.close()


def _part(of, path):
    """A fixture that is an attribute of another one."""

    def known(request):
        return attrgetter(path)(request.getfixturevalue(of))

    known.__doc__ = f"The attribute `{path}` of the fixture `{of}`."
    return pytest.fixture(scope="session")(known)


# The release, in its order. The checked digest in the registry was pushed by this run as the candidate, or is the
# release as it was found; `published` is the release behind its tags, which it has once all else holds.
candidate = _part("release_pipeline", "candidate")
registry_image = _part("release_pipeline", "registry_image")
digest_scan = _part("release_pipeline", "digest_scan")
published = _part("release_pipeline", "published")
# What the run is connected to, and every AWS call of it.
release_client = _part("release_pipeline", "connections.release_client")
ecr = _part("release_client", "ecr")
account = _part("release_pipeline", "connections.account")
scanner = _part("release_pipeline", "connections.scanner")
call_log = _part("run", "call_log")
# What the image consists of, and the components that a scan must cover, or the register name.
sbom = _part("candidate", "sbom")
required_components = _part("candidate", "required_components")
# The folder in which git is asked about the zip pipeline.
checked_repository = _part("run", "options.image_context")
# Where the release goes, as the register names it.
target_name = _part("run", "exception_scope")


@pytest.fixture(scope="session")
def legacy_before(release_pipeline):
    """The zip function before anything was pushed."""
    return release_facts.zip_baseline(release_pipeline)


@pytest.fixture
def legacy_now(release_client, legacy_before):
    """The zip function now."""
    return release_client.zip_function.snapshot()


@pytest.fixture(scope="session")
def register(run):
    """The register of exceptions."""
    return inputs.register(run)


@pytest.fixture(scope="session")
def accepted_ends(run):
    """The register, as far as it is about ends of support."""
    return inputs.register_or_empty(run)


@pytest.fixture(scope="session")
def support_dates():
    """Until when makers support what a release can stand on."""
    return load_support()


@pytest.fixture
def earlier_promotions(run):
    """The promotions that earlier runs recorded, as they are on the disk now."""
    return promotion_record.read_all(run)


@pytest.fixture(scope="session")
def scan_history(run):
    """Earlier scans, withdrawn candidates included."""
    return read_all(run.scans, run.target)


@pytest.fixture(scope="session")
def last_night(run, scan_history):
    """The last recorded scan, or --previous; None on the first night."""
    return inputs.last_scan(run, scan_history)


@pytest.fixture(scope="session")
def chrome_pin(run, register):
    """The Chrome that the release pins; in a rehearsal without a lock nothing is pinned, so nothing can be shown."""
    try:
        return inputs.chrome_pin(run, register)
    except NothingPinned as nothing:
        pytest.skip(nothing.cause)


@pytest.fixture(scope="session")
def newest_chrome(run, now):
    """The newest stable Chrome; where it cannot be looked up the scenario does not run, and never passes."""
    try:
        return newest.newest(run.options.image_context, now())
    except NewestUnknown as unknown:
        pytest.skip(unknown.cause)


# --- the record -----------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def previous_release(release_pipeline):
    """The difference to the release before this one."""
    return release_facts.previous_release(release_pipeline)


@pytest.fixture
def notes(run, published, previous_release):
    """VALIDATION.md, with this release's section rendered from the evidence so far."""
    return write_notes(run)


@pytest.fixture
def canaries(release_client):
    """Secrets within reach of this run, of which the redactor was not told."""
    return inputs.canaries(release_client)
