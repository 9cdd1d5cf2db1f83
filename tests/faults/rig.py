"""Runs every scenario on a world: a whole run of pytest inside this one, in the same process."""

from __future__ import annotations

import gc
import os
import time
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from gate.check import run_self_tests
from gate.run import RUN, configuration
from gate.verdict import ScenarioOutcome
from tests.faults.world import ROOT, WORLD
from tests.screen import unwrapped

# Plugins that no scenario asks for: each is registered, and called for every scenario, in every run.
UNUSED = ("doctest", "faulthandler", "hypothesispytest", "legacypath", "logging", "pastebin", "platformdirs",
          "pytest11.testinfra", "recwarn", "setuponly", "setupplan", "subtests", "threadexception", "unittest",
          "unraisableexception", "xdist", "xdist.looponfail")  # fmt: skip


@dataclass(frozen=True)
class Ran:
    """What became of the scenarios.

    Attributes:
        exit_code: of the run.
        word: its verdict.
        outcomes: by the scenario's full name.
        screen: what it printed.
    """

    exit_code: int
    word: str
    outcomes: dict[str, ScenarioOutcome]
    screen: str
    seconds: float

    @property
    def red(self) -> set[str]:
        """The full names of the scenarios that failed."""
        return {name for name, outcome in self.outcomes.items() if outcome.status == "failed"}


class WorldPlugin:
    """Carries the world in, and the outcomes out."""

    def __init__(self, world, stubbed):
        self.world, self.stubbed, self.run = world, stubbed, None

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config):
        """Hand over the world, and remember the run that conftest.py began."""
        config.stash[WORLD] = self.world
        self.run = config.stash.get(RUN, None)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items):
        """Where AWS's answers are stubbed, run also what only AWS can prove."""
        for item in items if self.stubbed else ():
            item.own_markers = [mark for mark in item.own_markers if mark.name != "skip"]


# The same in every run of this process: what the checks say to their known-bad values, the checkout, and libraries.
_SAME = {
    "gate.run.plugin.run_self_tests": cache(run_self_tests),
    "gate.run.configuration.checkout": cache(configuration.checkout),
    "gate.run.configuration._versions": cache(configuration._versions),
}


@cache
def _keep_what_was_imported() -> None:
    # By the first run of this process. pytest collects garbage twice at each one's end, and would go through all of it.
    gc.collect()
    gc.freeze()


def run_scenarios(module: str, world, folder: Path, *options: str) -> Ran:
    """Run scenarios with the fixtures of `scenarios.py` (facts alone) or `releasing.py` (a real release)."""
    plugin, scenarios = WorldPlugin(world, stubbed=module == "scenarios.py"), Path(__file__).with_name(module)
    usual = ("--target", "local", "--import-mode", "importlib")
    if world.home != ROOT:
        usual += ("--release-folder", str(world.home))
    with pytest.MonkeyPatch.context() as patched:
        if plugin.stubbed:
            # The HTML of a part of the scenarios, which nobody reads here.
            patched.setattr("gate.run.start.page_of", lambda _run: "")
            # Nothing is published, so that no scenario has to hold before another: the selected ones are all.
            patched.setattr("gate.run.plugin.arranged", lambda _every, chosen, _scenario_of: chosen)
        return run_pytest(str(scenarios), plugin, folder, *usual, *options)


def run_pytest(scenarios: str, plugin: Any, folder: Path, *options: str) -> Ran:
    """Run scenarios in this process, with a plugin that keeps the run; it writes into the folder."""
    began = time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    command = [
        scenarios,
        *("-c", str(ROOT / "pytest.ini"), "--rootdir", str(ROOT), "-o", f"reports={folder / 'reports'}"),
        *("-W", "ignore", "-p", "no:cacheprovider", "--assert", "plain", *(f"-pno:{name}" for name in UNUSED)),
        *options,
    ]
    log = folder / "screen.log"
    with (
        log.open("w", encoding="utf-8") as screen,
        redirect_stdout(screen),
        redirect_stderr(screen),
        pytest.MonkeyPatch.context() as patched,
    ):
        # A power failure is no part of these runs, and to wait for the disk 150 times takes half of their time.
        patched.setattr(os, "fsync", lambda _: None)
        for place, asked_once in _SAME.items():
            patched.setattr(place, asked_once)
        code = int(pytest.main(command, plugins=[plugin]))
    _keep_what_was_imported()
    text = unwrapped(log.read_text(encoding="utf-8"))
    assert plugin.run is not None, text
    assert plugin.run.results is not None, text
    outcomes = {each.name: each for each in plugin.run.outcomes}
    return Ran(code, plugin.run.results.verdict.word, outcomes, text, time.monotonic() - began)
