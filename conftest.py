"""Wiring of the acceptance suite: options, plugins, and the session fixtures. What they do is in gate/."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gate import options as command_line
from gate import release as settings
from gate.run import PLUGIN, RUN
from gate.scenarios.run_kind import looks_only

STEPS = ("fixtures", "image", "base", "runtime", "browser", "registry", "managed", "access", "legacy", "scan",
         "evidence")  # fmt: skip


def pytest_addoption(parser):
    """Declare the release (pytest.ini) and the options of a run."""
    settings.declare(parser.addini)
    parser.addini("reports", "the folder that a run writes to", default="reports")
    parser.addini("local_state", "the folder that keeps the local target's state", default=".cache/localaws")
    parser.addini("keep_runs", "how many full runs stay in reports/runs/; what others need stays", default="20")
    parser.addini("keep_nights", "how many nights stay in reports/rescan/scans/", default="400")
    parser.addini("on_not_clean", "a command that is given verdict.json after a night that is not CLEAN", default="")
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
        # The scenarios are listed from their features alone: without the checks behind the steps, in half the time.
        for noun in STEPS:
            config.pluginmanager.import_plugin(f"steps.{noun}")
        from gate.scenarios import step_lookup

        step_lookup.install()
    if not looks_only(config.option):
        from gate.run.start import start

        start(config)


# --- the run ------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def run(pytestconfig):
    """What the hooks and fixtures of this run share."""
    return pytestconfig.stash[RUN]


@pytest.fixture(scope="session")
def release(run, request):
    """The release as pytest.ini states it; at night the newest accepted one, which the registry tells."""
    if run.kind == "rescan":
        _ = request.getfixturevalue("release_pipeline").connections.release_client
    return run.release


@pytest.fixture(scope="session")
def release_pipeline(run):
    """The way of the release, step by step. Imported when the first scenario needs it: collecting takes no SDK."""
    from gate.publish.pipeline import Pipeline
    from gate.run.connections import Connections

    pipeline = Pipeline(Connections(run))
    yield pipeline
    pipeline.close()


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
