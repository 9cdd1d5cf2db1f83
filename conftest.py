"""Wiring of the acceptance suite: options, plugins, and the ladder of session fixtures. What they do is in gate/."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime

import pytest

from gate import options as command_line
from gate import release as settings
from gate import selection
from gate.run.scope import PLUGIN, RUN, looks_only

STEPS = ("image", "runtime", "browser", "registry", "access", "legacy", "scan", "evidence")


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
    selection.check(config)
    if not config.option.collectonly:
        # The claims are listed from their features alone: without the judges behind the steps, in half the time.
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
def ladder():
    """How each rung below is made. Imported when the first claim needs it: collecting takes no SDK."""
    from gate.run import ladder

    return ladder


@pytest.fixture
def evidence(request):
    """The witness of this scenario: what is added to it is on disk before the next line."""
    return request.config.pluginmanager.getplugin(PLUGIN).witness(request.node)


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
def engine(ladder, run):
    """The Docker engine, swept of what dead runs left behind."""
    with ladder.engine(run) as found:
        yield found


@pytest.fixture(scope="session")
def candidate(ladder, run, engine, request):
    """The image under judgement."""
    with ladder.candidate(run, engine, request.getfixturevalue) as found:
        yield found


# --- the registry and what stands beside it -----------------------------------------------------------


@pytest.fixture(scope="session")
def target(ladder, run):
    """Endpoints and credentials: the one place that knows of two targets."""
    if run.options.target == "aws":
        yield
        return
    from localaws.errors import LocalTargetError
    from localaws.seed.names import refuse_strangers
    from localaws.target import LocalTarget

    with ExitStack() as kept:
        kept.enter_context(ladder.telling(LocalTargetError))
        refuse_strangers(vars(run.release))
        with run.terminal.parts() as waiting_for:
            waiting_for("the local target starts")
            local = kept.enter_context(LocalTarget(**ladder.local_state(run)))
        environment = kept.enter_context(pytest.MonkeyPatch.context())
        for name, value in local.environment().items():
            environment.setenv(name, value)
        yield


@pytest.fixture(scope="session")
def ledger(run):
    """Every AWS call of this run."""
    return run.ledger


@pytest.fixture(scope="session")
def desk(ladder, run, engine, target):
    """Everything that talks to AWS about the release, by the ordinary AWS chain."""
    return ladder.desk(run, engine)


@pytest.fixture(scope="session")
def ecr(desk):
    """The release's repository."""
    return desk.ecr


@pytest.fixture(scope="session")
def registry_image(ladder, run, desk, request):
    """The judged digest in the registry: pushed by this run as the candidate, or the release as it was found."""
    yield ladder.in_registry(run, desk, request.getfixturevalue)
    ladder.record_scan(run)


@pytest.fixture(scope="session")
def published(ladder, run, desk, request):
    """The release behind its tags: given them by this run once all else holds, or as it was found."""
    release = ladder.publication(run, desk, request.getfixturevalue)
    yield release
    ladder.still_true(run, desk, release)
    ladder.end_promotion(run, desk)


@pytest.fixture(scope="session")
def earlier_promotions(ladder, run):
    """The promotions that earlier runs recorded."""
    return ladder.promotions(run)


@pytest.fixture(scope="session")
def legacy_before(ladder, run, request):
    """The zip function before anything was pushed."""
    return ladder.baseline_before(run, request.getfixturevalue)


@pytest.fixture
def legacy_now(desk, legacy_before):
    """The zip function now."""
    return desk.zip_function.snapshot()


@pytest.fixture(scope="session")
def judged_repository(run):
    """The folder in which git is asked about the zip pipeline."""
    return run.options.image_context


@pytest.fixture(scope="session")
def account(ladder, run, desk):
    """The account's principals and policies."""
    return ladder.account(run, desk)


# --- the scan -----------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def scanner(ladder, run, desk):
    """Reads scans."""
    return ladder.scanner(run, desk)


@pytest.fixture(scope="session")
def digest_scan(ladder, run, desk, scanner, registry_image):
    """The finished scan of the judged digest."""
    return ladder.scan_of(run, desk, scanner, registry_image)


@pytest.fixture(scope="session")
def register(ladder, run):
    """The register of exceptions."""
    return ladder.register(run)


@pytest.fixture(scope="session")
def sbom(candidate):
    """What the image consists of."""
    return candidate.sbom


@pytest.fixture(scope="session")
def watched(candidate):
    """The components that a scan must cover, or the register name."""
    return candidate.watched


@pytest.fixture(scope="session")
def scan_history(ladder, run):
    """Earlier scans, withdrawn candidates included."""
    return ladder.scan_history(run)


@pytest.fixture(scope="session")
def last_night(ladder, run, scan_history):
    """The last recorded scan, or --previous; None on the first night."""
    return ladder.last_night(run, scan_history)


@pytest.fixture(scope="session")
def support_dates():
    """Until when makers support what a release can stand on."""
    from gate.image.support import load

    return load()


@pytest.fixture(scope="session")
def accepted_ends(ladder, run, request):
    """The register, as far as it is about ends of support."""
    return ladder.accepted_ends(run, request.getfixturevalue)


@pytest.fixture(scope="session")
def chrome_pin(ladder, run, register):
    """The Chrome that the release pins."""
    return ladder.chrome_pin(run, register)


@pytest.fixture(scope="session")
def newest_chrome(ladder, run, now):
    """The newest stable Chrome."""
    return ladder.newest_chrome(run, now())


# --- the record ---------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def previous_release(ladder, run, published, candidate):
    """The difference to the release before this one."""
    return ladder.previous_release(run, published, candidate)


@pytest.fixture
def notes(ladder, run, published, previous_release):
    """VALIDATION.md, with this release's section rendered from the evidence so far."""
    return ladder.write_notes(run)


@pytest.fixture
def canaries(ladder, desk):
    """Secrets within reach of this run, of which the redactor was not told."""
    return ladder.canaries(desk)
