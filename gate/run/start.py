"""Begin a run: read what was asked for, take the lock, and register the plugins that follow it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import pytest

from gate import options as command_line
from gate import release_file as settings
from gate.engine.leftovers import mark_children
from gate.errors import EngineUnavailable, GateError, ImageUnavailable, WrongUse
from gate.evidence.redact import Redactor
from gate.evidence.store import EvidenceStore
from gate.release import Release
from gate.report.html import HtmlReport, switch_on
from gate.report.view import page_of
from gate.run.configuration import configuration_of
from gate.run.environment import settle
from gate.run.lock import RunLock
from gate.run.model import Run
from gate.run.nights import upkeep
from gate.run.plugin import AcceptancePlugin, Ending
from gate.run.release_folder import folder_of_release, reader
from gate.run.results import begin
from gate.run.scope import PLUGIN, RUN, folder_of, kind_of
from gate.run.terminal import Terminal
from gate.text import plain

# For one short question at the beginning; whether the engine answers at all is not decided by it.
LOOK_SECONDS = 10
# By the names that they are registered under.
_PLUGINS = ("pytest-bdd", "html", "metadata")


def start(config: pytest.Config) -> Run:
    """Prepare a run and register its plugins.

    Raises:
        pytest.UsageError: wrong use, in one sentence.
    """
    try:
        return _start(config)
    except GateError as error:
        raise pytest.UsageError(str(error)) from error


def _start(config: pytest.Config) -> Run:
    if getattr(config.option, "numprocesses", None):
        raise WrongUse("the gate runs in one process: leave out -n (it checks one release, in one run)")
    if feature := next((arg for arg in config.args if arg.endswith(".feature")), ""):
        raise WrongUse(f"{plain(feature)} is no test file: choose a criterion with -m (-m ac3), or a scenario with -k")
    _refuse_without_plugins(config)
    root = folder_of_release(config)
    release, options = _asked_for(config)
    settle(os.environ, asks_aws=options.target == "aws")
    key = None
    if options.sign:
        from gate.evidence.signature import signer

        key = signer(options.sign, options.trust_config)  # refused now rather than at the end of a long run
    # pytest.ini asks for -q, which is -1.
    verbose = config.option.verbose >= 0
    kind, reports, terminal = kind_of(config), root / config.getini("reports"), Terminal(verbose=verbose)
    lock = RunLock(reports)
    lock.acquire(terminal.progress)
    config.add_cleanup(lock.release)
    if options.image and kind != "rescan":
        _look_for(options.image)
    config.add_cleanup(_end_in_good_order())
    mark_children()
    folder = folder_of(kind, reports)
    started = datetime.now(UTC)
    dated = reports / "runs" / started.strftime("%Y%m%dT%H%M%S.%fZ") / "evidence"
    kept = dated if kind in {"full", "promotion"} else None
    store = EvidenceStore(folder / "evidence", options.target, Redactor(), kept=kept)
    local_state = root / config.getini("local_state")
    run = Run(kind, folder, release, options, store, terminal, root, reports, local_state, started)
    run.key = key
    run.configuration = configuration_of(config, release, options)
    run.upkeep = upkeep(*(config.getini(key) for key in ("keep_runs", "keep_nights", "on_not_clean")))
    if options.target == "aws":
        from gate.run.preflight import identify

        try:
            # Before anything is cleared or written: with wrong credentials, yesterday's evidence stays.
            identify(run)
        except WrongUse as error:
            if kind != "rescan":
                raise
            # A nightly rescan is not watched: it ends with a verdict and does not leave yesterday's in place.
            run.facts.unidentified = error
    _look_for_accepted(run)
    begin(run)
    switch_on(config.option, folder)
    config.stash[RUN] = run
    config.pluginmanager.register(AcceptancePlugin(run, Path(config.rootpath, "features")), PLUGIN)
    config.pluginmanager.register(Ending(run), f"{PLUGIN}-ending")
    title = f"Release gate: {release.repository} {release.release_tag}"
    config.pluginmanager.register(HtmlReport(title, lambda: page_of(run)), f"{PLUGIN}-report")
    return run


def _refuse_without_plugins(config: pytest.Config) -> None:
    absent = [name for name in _PLUGINS if not config.pluginmanager.hasplugin(name)]
    if absent:
        raise WrongUse(f"pytest was started without its plugins {', '.join(absent)}, which the gate needs",
                       remedy="unset PYTEST_DISABLE_PLUGIN_AUTOLOAD, and leave out `-p no:…`")  # fmt: skip


def _asked_for(config: pytest.Config) -> tuple[Release, command_line.Options]:
    command_line.refuse_empty(config)
    tag = config.getoption("--promote") or config.getoption("--release-tag")
    release = settings.read(reader(config), release_tag=tag)
    return release, command_line.read(config, release.image_context, folder_of_release(config))


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

    with suppress(EngineUnavailable):
        engine = connect(LOOK_SECONDS)
        try:
            engine.image(image)
        except ImageUnavailable as absent:
            raise WrongUse(f"--image names no image of this Docker engine: {plain(image)}; build or pull it first, "
                           "or correct the reference") from absent  # fmt: skip
        finally:
            engine.close()


def plan(config: pytest.Config) -> int:
    """Say what the run would do, as `--plan` asks; nothing is begun. Returns the exit code.

    Raises:
        pytest.UsageError: wrong use, in one sentence.
    """
    from gate.publish.plan import plan_text

    try:
        release, options = _asked_for(config)
    except GateError as error:
        raise pytest.UsageError(str(error)) from error
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
