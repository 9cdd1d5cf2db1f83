"""The pytest plugins of an acceptance run: one follows every scenario, one ends the run with a verdict on disk."""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from gate.causes import ScenarioFailure, causes, failure_of, skip_reason
from gate.check import run_self_tests
from gate.errors import GateError
from gate.evidence.recorder import EvidenceRecorder
from gate.publish.preconditions import arranged
from gate.report.sarif import error_commands
from gate.report.view import headline
from gate.run.model import Results, Run
from gate.run.results import REPORT, VERDICT, conclude, finish, sources, withdraw
from gate.run.upkeep import Upkeep
from gate.scenarios.absent_parts import ReleaseParts
from gate.scenarios.features import HOME, Scenario, expected_names, is_due, read_lock, scenarios_of
from gate.verdict import NotPart, ScenarioOutcome

# What a person did or can mend is said in one line. Anything else is a defect of the gate, and its traceback is shown.
_TOLD = (OSError, GateError, KeyboardInterrupt)


class AcceptancePlugin:
    """Hooks only; what they decide is decided in `gate.verdict` and `gate.run.results`."""

    def __init__(self, run: Run, features: Path) -> None:
        self.run = run
        self._parts = ReleaseParts(run.release)
        self._scenarios = self._parts.titled(scenarios_of(features))
        due = (each for each in self._scenarios.values() if not run.promotes or is_due(each.tags, run.kind))
        run.scenarios = self._parts.kept(due)
        self._recorders: dict[str, EvidenceRecorder] = {}
        self._failures: dict[str, ScenarioFailure] = {}
        self._recorder: EvidenceRecorder | None = None
        self._began = 0.0

    # --- before anything else ---------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Begin nothing that is known to end half-way."""
        from gate.access import reviewed_files
        from gate.run import preflight

        beyond_the_image = not all(self._scenario(item).about_the_image for item in session.items)
        refused = reviewed_files.consistent(self.run).rejections if beyond_the_image else ()
        refused = refused or preflight.permissions(self.run).rejections
        self.run.errors += map(str, refused)
        return True if refused else None

    # --- collection -------------------------------------------------------------------------------

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> Generator[None, Any, None]:
        """Find the scenario of each test, skip in a rehearsal what only AWS can prove, and put all in order.

        What is about no part of this release is left out, with the reason.
        """
        if self.run.promotes:
            items[:] = [item for item in items if is_due(self._scenario(item).tags, self.run.kind)]
        every = list(items)
        for item in every:
            scenario = self._scenario(item)
            item.user_properties.append(("acceptance_criterion", scenario.criterion))
            if "aws" in scenario.tags and self.run.exception_scope == "local":
                reason = scenario.description or "only AWS can prove it"
                item.add_marker(pytest.mark.skip(reason=reason))
        yield
        self.run.not_part = tuple(found for item in items if (found := self._not_part(item)))
        every, items[:] = ([item for item in some if not self._not_part(item)] for some in (every, items))
        if self.run.publishes:
            chosen = len(items)
            items[:] = arranged(every, items, self._scenario)
            if more := len(items) - chosen:
                self.run.terminal.say(f"{more} more scenarios are checked: they must hold before the rest")

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Know what a whole run holds, and see every check reject a known-bad input before its yes is believed."""
        if self.run.kind != "partial":
            # What is pinned and not there is missing from the run.
            kind, every = self.run.kind, self._scenarios.values()
            expected = expected_names(every, kind) | {*map(self._parts.title, read_lock(HOME).names(kind))}
            self.run.expected = expected - {each.name for each in self._parts.left_out(every)}
        self.run.proofs = run_self_tests()
        self.run.selected = sum(self._scenario(item).about_the_image for item in session.items)
        self.run.terminal.begin(len(session.items))
        self.run.timeline.collected()

    def _scenario(self, item: pytest.Item) -> Scenario:
        return self._scenarios[getattr(item, "obj").__doc__]  # noqa: B009 - Item has no `obj` for the type checker

    def _not_part(self, item: pytest.Item) -> NotPart | None:
        return self._parts.not_part(self._scenario(item), _row(item))

    # --- one scenario -----------------------------------------------------------------------------

    def recorder(self, item: pytest.Item) -> EvidenceRecorder:
        """The evidence recorder of a test, made at first use."""
        scenario = self._scenario(item)
        name = scenario.titles[_row(item)]
        provenance = "real" if scenario.about_the_image else self.run.provenance
        return self._recorders.setdefault(item.nodeid, EvidenceRecorder(self.run.store, scenario, name, provenance))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """A scenario begins."""
        self._began = time.monotonic()
        self._recorder = self.recorder(item)

    def pytest_bdd_before_step(self, step: Any) -> None:
        """A step begins; its fixtures are set up within it."""
        if self._recorder:
            self._recorder.step_begins(step)
            self.run.terminal.waiting_for(f"{step.keyword.strip()} {step.name}")

    def pytest_bdd_after_step(self) -> None:
        """A step has passed."""
        self.run.terminal.done_waiting()
        if self._recorder:
            self._recorder.step_ends("passed")

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, None]:
        """Put our message in place of a traceback, and record the outcome of the scenario."""
        result = yield
        report = result.get_result()
        self.run.terminal.done_waiting()
        if report.failed and call.excinfo:
            criterion, redact = self.recorder(item).scenario.criterion, self.run.store.redactor.text
            failure = failure_of(call.excinfo.value, criterion, redact)
            report.longrepr = failure.message
            self._note_failure(item, failure)
        if report.when == "call" or (report.when == "setup" and not report.passed):
            self._conclude(item, report)
        elif report.when == "teardown" and report.failed:
            self.run.errors.append(f"cleaning up after {item.name} failed: {report.longrepr}")

    def _note_failure(self, item: pytest.Item, failure: ScenarioFailure) -> None:
        self._failures[item.nodeid] = failure
        self.recorder(item).step_ends("failed")
        if failure.traceback:
            self.recorder(item).add("traceback of the gate's own failure", failure.traceback, asked=item.nodeid)

    def _conclude(self, item: pytest.Item, report: pytest.TestReport) -> None:
        recorder, failure = self.recorder(item), self._failures.get(item.nodeid)
        reason = failure.message if failure else skip_reason(report) if report.skipped else ""
        outcome = ScenarioOutcome(
            name=recorder.name,
            criterion=recorder.scenario.criterion,
            status="failed" if report.failed else "not run" if report.skipped else "passed",
            reason=self.run.store.redactor.text(reason),
            provenance=recorder.provenance,
            only_aws=bool(recorder.scenario.tags & {"aws", "online"}) or recorder.only_aws,
            checked=failure.checked if failure else True,
            seconds=time.monotonic() - self._began,
            steps=tuple(recorder.steps),
            rejections=failure.rejections if failure else (),
            blocked_by=failure.blocked_by if failure else (),
        )
        self.run.outcomes.append(outcome)
        self.run.terminal.scenario(outcome)

    def pytest_report_teststatus(self, report: Any) -> tuple[str, str, str] | None:
        """Our own line says it; pytest's letters stay away."""
        when = getattr(report, "when", "")
        if not when:
            return None
        counts = when == "call" or not report.passed
        return (report.outcome if counts else "", "", "")


def _row(item: pytest.Item) -> str:
    """The row of an outline that a test is about, by its id in pytest; "" for a plain scenario."""
    callspec = getattr(item, "callspec", None)
    return callspec.id if callspec else ""


class Ending:
    """Hooks around the last things that pytest does. Until they have passed, verdict.json says INCOMPLETE."""

    def __init__(self, run: Run, upkeep: Upkeep) -> None:
        self.run, self.upkeep = run, upkeep

    def pytest_keyboard_interrupt(self) -> None:
        """The run was cut short."""
        self.run.errors.append("the run was interrupted before its end")

    def pytest_internalerror(self, excrepr: Any) -> None:
        """Pytest itself, or a plugin, crashed."""
        self.run.errors.append(f"the test runner crashed: {str(excrepr).splitlines()[-1]}")

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, Any, None]:
        """Decide before the HTML report is rendered; seal the evidence after; say it when it is on the disk."""
        session.exitstatus = 1
        with self._writing():
            self.upkeep.note(self.run)
            self.run.results = conclude(self.run)
        with self.run.timeline.part("page"):
            ending = yield
        if ending.exception:
            self._unfinished(ending.exception)
        if isinstance(ending.exception, _TOLD):
            ending.force_result(None)
        with self.run.at_end:
            if self.run.results:
                with self._writing(), self.run.timeline.part("seal"):
                    self.upkeep.remove_old(self.run)
                    finish(self.run, self.run.results)
            if self.run.results:
                session.exitstatus = self.run.results.verdict.exit_code
                if self.run.key:
                    from gate.attestation.attach import attach_run  # its libraries take half a second to import

                    attach_run(self.run)
                self._say(self.run.results)
        self.upkeep.tell(self.run, self.run.folder / VERDICT)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except _TOLD as refused:
            self._unfinished(refused)

    def _unfinished(self, error: BaseException) -> None:
        reason = f"the run could not be concluded: {type(error).__name__} {error}".rstrip()
        self.run.results = None
        withdraw(self.run, reason)
        self.run.terminal.say(f"INCOMPLETE  {reason}")

    def _say(self, results: Results) -> None:
        run = self.run
        here = run.folder.is_relative_to(run.root) and not run.options.release_folder
        path = run.folder.relative_to(run.root) if here else run.folder
        run.terminal.verdict(results.verdict, run.outcomes, headline(run), str(path / REPORT), run.not_part)
        run.terminal.say(run.timeline.line(run.facts.candidate))
        if os.environ.get("GITHUB_ACTIONS") == "true":
            run.terminal.commands(error_commands(causes(run.outcomes), sources(run)))
