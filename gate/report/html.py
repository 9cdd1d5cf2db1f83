"""The bridge to pytest-html: our page leads its report, and what its template lacks is mended."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_metadata.plugin import metadata_key  # type: ignore[import-not-found,import-untyped,unused-ignore]

from gate.evidence.store import write_whole
from gate.report.page import STYLE

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; base-uri 'none'"
_HEAD = (
    f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}; form-action \'none\'">'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
)


class HtmlReport:
    """Hooks of pytest-html. `page` renders our part once the verdict is known."""

    def __init__(self, title: str, page: Callable[[], str]) -> None:
        self._title = title
        self._page = page

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_report_title(self, report: Any) -> None:
        """Name the release, not the file."""
        report.title = self._title

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Give the environment as lines of text: pytest-html nests lists in a way that no screen reader follows."""
        known: dict[str, Any] = session.config.stash.get(metadata_key, {})
        for name, value in known.items():
            if isinstance(value, dict):
                known[name] = ", ".join(f"{part} {version}" for part, version in value.items())

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_summary(self, prefix: list[str]) -> None:
        """Put our page first."""
        prefix.append(self._page())


def switch_on(option: Any, folder: Path) -> None:
    """Ask pytest-html and junitxml for their files in a run's folder."""
    option.htmlpath = str(folder / "report.html")
    option.self_contained_html = True
    option.css = [*(option.css or []), str(STYLE)]
    option.xmlpath = str(folder / "junit.xml")


def mend(path: Path) -> None:
    """Give pytest-html's page what its template lacks: a language, a viewport, named filters, no access to a network.

    The policy makes the browser itself refuse whatever the page would ask of a server.
    """
    html = path.read_text(encoding="utf-8")
    html = html.replace("<html>", '<html lang="en">', 1)
    html = html.replace('<meta charset="utf-8"/>', f'<meta charset="utf-8"/>{_HEAD}', 1)
    html = re.sub(r'<a href="https://pypi\.[^"]*">([^<]*)</a>', r"\1", html, count=1)
    html = re.sub(r'data-test-result="([a-z]+)"', r'data-test-result="\1" aria-label="show \1 tests"', html)
    write_whole(path, html.encode())
