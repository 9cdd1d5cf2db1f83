"""What the steps are given: the release step by step, what it is connected to, and what is looked up beside it."""

import pytest

from gate.browser import newest
from gate.browser.newest import NewestUnknown
from gate.browser.pin import NothingPinned
from gate.image.end_of_support import load as load_support
from gate.publish import promotion_record, release_facts
from gate.report.validation_md import write as write_notes
from gate.run import inputs

# --- the release, in its order: gate/publish/pipeline.py -----------------------------------------------


@pytest.fixture(scope="session")
def candidate(release_pipeline):
    """The candidate image."""
    return release_pipeline.candidate


@pytest.fixture(scope="session")
def registry_image(release_pipeline):
    """The checked digest in the registry: pushed by this run as the candidate, or the release as it was found."""
    return release_pipeline.registry_image


@pytest.fixture(scope="session")
def digest_scan(release_pipeline):
    """The finished scan of the checked digest."""
    return release_pipeline.digest_scan


@pytest.fixture(scope="session")
def published(release_pipeline):
    """The release behind its tags: given them by this run once all else holds, or as it was found."""
    return release_pipeline.published


# --- what the run is connected to: gate/run/connections.py ---------------------------------------------


@pytest.fixture(scope="session")
def release_client(release_pipeline):
    """Everything that talks to AWS about the release."""
    return release_pipeline.connections.release_client


@pytest.fixture(scope="session")
def ecr(release_client):
    """The release's repository."""
    return release_client.ecr


@pytest.fixture(scope="session")
def account(release_pipeline):
    """The account's principals and policies."""
    return release_pipeline.connections.account


@pytest.fixture(scope="session")
def scanner(release_pipeline):
    """Reads scans."""
    return release_pipeline.connections.scanner


@pytest.fixture(scope="session")
def call_log(run):
    """Every AWS call of this run."""
    return run.call_log


# --- what is looked up beside it: gate/run/inputs.py ---------------------------------------------------


@pytest.fixture(scope="session")
def legacy_before(release_pipeline):
    """The zip function before anything was pushed."""
    return release_facts.zip_baseline(release_pipeline)


@pytest.fixture
def legacy_now(release_client, legacy_before):
    """The zip function now."""
    return release_client.zip_function.snapshot()


@pytest.fixture(scope="session")
def checked_repository(run):
    """The folder in which git is asked about the zip pipeline."""
    return run.options.image_context


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


@pytest.fixture(scope="session")
def sbom(candidate):
    """What the image consists of."""
    return candidate.sbom


@pytest.fixture(scope="session")
def required_components(candidate):
    """The components that a scan must cover, or the register name."""
    return candidate.required_components


@pytest.fixture
def earlier_promotions(run):
    """The promotions that earlier runs recorded, as they are on the disk now."""
    return promotion_record.read_all(run)


@pytest.fixture(scope="session")
def scan_history(run):
    """Earlier scans, withdrawn candidates included."""
    return inputs.scan_history(run)


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
