"""The catalogue is whole: every scenario has a fault, every failure of the real release is repeated."""

import re
from collections import Counter

import pytest
import yaml

from gate.release_file import release_of
from tests.faults import faults
from tests.faults.world import ROOT
from tests.other_releases import folders

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


def test_the_catalogue_has_the_names_of_whatever_release_it_is_read_for(tmp_path):
    """None of the gate's own release is left in it, every placeholder is filled, and the faults are the same."""
    home, own = folders.scraper(tmp_path / "scraper"), release_of(ROOT / "pytest.ini")
    text = faults.named(faults.FILE.read_text(encoding="utf-8"), home)
    names = (own.account, own.region, own.repository, own.zip_function, own.ci_role, own.lambda_role, own.function_name)
    assert [name for name in names if re.search(rf"(?<![\w/-]){re.escape(name)}(?![\w-])", text)] == []
    assert set(re.findall(r"<[a-z]+(?:_[a-z]+)*>", text.partition("faults:")[2])) == {"<html>"}, (
        "a broken answer of a door"
    )
    there, harmless = faults.read(home)
    titles = {fault.name for fault in there}
    assert {fault.name for fault in FAULTS} - titles == {each["fault"] for each in _limited()}
    assert len(harmless) == len(HARMLESS)


def _limited():
    """The entries that are about one kind of release alone."""
    return [each for each in yaml.safe_load(faults.FILE.read_text(encoding="utf-8"))["faults"] if "only" in each]
