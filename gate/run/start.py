"""Begin a run: read what was asked for, take the lock, and register the plugins that follow it."""

from __future__ import annotations

import fcntl
import os
import signal
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import IO

import pytest

from gate import options as command_line
from gate import release_file as settings
from gate.engine.leftovers import mark_children
from gate.errors import EngineUnavailable, ImageUnavailable, WrongUse
from gate.evidence.redact import Redactor
from gate.evidence.store import EvidenceStore
from gate.release import Release
from gate.report.html import HtmlReport, switch_on
from gate.report.terminal import Terminal
from gate.report.view import page_of
from gate.run import PLUGIN, RUN
from gate.run.configuration import configuration_of
from gate.run.environment import settle
from gate.run.model import Run
from gate.run.plugin import AcceptancePlugin, Ending
from gate.run.results import begin
from gate.run.upkeep import read_upkeep
from gate.scenarios.run_kind import folder_of, kind_of
from gate.text import plain

# For one short question at the beginning; whether the engine answers at all is not decided by it.
LOOK_SECONDS = 10
# How long another run over the same reports is waited for, in seconds.
LOCK_SECONDS = 3600
# By the names that they are registered under.
_PLUGINS = ("pytest-bdd", "html", "metadata")


@command_line.usage_errors()
def start(config: pytest.Config) -> Run:
    """Prepare a run and register its plugins.

    Raises:
        pytest.UsageError: wrong use, in one sentence.
    """
    _refuse_how_pytest_was_started(config)
    run = _new_run(config)
    upkeep = read_upkeep(*(config.getini(key) for key in ("keep_runs", "keep_nights", "on_not_clean")))
    # Before anything is cleared or written: with wrong credentials, yesterday's evidence stays.
    _identify(run)
    _look_for_accepted(run)
    begin(run)
    switch_on(config.option, run.folder)
    config.stash[RUN] = run
    config.pluginmanager.register(AcceptancePlugin(run, Path(config.rootpath, "features")), PLUGIN)
    config.pluginmanager.register(Ending(run, upkeep), f"{PLUGIN}-ending")
    title = f"Release gate: {run.release.repository} {run.release.release_tag}"
    config.pluginmanager.register(HtmlReport(title, lambda: page_of(run)), f"{PLUGIN}-report")
    return run


def _refuse_how_pytest_was_started(config: pytest.Config) -> None:
    if getattr(config.option, "numprocesses", None):
        raise WrongUse("the gate runs in one process: leave out -n (it checks one release, in one run)")
    if feature := next((arg for arg in config.args if arg.endswith(".feature")), ""):
        raise WrongUse(f"{plain(feature)} is no test file: choose a criterion with -m (-m ac3), or a scenario with -k")
    if getattr(config.option, "setuponly", False):
        raise WrongUse("--setup-only runs no scenario: leave it out")
    for name in (each.partition("=")[0] for each in config.option.override_ini or ()):
        try:
            config.getini(name)
        except ValueError as unknown:
            near = command_line.nearest(name, [each.name for each in fields(Release)])
            raise WrongUse(f"-o names a setting that is not there: {plain(name)}{near}") from unknown
    if absent := [name for name in _PLUGINS if not config.pluginmanager.hasplugin(name)]:
        raise WrongUse(f"pytest was started without its plugins {', '.join(absent)}, which the gate needs",
                       remedy="unset PYTEST_DISABLE_PLUGIN_AUTOLOAD, and leave out `-p no:…`")  # fmt: skip


def _new_run(config: pytest.Config) -> Run:
    """The run as it was asked for, alone in its reports folder from now on."""
    root, (release, options) = settings.folder_of_release(config), _asked_for(config)
    settle(os.environ, asks_aws=options.target == "aws")
    key = None
    if options.sign:
        from gate.evidence.signature import signer

        key = signer(options.sign, options.trust_config)  # refused now rather than at the end of a long run
    # pytest.ini asks for -q, which is -1.
    verbose = config.option.verbose >= 0
    kind, reports, terminal = kind_of(config), root / config.getini("reports"), Terminal(verbose=verbose)
    config.add_cleanup(_locked(reports, terminal.progress).close)
    if options.image and kind != "rescan":
        _look_for(options.image)
    config.add_cleanup(_end_in_good_order())
    mark_children()
    folder, started = folder_of(kind, reports), datetime.now(UTC)
    dated = reports / "runs" / started.strftime("%Y%m%dT%H%M%S.%fZ") / "evidence"
    kept = dated if kind in {"full", "promotion"} else None
    store = EvidenceStore(folder / "evidence", options.target, Redactor(), kept=kept)
    local_state = root / config.getini("local_state")
    run = Run(kind, folder, release, options, store, terminal, root, reports, local_state, started)
    run.key, run.configuration = key, configuration_of(config, release, options)
    return run


def _asked_for(config: pytest.Config) -> tuple[Release, command_line.Options]:
    command_line.refuse_empty(config)
    tag = config.getoption("--promote") or config.getoption("--release-tag")
    release = settings.read(settings.reader(config), release_tag=tag)
    return release, command_line.read(config, release.image_context, settings.folder_of_release(config))


def _identify(run: Run) -> None:
    if run.options.target != "aws":
        return
    from gate.run.preflight import identify

    try:
        identify(run)
    except WrongUse as error:
        if run.kind != "rescan":
            raise
        # A nightly rescan is not watched: it ends with a verdict and does not leave yesterday's in place.
        run.facts.unidentified = error


def _locked(reports: Path, say: Callable[[str], None]) -> IO[str]:
    """The lock on the reports folder, held while it is open and freed by the kernel when its holder dies.

    Two runs over one folder would mix their evidence, so another run is waited for.

    Raises:
        WrongUse: the folder cannot be written, or the other run did not end in time.
    """
    path, deadline, told = reports / ".lock", time.monotonic() + LOCK_SECONDS, False
    try:
        reports.mkdir(parents=True, exist_ok=True)
        lock = path.open("a+")
    except OSError as refused:
        raise WrongUse(f"the folder {reports} cannot be written: {refused.strerror}") from refused
    while not _taken(lock):
        other = f"another run (process {path.read_text().strip() or 'unknown'})"
        if not told:
            say(f"{other} is using {reports.name}/; waiting for it to end")
            told = True
        if time.monotonic() > deadline:
            raise WrongUse(f"{other} did not end within {LOCK_SECONDS:.0f} s")
        time.sleep(0.5)
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def _taken(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _look_for_accepted(run: Run) -> None:
    """Refuse to promote what no intact evidence accepts, before anything is cleared, started or asked."""
    if not (tag := run.options.promote):
        return
    from gate.publish.earlier_runs import accepted_release

    if not run.release.rolling_tag:
        raise WrongUse("--promote moves the rolling tag, and this release has none: rolling_tag is empty in pytest.ini")

    if not run.promotes:
        raise WrongUse("--promote is decided by every scenario about the registry: leave out -m, -k and paths")
    run.facts.accepted = accepted_release(run, tag)


def _look_for(image: str) -> None:
    """Refuse an image that is not there, before each scenario in turn says so.

    An engine that does not answer is not wrong use: each scenario says so, and the run has a verdict.
    """
    from gate.engine import connect

    with suppress(EngineUnavailable), closing(connect(LOOK_SECONDS)) as engine:
        try:
            engine.image(image)
        except ImageUnavailable as absent:
            raise WrongUse(f"--image names no image of this Docker engine: {plain(image)}; build or pull it first, "
                           "or correct the reference") from absent  # fmt: skip


@command_line.usage_errors()
def plan(config: pytest.Config) -> int:
    """Say what the run would do, as `--plan` asks; nothing is begun. Returns the exit code.

    Raises:
        pytest.UsageError: wrong use, in one sentence.
    """
    from gate.publish.plan import plan_text

    release, options = _asked_for(config)
    Terminal().say(plan_text(options, release, kind_of(config), os.environ))
    return 0


def _end_in_good_order() -> Callable[[], None]:
    """Let SIGTERM end a run as Ctrl-C does, with its evidence; returns what undoes that.

    A CI job that is cancelled gets both, one after the other: the second must not cut the tidying short.
    """

    def stop(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}

    def undo() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    return undo
