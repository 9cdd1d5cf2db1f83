"""Hooks of pytest: the options of the acceptance suite, its plugins, and the beginning of a run. See gate/run/."""

from __future__ import annotations

import gc
import os

import pytest

from gate import options as command_line
from gate import release as settings
from gate.scenarios.run_kind import looks_only, refuse_restriction

STEPS = ("fixtures", "image", "base", "runtime", "browser", "registry", "signing_and_replication", "access",
         "legacy", "scan", "evidence")  # fmt: skip

# Nearly all that a run makes it keeps: Python need not look for garbage as often as it does.
gc.set_threshold(10_000)


def pytest_addoption(parser):
    """Declare the release (pytest.ini) and the options of a run."""
    settings.declare(parser.addini)
    parser.addini("reports", "the folder that a run writes to", default="reports")
    parser.addini("local_state", "the folder that keeps the local target's state", default=".cache/localaws")
    parser.addini("keep_runs", "how many full runs stay in reports/runs/; what others need stays", default="20")
    parser.addini("keep_nights", "how many nights stay in reports/rescan/scans/", default="400")
    parser.addini("on_not_clean", "a command that is given verdict.json after a night that is not CLEAN", default="")
    command_line.declare(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config):
    """With --plan, say what would be done, and do nothing."""
    with command_line.usage_errors():
        refuse_restriction(os.environ)
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
