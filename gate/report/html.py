"""The bridge to pytest-html: our page leads its report, and what its template lacks is mended."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gate.evidence.store import write_whole
from gate.report.page import STYLE


class HtmlReport:
    """Hooks of pytest-html. `page` renders our part once the verdict is known."""

    def __init__(self, title: str, page: Callable[[], str]) -> None:
        self._title = title
        self._page = page

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_report_title(self, report: Any) -> None:
        """Name the release, not the file."""
        report.title = self._title

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
    """Give pytest-html's page what its template lacks: a language, a viewport, named filters, no outside link."""
    html = path.read_text(encoding="utf-8")
    html = html.replace("<html>", '<html lang="en">', 1)
    html = html.replace('<meta charset="utf-8"/>', '<meta charset="utf-8"/><meta name="viewport" '
                        'content="width=device-width, initial-scale=1">', 1)  # fmt: skip
    html = re.sub(r'<a href="https://pypi\.[^"]*">([^<]*)</a>', r"\1", html)
    html = re.sub(r'data-test-result="([a-z]+)"', r'data-test-result="\1" aria-label="show \1 tests"', html)
    write_whole(path, html.encode())
