"""Wiring of the acceptance suite: options, session fixtures, plugins. What they stand for is in gate/."""

from __future__ import annotations

import pytest

from gate import options as command_line
from gate import release as settings
from gate.run.start import looks_only, start

pytest_plugins = [f"steps.{noun}" for noun in ("image", "runtime", "browser")]


def pytest_addoption(parser):
    """Declare the release (pytest.ini) and the options of a run."""
    settings.declare(parser.addini)
    parser.addini("reports", "the folder that a run writes to", default="reports")
    command_line.declare(parser.getgroup("release gate", command_line.EXAMPLES))


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    """Begin the run, unless pytest was only asked to show something."""
    if not looks_only(config.option):
        start(config)
