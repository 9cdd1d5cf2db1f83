"""Facts of a candidate that are gathered side by side: each once, and the function's initialisation undisturbed."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from gate import candidate as rooms
from gate.cached_property import CachedProperty
from gate.candidate import Candidate
from gate.errors import SandboxFailure
from gate.image.base import Base

PATIENCE = 5.0


class Asked:
    """Counts how often it was computed; the first computation waits until a second thread has asked too."""

    def __init__(self):
        self.times = 0
        self.both = threading.Barrier(2)

    @CachedProperty
    def fact(self):
        """A fact."""
        self.times += 1
        threading.Event().wait(0.05)
        return object()

    @CachedProperty
    def flaw(self):
        """A fact whose first computation fails."""
        self.times += 1
        if self.times == 1:
            raise ValueError("not now")
        return self.times

    def ask(self):
        """Both threads at once."""
        self.both.wait(PATIENCE)
        return self.fact


def test_two_threads_that_ask_at_once_get_the_same_fact():
    """It is computed once; functools.cached_property no longer ensures that."""
    asked = Asked()
    with ThreadPoolExecutor(2) as threads:
        first, second = threads.submit(asked.ask), threads.submit(asked.ask)
        assert first.result(PATIENCE) is second.result(PATIENCE)
    assert asked.times == 1
    assert Asked.fact.__doc__ == "A fact."


def test_what_raised_is_asked_again():
    """An error reaches the caller and is not kept."""
    asked = Asked()
    with pytest.raises(ValueError, match="not now"):
        _ = asked.flaw
    assert (asked.flaw, asked.flaw, asked.times) == (2, 2, 2)


@pytest.fixture
def begun(monkeypatch):
    """A candidate whose slow facts only record that they were begun, in order."""
    order: list[str] = []
    release = SimpleNamespace(
        event=None, memory_mb=512, function_name="function", region="region", task_root="/var/task", absent_parts={}
    )
    found = Candidate(SimpleNamespace(), release, Base("base", ("base",), "simulated"), "image", None, None, None)
    found.__dict__["image"] = SimpleNamespace(image_id="sha256:0", engine_id="sha256:0")
    for name in (*rooms._SLOW_FACTS, "probe_run", "sbom"):
        monkeypatch.setattr(Candidate, name, property(lambda _, name=name: order.append(name)))
    yield found, order
    found.close()


def test_nothing_else_begins_before_the_function_is_initialised(begun, monkeypatch):
    """A limit applies to the duration of initialisation, and other work would lengthen it."""
    found, order = begun

    def run_handler(*_, initialised, **__):
        order.append("initialising")
        threading.Event().wait(0.1)
        order.append("initialised")
        initialised()

    monkeypatch.setattr(rooms, "run_handler", run_handler)
    found.prefetch()
    found._threads.shutdown()
    assert order[:2] == ["initialising", "initialised"]
    assert set(order[2:]) == {*rooms._SLOW_FACTS, "probe_run", "sbom"}


def test_a_sandbox_that_fails_holds_nothing_up(begun, monkeypatch):
    """The other facts are gathered, and whoever asks for the run gets the error."""
    found, order = begun

    def run_handler(*_, **__):
        raise SandboxFailure("the sidecar did not start", where="here")

    monkeypatch.setattr(rooms, "run_handler", run_handler)
    found.prefetch()
    found._threads.shutdown()
    assert "sbom" in order
    with pytest.raises(SandboxFailure, match="the sidecar did not start"):
        _ = found.handler_run


def test_a_part_of_the_scenarios_runs_no_sandbox(begun, monkeypatch):
    """A scenario that needs the sandbox starts it."""
    found, order = begun
    monkeypatch.setattr(rooms, "run_handler", lambda *_, **__: order.append("a sandbox"))
    found.prefetch(whole=False)
    found._threads.shutdown()
    assert set(order) == set(rooms._SLOW_FACTS)


@pytest.mark.parametrize(
    ("absent", "left_out"),
    [
        ({"browser", "driver"}, {"probe_run", "chrome_version", "chrome_pin", "driver_version", "driver_pin"}),
        ({"driver"}, {"probe_run", "driver_version", "driver_pin"}),
        ({"zip_function"}, set()),
    ],
)
def test_nothing_is_gathered_about_what_is_no_part(begun, monkeypatch, absent, left_out):
    """No browser is started in an image that has none."""
    found, order = begun
    found.release.absent_parts = dict.fromkeys(absent, "it is none")
    monkeypatch.setattr(rooms, "run_handler", lambda *_, initialised, **__: initialised())
    found.prefetch()
    found._threads.shutdown()
    assert set(order) == {*rooms._SLOW_FACTS, "probe_run", "sbom"} - left_out
