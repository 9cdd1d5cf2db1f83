"""The gate's own look at a page: once more where Chrome itself died, and never more than that."""

from dataclasses import replace

import pytest

from gate.browser import run
from gate.browser.page_checks import _example, opens_page
from gate.runtime.report import ReportedError, Settings

GONE = ReportedError("InvalidSessionIdException", "session deleted from disconnected: not connected to DevTools")
BROKEN = ReportedError("SessionNotCreatedException", "error while loading shared libraries: libnss3.so")


def probed(monkeypatch, *errors):
    """The report when the attempts end in these errors, and how many were made."""
    left, made = list(errors), []

    def attempt(*_arguments):
        error = left.pop(0)
        made.append(error)
        return replace(_example(), outcome="failed" if error else "answered", error=error)

    monkeypatch.setattr(run, "_run_once", attempt)
    return run.run_probe(None, "image", Settings(512)), len(made)


@pytest.mark.parametrize(
    ("errors", "made", "accepted"),
    [((None,), 1, True), ((GONE, None), 2, True), ((GONE, GONE), 2, False), ((BROKEN,), 1, False)],
    ids=["opens the page", "died once", "dies each time", "cannot start"],
)
def test_a_browser_that_died_is_started_once_more(monkeypatch, errors, made, accepted):
    """A browser that cannot run is not started again; that one died once is recorded."""
    found, count = probed(monkeypatch, *errors)
    assert (count, opens_page(found).accepted) == (made, accepted)
    assert found.first_error == (GONE if made > 1 else None)
