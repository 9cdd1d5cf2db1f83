"""Two reports as pytest-html really writes them, and what a browser saw of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gate.engine import connect
from tests.report.browser import look_at
from tests.report.sample import SAMPLES

_ROOT = Path(__file__).resolve().parents[2]
_PICTURES = _ROOT / ".cache" / "report-pictures"
_TESTS = """
import pytest

def test_that_passes(): pass

def test_that_fails():
    print("<script>alert(1)</script>" * 20)
    assert "<img src=x onerror=alert(1)>" == ""

@pytest.mark.skip(reason="<b>only AWS</b>")
def test_that_is_not_run(): pass
"""


@pytest.fixture(scope="session")
def reports(tmp_path_factory) -> dict[str, Path]:
    """The report of each sample: a small pytest run around it."""
    return {name: _produced(name, tmp_path_factory.mktemp(name)) for name in SAMPLES}


def _produced(name: str, folder: Path) -> Path:
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_sample.py").write_text(_TESTS)
    quietly = [sys.executable, "-m", "pytest", "-q", "-p", "tests.report.produce"]
    command = [*quietly, "-c", str(folder / "pytest.ini"), str(folder)]
    done = subprocess.run(
        command, cwd=_ROOT, env={**os.environ, "REPORT_SAMPLE": name}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stdout + done.stderr  # one of the three tests fails
    return folder / "report.html"


@pytest.fixture(scope="session")
def seen(reports) -> dict:
    """What the release image's Chrome saw of them; the screenshots stay in .cache/report-pictures/."""
    engine = connect()
    try:
        return look_at(engine, reports, _PICTURES)
    finally:
        engine.close()
