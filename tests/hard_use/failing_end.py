"""A plugin (`-p tests.hard_use.failing_end`) that fails while the report is written, as $FAILING_END says."""

import os

import pytest

FAILURES = {
    "interrupted": KeyboardInterrupt(),
    "disk full": OSError(28, "No space left on device"),
    "defect": RuntimeError("a defect of the report"),
}


@pytest.hookimpl(optionalhook=True)
def pytest_html_results_summary():
    """The verdict is decided by now, and not yet on the disk."""
    raise FAILURES[os.environ["FAILING_END"]]
