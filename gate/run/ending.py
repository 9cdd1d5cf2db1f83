"""The end of a run, however it comes: decided, written to the disk, and only then said."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from gate.errors import GateError
from gate.report.view import headline
from gate.run.model import Results, Run
from gate.run.results import REPORT, conclude, finish, withdraw

# What a person did or can mend: told in one line. Anything else is a defect of the gate, and its traceback is seen.
_TOLD = (OSError, GateError, KeyboardInterrupt)


class Ending:
    """Hooks around the last things that pytest does. Until they have passed, verdict.json says INCOMPLETE."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def pytest_keyboard_interrupt(self) -> None:
        """The run was cut short."""
        self.run.trouble.append("the run was interrupted before its end")

    def pytest_internalerror(self, excrepr: Any) -> None:
        """Pytest itself, or a plugin, crashed."""
        self.run.trouble.append(f"the test runner crashed: {str(excrepr).splitlines()[-1]}")

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, Any, None]:
        """Decide before the HTML report is rendered; seal the evidence after; say it when it is on the disk."""
        session.exitstatus = 1
        with self._writing():
            self.run.results = conclude(self.run)
        ending = yield
        if ending.exception:
            self._unfinished(ending.exception)
        if isinstance(ending.exception, _TOLD):
            ending.force_result(None)
        with self._writing():
            finish(self.run)
        if self.run.results:
            session.exitstatus = self.run.results.verdict.exit_code
            self._say(self.run.results)

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
        path = run.folder.relative_to(run.root) if run.folder.is_relative_to(run.root) else run.folder
        run.terminal.verdict(results.verdict, run.outcomes, headline(run), str(path / REPORT))
