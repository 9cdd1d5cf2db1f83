"""The catalogue is whole: every scenario has a fault, every failure of the real release is repeated."""

from collections import Counter

import pytest

from tests.faults import faults

FAULTS, HARMLESS = faults.read()


def test_there_are_enough_faults_and_harmless_changes():
    """At least sixty faults, at least five for each criterion, and ten changes that are none."""
    by_criterion = Counter(fault.scenario.criterion for fault in FAULTS)
    assert len(FAULTS) >= 60
    assert len(HARMLESS) >= 10
    assert {number: by_criterion[number] >= 5 for number in range(1, 10)} == dict.fromkeys(range(1, 10), True)


@pytest.mark.parametrize("title", faults.scenarios())
def test_each_scenario_is_turned_red_by_a_fault_of_its_own(title):
    """No row of any scenario exists that no fault is expected to turn red."""
    scenario = faults.scenarios()[title]
    red = {name for fault in FAULTS if fault.scenario.name == title for name in fault.red}
    assert red == set(scenario.titles.values())


@pytest.mark.parametrize("row", range(1, 13))
def test_each_failure_of_the_real_release_is_repeated(row):
    """Each of the twelve failures of October 2025 is in the catalogue."""
    assert [fault.name for fault in FAULTS if fault.october == row]


def test_every_entry_says_what_it_expects():
    """Names are unique, levels are known, and no message is left open."""
    names = Counter(fault.name for fault in (*FAULTS, *HARMLESS))
    assert [name for name, count in names.items() if count > 1] == []
    assert {fault.level for fault in (*FAULTS, *HARMLESS)} <= set(faults.LEVELS)
    assert [fault.name for fault in FAULTS if not all(len(words) > 1 for words in fault.says) or not fault.says] == []
    assert [fault.name for fault in FAULTS if ("layer" in fault.made) != (fault.level == "layer")] == []
    assert [fault.name for fault in FAULTS if ("live" in fault.made) != (fault.level == "service")] == []


@pytest.mark.parametrize("criterion", range(2, 10))
def test_each_criterion_fails_in_a_whole_release(criterion):
    """One failing scenario of each criterion is seen in a release that is really made, with the tags that it leaves."""
    whole = [fault for fault in FAULTS if fault.level == "release" and fault.scenario.criterion == criterion]
    assert [fault.name for fault in whole if fault.leaves is not None] != []
