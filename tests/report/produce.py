"""A plugin for a small pytest run (`-p tests.report.produce`): the real pytest-html report around a sample's page."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gate.report.html import HtmlReport, mend, switch_on
from gate.report.page import render
from tests.report.sample import SAMPLES

TITLE = "Release gate: naver-sms-automation v1.0.0"


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    """Ask for the report as an acceptance run does."""
    switch_on(config.option, Path(config.rootpath))
    sample = SAMPLES[os.environ["REPORT_SAMPLE"]]
    config.pluginmanager.register(HtmlReport(TITLE, lambda: render(sample())), "sample-report")


def pytest_unconfigure(config):
    """Mend it when pytest-html has written it."""
    mend(Path(config.rootpath, "report.html"))
