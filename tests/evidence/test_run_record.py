"""The run record: the verdict follows from what is recorded, and from nothing that cannot be read."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.check import Rejection, SelfTest
from gate.errors import EvidenceDamaged
from gate.evidence.run_record import RunRecord, run_record_in
from gate.evidence.store import plain
from gate.verdict import ScenarioOutcome


def recorded(run_record):
    """The run record as it stands in its record's answer after a trip through a file."""
    return json.loads(json.dumps(plain(run_record)))


def test_the_run_record_reads_back_as_it_was(run_record):
    """Nothing that the verdict follows from is lost on the disk."""
    given = run_record(trouble=("the test runner crashed",), endpoint_is_aws=False)
    assert run_record_in(recorded(given)) == given


LINK = Rejection("/opt/driver is a dangling link", "/opt/driver", "install it", "- entry", "driver", ("tree",))
FAILED = ScenarioOutcome("scenario 1", 1, "failed", "text", rejections=(LINK,), steps=())
BLOCKED = ScenarioOutcome(
    "scenario 2", 2, "failed", "text", rejections=(Rejection("not pushed", "", ""),), blocked_by=(LINK,), checked=False
)


def test_a_failure_reads_back_as_the_objects_that_it_was(run_record):
    """With the check that said it, and what it follows from; verdict.json states causes from them."""
    given = run_record(outcomes=(FAILED, BLOCKED))
    back = run_record_in(recorded(given))
    assert back == given
    assert back.outcomes[0].rejections[0].check == "driver"
    assert back.outcomes[0].rejections[0].follows == ("tree",)
    [cause] = back.stated(back.verdict())["causes"]
    assert cause["rejections"][0]["remedy"] == "install it"
    assert cause["consequences"][0]["claims"] == [{"criterion": 2, "name": "scenario 2"}]


def test_a_record_of_an_older_gate_can_be_read(run_record):
    """It named two fields otherwise, and kept a failure as text alone; its verdict.json states no causes."""
    found = recorded(run_record(outcomes=(FAILED, BLOCKED)))
    for outcome in found["outcomes"]:
        outcome["judged"] = outcome.pop("checked")
        del outcome["rejections"], outcome["blocked_by"]
    found["proofs"] = [{"judge": each["check"], "said_no": True, "answer": "no"} for each in found["proofs"]]
    back = run_record_in(found)
    assert [outcome.checked for outcome in back.outcomes] == [True, False]
    assert back.proofs == run_record().proofs
    assert not {"causes", "beside"} & set(back.stated(back.verdict()))


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"target": "aws"}, "GO"),
        ({}, "REHEARSAL PASSED"),
        ({"target": "aws", "endpoint_is_aws": False}, "REHEARSAL PASSED"),
        ({"target": "aws", "trouble": ("crash",)}, "NO-GO"),
        ({"target": "aws", "expected": frozenset({"one more"})}, "INCOMPLETE"),
        ({"target": "aws", "proofs": ()}, "NO-GO"),
    ],
)
def test_deciding_again_gives_the_word(run_record, changed, word):
    """Each thing that the verdict rests on is in the record."""
    assert run_record_in(recorded(run_record(**changed))).verdict().word == word


def test_only_a_go_is_valid_until_a_day_after_its_scan(run_record):
    """The time follows from the scan, and a rehearsal has none."""
    go, rehearsal = run_record(target="aws"), run_record()
    assert go.stated(go.verdict())["valid_until"] == "2026-01-03T01:00:00+00:00"
    assert rehearsal.stated(rehearsal.verdict())["valid_until"] is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda found: found["outcomes"][0].update(status="pased"),
        lambda found: found["outcomes"][0].update(criterion=10),
        lambda found: found["outcomes"][0].update(only_aws="yes"),
        lambda found: found["outcomes"][0].pop("steps"),
        lambda found: found["outcomes"][0].update(approved=True),
        lambda found: found["outcomes"][0].update(rejections=[{"cause": "x"}]),
        lambda found: found["outcomes"][0].update(blocked_by="all"),
        lambda found: found["proofs"][0].update(said_no=1),
        lambda found: found.update(kind="complete"),
        lambda found: found.update(target="moon"),
        lambda found: found.update(endpoint_is_aws=None),
        lambda found: found.pop("expected"),
        lambda found: found.update(outcomes=None),
    ],
)
def test_a_word_that_the_gate_does_not_know_is_not_checked(run_record, damage):
    """An unknown status would count as neither failed nor missing, so it is refused."""
    found = recorded(run_record(target="aws"))
    damage(found)
    with pytest.raises(EvidenceDamaged, match="cannot be read"):
        run_record_in(found)


def test_no_run_record_is_none():
    """Another record's answer is refused with a sentence."""
    with pytest.raises(EvidenceDamaged):
        run_record_in(["something else"])


def test_a_scenario_counts_under_its_criterion(run_record):
    """verdict.json's criteria come from the recorded outcomes."""
    found = run_record(outcomes=(ScenarioOutcome("bad", 7, "failed", "because"),))
    criteria = found.stated(found.verdict())["criteria"]
    assert criteria["7"]["status"] == "failed"
    assert criteria["7"]["scenarios"][0]["reason"] == "because"
    assert criteria["1"] == {"status": "incomplete", "scenarios": []}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)


@given(whole=JSON, changes=st.lists(st.tuples(st.integers(0, 200), JSON), max_size=3))
def test_any_record_is_an_account_or_refused(whole, changes):
    """Whatever a stranger's folder holds: never a crash, and never a GO that the record does not carry."""
    with contextlib.suppress(EvidenceDamaged):
        run_record_in(whole)
    found = recorded(SAMPLE)
    for at, value in changes:
        _put(found, at, value)
    with contextlib.suppress(EvidenceDamaged):
        run_record = run_record_in(found)
        verdict = run_record.verdict()
        run_record.stated(verdict)
        assert verdict.word != "GO" or {each["status"] for each in found["outcomes"]} == {"passed"}


SAMPLE = RunRecord(
    "aws", "full", True, frozenset({"a scenario"}), (ScenarioOutcome("a scenario", 7, "failed", "because"),),
    (SelfTest("a check", True, "no"),), (), {}, "2026-01-02T00:00:00+00:00", None,
)  # fmt: skip


def _put(found, at, value):
    """Another value in one place of a record: the at-th, counting through it."""
    places = []

    def collect(inside):
        keys = inside.keys() if isinstance(inside, dict) else range(len(inside)) if isinstance(inside, list) else ()
        for key in keys:
            places.append((inside, key))
            collect(inside[key])

    collect(found)
    inside, key = places[at % len(places)]
    inside[key] = value
