"""What `make bench` says of a measurement: whether it is held, and what is worse than its limit."""

import json

import pytest

from bench import results, work
from bench.results import ALONE, COLLECTING, MEMORY, TEST, Measurements
from bench.scale import WORK, exponent, measured


@pytest.fixture
def measurements(tmp_path, monkeypatch):
    """An empty file of measurements, with a comparison and something that grows."""
    monkeypatch.setattr(results, "FILE", tmp_path / "RESULTS.md")
    results.FILE.write_text("")
    return Measurements({"a": 1.0}, ["b"])


def test_a_row_within_its_limit_is_held(measurements):
    """A ratio, a figure, and linear growth."""
    measurements.compare("a", 9.0, 10.0, 5)
    measurements.alone(COLLECTING, 0.9)
    measurements.grows("b", [(10, 1.0, 50), (20, 2.0, 60)], 20)
    assert measurements.worse == []
    assert "| a | 9.0 s | 10.0 s | 0.90 | 1.00, held | 5 |" in results.FILE.read_text()


def test_a_row_beyond_its_limit_is_said_and_kept_until_it_is_measured_again(measurements):
    """Also by the next run, which measures less."""
    measurements.compare("a", 11.0, 10.0, 5)
    measurements.alone(MEMORY, ALONE[MEMORY][1] + 1)
    measurements.grows("b", [(10, 1.0, 50), (20, 4.0, 60)], 20)
    assert set(measurements.worse) == {"a", "b", MEMORY}
    later = Measurements({"a": 1.0}, ["b"])
    later.compare("a", 9.0, 10.0, 5)
    assert set(later.worse) == {"b", MEMORY}


def test_what_is_extended_counts_with_its_memory(measurements):
    """A size that was not measured is said to be extended."""
    measurements.grows("b", [(10, 1.0, 50), (20, 2.0, 60)], 1_000)
    assert "extended to 1,000: 100 s, 1040 MiB" in results.FILE.read_text()
    assert measurements.worse == ["b"]


def test_where_the_time_of_a_late_command_goes_is_said_while_it_is_late(measurements):
    """And no longer, once it is within its limit."""
    measurements.alone(TEST, ALONE[TEST][1] + 1)
    measurements.why(TEST, "", {"faults": 300.0, "runtime": 20.5})
    assert "| time of `make test` | faults 300.0, runtime 20.5 |" in results.FILE.read_text()
    measurements.alone(TEST, 1.0)
    assert "| time of" not in results.FILE.read_text()


def test_the_time_of_the_tests_is_summed_by_folder(tmp_path, monkeypatch):
    """The longest first, and no more than are read with ease."""
    cases = [("faults.test_a", 2), ("faults.test_b", 1.5), *((f"f{n}.test", 1 / n) for n in range(1, 20))]
    named = "".join(f'<testcase classname="{name}" time="{took}"/>' for name, took in cases)
    monkeypatch.setattr(work, "_TESTS", tmp_path / "tests.xml")
    (tmp_path / "tests.xml").write_text(f"<testsuites><testsuite>{named}</testsuite></testsuites>")
    found = work.slowest_folders()
    assert list(found.items())[:2] == [("faults", 3.5), ("f1", 1.0)]
    assert len(found) == 8


def test_the_exponent_is_that_of_the_growth():
    """Linear, and quadratic."""
    assert exponent([(n, 0.1 * n) for n in (10, 20, 40)]) == pytest.approx(1)
    assert exponent([(n, 0.1 * n * n) for n in (10, 20, 40)]) == pytest.approx(2)


@pytest.mark.slow
@pytest.mark.parametrize("name", WORK)
def test_each_work_can_be_measured(name):
    """At a small size; what it makes is accepted by what it measures."""
    seconds, mebibytes = measured(name, 60)
    assert json.dumps([seconds, mebibytes])
    assert seconds > 0
