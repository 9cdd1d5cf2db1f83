"""Wiring of the acceptance suite: options, plugins, and the session fixtures. What they do is in gate/."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime

import pytest

from gate import options as command_line
from gate import release as settings
from gate.run.scope import PLUGIN, RUN, looks_only

STEPS = ("image", "base", "runtime", "browser", "registry", "access", "legacy", "scan", "evidence")


def pytest_addoption(parser):
    """Declare the release (pytest.ini) and the options of a run."""
    settings.declare(parser.addini)
    parser.addini("reports", "the folder that a run writes to", default="reports")
    parser.addini("local_state", "the folder that keeps the local target's state", default=".cache/localaws")
    command_line.declare(parser)


def pytest_cmdline_main(config):
    """With --plan, say what would be done, and do nothing."""
    if not config.option.plan or looks_only(config.option):
        return None
    from gate.run.start import plan

    return plan(config)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    """Begin the run, unless pytest was only asked to show something."""
    command_line.check_selection(config)
    if not config.option.collectonly:
        # The claims are listed from their features alone: without the checks behind the steps, in half the time.
        for noun in STEPS:
            config.pluginmanager.import_plugin(f"steps.{noun}")
    if not looks_only(config.option):
        from gate.run.start import start

        start(config)


# --- the run ------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def run(pytestconfig):
    """What the hooks and fixtures of this run share."""
    return pytestconfig.stash[RUN]


@pytest.fixture(scope="session")
def release(run):
    """The release as pytest.ini states it."""
    return run.release


@pytest.fixture(scope="session")
def fixtures():
    """How each fixture below is made. Imported when the first claim needs it: collecting takes no SDK."""
    from gate.run import fixtures

    return fixtures


@pytest.fixture
def evidence(request):
    """The evidence recorder of this scenario: what is added to it is on disk before the next line."""
    return request.config.pluginmanager.getplugin(PLUGIN).recorder(request.node)


@pytest.fixture(scope="session")
def now():
    """The clock."""
    return lambda: datetime.now(UTC)


@pytest.fixture(scope="session")
def target_name(run):
    """Where the release goes, as the register names it."""
    return run.rules


@pytest.fixture(scope="session")
def nightly(run):
    """Whether this is the nightly rescan."""
    return run.kind == "rescan"


# --- the image ----------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def engine(fixtures, run):
    """The Docker engine, swept of what dead runs left behind."""
    with fixtures.engine(run) as found:
        yield found


@pytest.fixture(scope="session")
def candidate(fixtures, run, engine, request):
    """The candidate image."""
    with fixtures.candidate(run, engine, request.getfixturevalue) as found:
        yield found


# --- the registry and what stands beside it -----------------------------------------------------------


@pytest.fixture(scope="session")
def target(fixtures, run):
    """Endpoints and credentials: the one place that knows of two targets."""
    if run.options.target == "aws":
        yield
        return
    from localaws import LocalTargetError
    from localaws.seed.release import SeededRelease
    from localaws.target import LocalTarget

    with ExitStack() as kept:
        kept.enter_context(fixtures.telling(LocalTargetError))
        seeded = SeededRelease.of(run.release, run.options.image_context, fixtures.policies_of(run.release))
        with run.terminal.parts() as waiting_for:
            waiting_for("the local target starts")
            local = kept.enter_context(LocalTarget(seeded, **fixtures.local_state(run)))
        environment = kept.enter_context(pytest.MonkeyPatch.context())
        for name, value in local.environment().items():
            environment.setenv(name, value)
        yield


@pytest.fixture(scope="session")
def call_log(run):
    """Every AWS call of this run."""
    return run.call_log


@pytest.fixture(scope="session")
def release_client(fixtures, run, engine, target):
    """Everything that talks to AWS about the release, by the ordinary AWS chain."""
    return fixtures.release_client(run, engine)


@pytest.fixture(scope="session")
def ecr(release_client):
    """The release's repository."""
    return release_client.ecr


@pytest.fixture(scope="session")
def registry_image(fixtures, run, release_client, request):
    """The checked digest in the registry: pushed by this run as the candidate, or the release as it was found."""
    yield fixtures.in_registry(run, release_client, request.getfixturevalue)
    fixtures.record_scan(run)


@pytest.fixture(scope="session")
def published(fixtures, run, release_client, request):
    """The release behind its tags: given them by this run once all else holds, or as it was found."""
    release = fixtures.publication(run, release_client, request.getfixturevalue)
    yield release
    fixtures.still_true(run, release_client, release)
    fixtures.end_promotion(run, release_client)


@pytest.fixture(scope="session")
def earlier_promotions(fixtures, run):
    """The promotions that earlier runs recorded."""
    return fixtures.promotions(run)


@pytest.fixture(scope="session")
def legacy_before(fixtures, run, request):
    """The zip function before anything was pushed."""
    return fixtures.baseline_before(run, request.getfixturevalue)


@pytest.fixture
def legacy_now(release_client, legacy_before):
    """The zip function now."""
    return release_client.zip_function.snapshot()


@pytest.fixture(scope="session")
def checked_repository(run):
    """The folder in which git is asked about the zip pipeline."""
    return run.options.image_context


@pytest.fixture(scope="session")
def account(fixtures, run, release_client):
    """The account's principals and policies."""
    return fixtures.account(run, release_client)


# --- the scan -----------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def scanner(fixtures, run, release_client):
    """Reads scans."""
    return fixtures.scanner(run, release_client)


@pytest.fixture(scope="session")
def digest_scan(fixtures, run, release_client, scanner, registry_image):
    """The finished scan of the checked digest."""
    return fixtures.scan_of(run, release_client, scanner, registry_image)


@pytest.fixture(scope="session")
def register(fixtures, run):
    """The register of exceptions."""
    return fixtures.register(run)


@pytest.fixture(scope="session")
def sbom(candidate):
    """What the image consists of."""
    return candidate.sbom


@pytest.fixture(scope="session")
def required_components(candidate):
    """The components that a scan must cover, or the register name."""
    return candidate.required_components


@pytest.fixture(scope="session")
def scan_history(fixtures, run):
    """Earlier scans, withdrawn candidates included."""
    return fixtures.scan_history(run)


@pytest.fixture(scope="session")
def last_night(fixtures, run, scan_history):
    """The last recorded scan, or --previous; None on the first night."""
    return fixtures.last_night(run, scan_history)


@pytest.fixture(scope="session")
def support_dates():
    """Until when makers support what a release can stand on."""
    from gate.image.support import load

    return load()


@pytest.fixture(scope="session")
def accepted_ends(fixtures, run, request):
    """The register, as far as it is about ends of support."""
    return fixtures.accepted_ends(run, request.getfixturevalue)


@pytest.fixture(scope="session")
def chrome_pin(fixtures, run, register):
    """The Chrome that the release pins."""
    return fixtures.chrome_pin(run, register)


@pytest.fixture(scope="session")
def newest_chrome(fixtures, run, now):
    """The newest stable Chrome."""
    return fixtures.newest_chrome(run, now())


# --- the record ---------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def previous_release(fixtures, run, published, candidate):
    """The difference to the release before this one."""
    return fixtures.previous_release(run, published, candidate)


@pytest.fixture
def notes(fixtures, run, published, previous_release):
    """VALIDATION.md, with this release's section rendered from the evidence so far."""
    return fixtures.write_notes(run)


@pytest.fixture
def canaries(fixtures, release_client):
    """Secrets within reach of this run, of which the redactor was not told."""
    return fixtures.canaries(release_client)
