"""The gate's own look at a page: once more where Chrome itself died, and never more than that."""

from dataclasses import replace

import pytest

from gate.browser import run
from gate.browser.page_checks import _example, opens_page
from gate.runtime.report import Fault, Settings

GONE = Fault("InvalidSessionIdException", "session deleted from disconnected: not connected to DevTools")
BROKEN = Fault("SessionNotCreatedException", "error while loading shared libraries: libnss3.so")


def looks(monkeypatch, *faults):
    """What the probe comes to when its looks end so, and how many were made."""
    left, made = list(faults), []

    def look(*_arguments):
        fault = left.pop(0)
        made.append(fault)
        return replace(_example(), outcome="failed" if fault else "answered", fault=fault)

    monkeypatch.setattr(run, "_look", look)
    return run.run_probe(None, "image", Settings(512)), len(made)


@pytest.mark.parametrize(
    ("faults", "made", "accepted"),
    [((None,), 1, True), ((GONE, None), 2, True), ((GONE, GONE), 2, False), ((BROKEN,), 1, False)],
    ids=["opens the page", "died once", "dies each time", "cannot start"],
)
def test_a_browser_that_died_is_asked_once_more(monkeypatch, faults, made, accepted):
    """What cannot run at all is not asked again; that it died once is on record."""
    found, count = looks(monkeypatch, *faults)
    assert (count, opens_page(found).accepted) == (made, accepted)
    assert found.died_before == (GONE if made > 1 else None)
