"""What grows from call to call and what does not, on recorded series of both kinds."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import yaml

from gate.runtime import invocation_checks
from gate.runtime.growth import MIB, growth, more_calls_needed, series_of
from gate.runtime.report import ContainerProcess, Footprint, HandlerRun, Init, Invocation, ResourceSample, Settings

DATA = yaml.safe_load(Path(__file__).with_name("series.yaml").read_text(encoding="utf-8"))
GROWS, STAYS = DATA["grows"], DATA["does not grow"]
WORDS = {
    "tmp": "MB with each call",
    "memory": "memory",
    "threads": "processes and threads",
    "descriptors": "open files of python3",
}


def run_with(of: str, levels: list[float], memory_mb: int = 512) -> HandlerRun:
    """A run in which this one thing had these levels, and nothing else moved."""
    done = tuple(Invocation(n, "answered", 2.0, "{}", after=_sample(of, each)) for n, each in enumerate(levels, 1))
    return HandlerRun(Settings(memory_mb), Init("answered", 0.5), _sample(of, levels[0]), done,
                      Footprint(memory_mb, None, False, None, None, ""))  # fmt: skip


def _sample(of: str, level: float) -> ResourceSample:
    threads, files = (int(level) if of == each else 6 for each in ("threads", "descriptors"))
    runtime = ContainerProcess(1, 0, "S", "python3", threads, files)
    tmp, memory = (round(level * MIB) if of == each else 60 * MIB for each in ("tmp", "memory"))
    return ResourceSample((runtime,), tmp, None, 0, memory)


def name(entry: dict[str, Any]) -> str:
    """What a test is called."""
    return f"{entry['series']} ({entry['from']}, {entry['of']})"


@pytest.mark.parametrize("entry", GROWS, ids=name)
def test_what_grows_is_refused_with_the_call_that_finds_it_full(entry: dict[str, Any]) -> None:
    """The thing, its step, its levels and the number of calls are named."""
    run = run_with(entry["of"], entry["levels"])
    (only,) = invocation_checks.nothing_grows(run).rejections
    assert WORDS[entry["of"]] in only.cause
    assert "with each call" in only.cause
    assert f"after {entry['full']:,} calls it is at Lambda's limit of " in only.cause
    assert only.cause.count(" → ") == len(entry["levels"]) - 1


@pytest.mark.parametrize("entry", STAYS, ids=name)
def test_what_does_not_grow_is_accepted(entry: dict[str, Any]) -> None:
    """Noise, warm-up, a collector's saw-tooth, a plateau, and what an environment does not live to see full."""
    assert invocation_checks.nothing_grows(run_with(entry["of"], entry["levels"])).accepted


@pytest.mark.parametrize("entry", [each for each in GROWS + STAYS if each["from"] == "measured"], ids=name)
def test_more_calls_were_made_only_where_five_cannot_tell(entry: dict[str, Any]) -> None:
    """The recorded series of ten are those that the sandbox went on with; the released handler was asked for ten."""
    five = [each.after for each in run_with(entry["of"], entry["levels"][:5]).invocations if each.after]
    asked_for = entry["series"] in ("the released handler", "5 kB more in a log")
    assert more_calls_needed(five, Settings(512)) is (len(entry["levels"]) == 10 and not asked_for)


def test_no_more_than_ten_calls_are_made() -> None:
    """Whatever the first ten show; nor more than five where further calls would run into the limit."""
    ten = [each.after for each in run_with("memory", [60.0 + n for n in range(10)]).invocations if each.after]
    assert not more_calls_needed(ten, Settings(512))
    assert not more_calls_needed(ten[:4], Settings(512))
    assert more_calls_needed(ten[:5], Settings(512))
    assert not more_calls_needed(ten[:5], Settings(75))


def test_growth_that_five_calls_only_suggest_is_not_accepted() -> None:
    """Where no more calls could be made, the message says that they are too few."""
    (only,) = invocation_checks.nothing_grows(run_with("memory", [60, 60, 61, 69, 70])).rejections
    assert "may grow with each call" in only.cause
    assert "too few calls were made to tell" in only.cause


def test_a_leak_beside_another_browser_is_seen_in_its_own_process() -> None:
    """A browser that is kept open holds many files; each process is counted separately."""
    samples = [
        ResourceSample(
            (ContainerProcess(1, 0, "S", "python3", 2, 7 + n), ContainerProcess(9, 1, "S", "chrome", 30, 180 - n)),
            0,
            None,
            0,
            MIB,
        )
        for n in range(10)
    ]
    done = tuple(Invocation(n, "answered", 2.0, "{}", after=after) for n, after in enumerate(samples, 1))
    said = invocation_checks.nothing_grows(
        HandlerRun(Settings(512), Init("answered", 0.5), None, done, Footprint(512, None, False, None, None, ""))
    )
    assert [each.cause.partition(" grows")[0] for each in said.rejections] == [
        "the number of open files of python3 (pid 1)"
    ]


def test_small_memory_does_not_make_the_allocator_a_leak() -> None:
    """Twenty kilobytes with each call are no leak at 128 MB either; half a megabyte is."""
    assert invocation_checks.nothing_grows(run_with("memory", [20 + n / 50 for n in range(10)], 128)).accepted
    assert not invocation_checks.nothing_grows(run_with("memory", [20 + n / 2 for n in range(10)], 128)).accepted


@pytest.mark.parametrize("missing", ["memory", "sample", "all"])
def test_what_was_not_measured_is_not_accepted(missing: str) -> None:
    """What is unknown does not count as level."""
    run = run_with("tmp", [1, 1, 1, 1, 1])
    last = run.invocations[-1]
    unmeasured = ResourceSample((), 0, None, 0) if missing == "memory" else None
    done = () if missing == "all" else (*run.invocations[:-1], Invocation(5, "answered", 1.0, after=unmeasured))
    assert last.after is not None
    said = invocation_checks.nothing_grows(HandlerRun(run.settings, run.init, None, done, run.footprint))
    assert "could not be measured" in str(said.rejections[0])


def test_the_series_are_evidence() -> None:
    """Also those that grow too slowly to matter; of a run without an invocation there is none."""
    run = run_with("tmp", [0.008 + 0.004 * n for n in range(10)])
    slow = series_of(run)[0]
    assert (slow.growth.trend, slow.reaches_limit) == ("steady", False)
    assert slow.calls is not None
    assert slow.calls > 100_000
    assert series_of(HandlerRun(run.settings, run.init, None, (), run.footprint)) == ()


def test_noise_is_hardly_ever_growth() -> None:
    """Of a thousand series of pure noise, few pass for growth; a leak twice as large as its noise is always seen."""
    chance = random.Random(20)  # noqa: S311 - it is about noise
    noise = [[chance.gauss(80, 1) for _ in range(10)] for _ in range(1000)]
    leaks = [[level + 4 * n for n, level in enumerate(each)] for each in noise]
    assert sum(growth(each).trend == "steady" for each in noise) <= 8
    assert sum(growth(each).trend == "steady" for each in leaks) >= 995
    assert sum(growth(each[:5]).trend != "level" for each in leaks) >= 995
