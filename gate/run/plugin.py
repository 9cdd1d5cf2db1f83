"""The pytest plugin of an acceptance run: follows every scenario and ends with a verdict on disk."""

from __future__ import annotations

import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from gate.check import run_self_tests
from gate.failure import ClaimFailure, failure_of, skip_reason
from gate.run import pinned
from gate.run.evidence_recorder import EvidenceRecorder
from gate.run.model import Run
from gate.run.scenarios import Scenario, catalogue, expected_names
from gate.run.stages import arranged
from gate.verdict import ScenarioOutcome

# AC1 and AC6 are about the image itself: it is really built and really run, whatever the target.
_ABOUT_THE_IMAGE = {1, 6}


class AcceptancePlugin:
    """Hooks only; what they decide is decided in `gate.verdict` and `gate.run.results`."""

    def __init__(self, run: Run, features: Path) -> None:
        self.run = run
        self._claims = catalogue(features)
        run.claims = tuple(self._claims.values())
        self._witnesses: dict[str, EvidenceRecorder] = {}
        self._failures: dict[str, ClaimFailure] = {}
        self._witness: EvidenceRecorder | None = None
        self._began = 0.0

    # --- before anything else ---------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Begin nothing that is known to end half-way."""
        from gate.run import consistency, preflight

        beyond_the_image = not all(_about_the_image(self._claim(item)) for item in session.items)
        refused = consistency.consistent(self.run).rejections if beyond_the_image else ()
        refused = refused or preflight.permissions(self.run).rejections
        self.run.trouble += map(str, refused)
        return True if refused else None

    # --- collection -------------------------------------------------------------------------------

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> Generator[None, Any, None]:
        """Give each test its claim, take out of a rehearsal what only AWS can prove, and put all in order."""
        every = list(items)
        for item in every:
            claim = self._claim(item)
            item.user_properties.append(("acceptance_criterion", claim.criterion))
            if "aws" in claim.tags and self.run.rules == "local":
                reason = claim.description or "only AWS can prove it"
                item.add_marker(pytest.mark.skip(reason=reason))
        yield
        if self.run.publishes:
            chosen = len(items)
            items[:] = arranged(every, items, self._claim)
            if len(items) > chosen:
                self.run.terminal.say(f"{len(items) - chosen} more claims are checked: they must hold before the rest")

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Know what a whole run holds, and see every check say no before any of them says yes."""
        if self.run.kind != "partial":
            rescan = self.run.kind == "rescan"
            # What is pinned and not there is missing from the run.
            pin = pinned.read(pinned.HOME)
            self.run.expected = expected_names(self._claims, rescan=rescan) | pin.names(rescan=rescan)
        self.run.proofs = run_self_tests()
        self.run.terminal.begin(len(session.items))

    def _claim(self, item: pytest.Item) -> Scenario:
        return self._claims[getattr(item, "obj").__doc__]  # noqa: B009 - Item has no `obj` for the type checker

    # --- one scenario -----------------------------------------------------------------------------

    def recorder(self, item: pytest.Item) -> EvidenceRecorder:
        """The evidence recorder of a test, made at first use."""
        claim = self._claim(item)
        callspec = getattr(item, "callspec", None)
        name = claim.titles[callspec.id if callspec else ""]
        provenance = "real" if _about_the_image(claim) else self.run.provenance
        return self._witnesses.setdefault(item.nodeid, EvidenceRecorder(self.run.store, claim, name, provenance))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """A claim begins."""
        self._began = time.monotonic()
        self._witness = self.recorder(item)

    def pytest_bdd_before_step(self, step: Any) -> None:
        """A step begins; its fixtures are set up within it."""
        if self._witness:
            self._witness.step_begins(step)
            self.run.terminal.waiting_for(f"{step.keyword.strip()} {step.name}")

    def pytest_bdd_after_step(self) -> None:
        """A step has passed."""
        self.run.terminal.done_waiting()
        if self._witness:
            self._witness.step_ends("passed")

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, None]:
        """Put our message in place of a traceback, and note what became of the claim."""
        result = yield
        report = result.get_result()
        self.run.terminal.done_waiting()
        if report.failed and call.excinfo:
            failure = failure_of(call.excinfo.value, self.recorder(item).claim.criterion)
            failure = failure.redacted(self.run.store.redactor.text)
            report.longrepr = failure.message
            self._note_failure(item, failure)
        if report.when == "call" or (report.when == "setup" and not report.passed):
            self._conclude(item, report)
        elif report.when == "teardown" and report.failed:
            self.run.trouble.append(f"cleaning up after {item.name} failed: {report.longrepr}")

    def _note_failure(self, item: pytest.Item, failure: ClaimFailure) -> None:
        self._failures[item.nodeid] = failure
        self.recorder(item).step_ends("failed")
        if failure.traceback:
            self.recorder(item).add("traceback of the gate's own failure", failure.traceback, asked=item.nodeid)

    def _conclude(self, item: pytest.Item, report: pytest.TestReport) -> None:
        recorder, failure = self.recorder(item), self._failures.get(item.nodeid)
        reason = failure.message if failure else skip_reason(report) if report.skipped else ""
        outcome = ScenarioOutcome(
            name=recorder.name,
            criterion=recorder.claim.criterion,
            status="failed" if report.failed else "not run" if report.skipped else "passed",
            reason=self.run.store.redactor.text(reason),
            provenance=recorder.provenance,
            only_aws=bool(recorder.claim.tags & {"aws", "online"}),
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


def _about_the_image(claim: Scenario) -> bool:
    return claim.criterion in _ABOUT_THE_IMAGE and "published" not in claim.tags
