"""What must hold before anything is pushed: every judge of AC1 and AC6, whatever scenarios were selected."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from operator import add

from gate.browser import judges as browser
from gate.browser import programs
from gate.candidate import Candidate
from gate.image import contract, divergence, files, lineage, packages, python, secrets, size
from gate.image.dockerfile import bases_approved
from gate.judgement import ACCEPTED, Judgement
from gate.runtime import judges as runtime
from gate.runtime.answers import answers_hold

SIZE_LIMIT_GB, INIT_LIMIT_SECONDS, INVOCATIONS, TMP_LIMIT_MB = 10, 10.0, 5, 50


def _warm(candidate: Candidate) -> Judgement:
    run = candidate.handler_run
    memory = runtime.memory_suffices(run.footprint)
    if candidate.release.event is None:
        # A foreign handler is initialised and never invoked; its claim about invocations stays "not run".
        return memory
    success = memory + runtime.invocations_succeed(run, INVOCATIONS) + answers_hold(run, candidate.release.answer)
    if not success.accepted:
        return success  # what failed invocations left behind is their consequence
    return runtime.leaves_no_process(run) + runtime.tmp_grows_below(run, TMP_LIMIT_MB)


def _bases(candidate: Candidate) -> Judgement:
    if candidate.built is None:
        # Nothing shows which Dockerfile made it; the claim about its FROM lines stays "not run".
        return ACCEPTED
    return bases_approved(candidate.from_lines, candidate.approved_bases)


CONDITIONS: Mapping[str, Callable[[Candidate], Judgement]] = {
    "it stands on the approved base": lambda c: lineage.descends_from(c.image.layers, c.base.layers, c.base_reference),
    "its variables name the agreed paths": lambda c: contract.names_paths(c.image.env, c.browser_paths),
    "the paths lead to programs": lambda c: reduce(
        add, (files.is_program(c.tree, name, path) for name, path in c.browser_paths.items())
    ),
    "Chrome and Chromedriver fit each other": lambda c: programs.share_major(c.chrome_version, c.driver_version),
    "each is the pinned one": lambda c: (
        programs.is_pinned(c.chrome_version, c.chrome_pin) + programs.is_pinned(c.driver_version, c.driver_pin)
    ),
    "no library is missing": lambda c: reduce(
        add, (programs.libraries_complete(c.libraries(name)) for name in c.browser_paths)
    ),
    "the pinned requirements are there": lambda c: packages.pins_installed(c.pins, c.interpreter.packages),
    "CMD is the agreed handler": lambda c: contract.handler_is(c.image.cmd, c.release.handler),
    "the handler imports": lambda c: python.handler_imports(c.handler_import),
    "Chrome opens a page": lambda c: browser.opens_page(c.probe_run) + browser.secret_returns(c.probe_run),
    "Korean is drawn": lambda c: browser.korean_is_drawn(c.probe_run),
    "the function initialises in time": lambda c: (
        runtime.initialises(c.handler_run) + runtime.starts_within(c.handler_run, INIT_LIMIT_SECONDS)
    ),
    "warm invocations succeed": _warm,
    "it is below the size limit": lambda c: size.below(c.image.size_bytes, SIZE_LIMIT_GB, "uncompressed"),
    "it is for the agreed platform": lambda c: lineage.platform_is(c.image.platform, c.release.platform),
    "it runs the agreed Python": lambda c: python.python_is(c.interpreter.version, c.release.python_version),
    "every FROM is approved": _bases,
    "it starts as its base starts": lambda c: contract.starts_like(c.startup, c.base_startup),
    "the base's own files are unchanged": lambda c: divergence.base_unchanged(
        c.layers, c.base_layers, c.base.env.get("LD_LIBRARY_PATH", "")
    ),
    "the agreed paths exist": lambda c: files.all_exist(c.tree, c.release.required_paths),
    "every file can be read": lambda c: files.readable_by_all(c.tree, files.used_folders(c.image.env)),
    "Python starts nothing foreign": lambda c: python.starts_nothing_foreign(
        c.interpreter.hooks, c.records, c.base_digests, c.release.startup_hooks
    ),
    "no development package is in it": lambda c: packages.no_development_packages(
        c.interpreter.packages.versions, c.release.development_packages
    ),
    "no secret is in it": lambda c: secrets.no_secret(c.image.env, c.history, c.layers, c.base_layers),
}


def holds(candidate: Candidate) -> Judgement:
    """The judgement of AC1 and AC6 over an image.

    Raises:
        GateError: a fact could not be had; then nothing may be pushed either.
    """
    said = (rejection for condition in CONDITIONS.values() for rejection in condition(candidate).rejections)
    return Judgement.of(dict.fromkeys(said))
