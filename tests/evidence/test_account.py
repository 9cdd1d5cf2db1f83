"""The account: the verdict follows from what is recorded, and from nothing that cannot be read."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.check import SelfTest
from gate.errors import EvidenceDamaged
from gate.evidence.account import Account, account_in
from gate.evidence.store import plain
from gate.verdict import ScenarioOutcome


def recorded(account):
    """The account as it stands in its record's answer after a trip through a file."""
    return json.loads(json.dumps(plain(account)))


def test_the_account_reads_back_as_it_was(account):
    """Nothing that the verdict follows from is lost on the disk."""
    given = account(trouble=("the test runner crashed",), endpoint_is_aws=False)
    assert account_in(recorded(given)) == given


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
def test_deciding_again_gives_the_word(account, changed, word):
    """Each thing that the verdict rests on is in the record."""
    assert account_in(recorded(account(**changed))).verdict().word == word


def test_only_a_go_is_valid_until_a_day_after_its_scan(account):
    """The time follows from the scan, and a rehearsal has none."""
    go, rehearsal = account(target="aws"), account()
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
        lambda found: found["proofs"][0].update(said_no=1),
        lambda found: found.update(kind="complete"),
        lambda found: found.update(target="moon"),
        lambda found: found.update(endpoint_is_aws=None),
        lambda found: found.pop("expected"),
        lambda found: found.update(outcomes=None),
    ],
)
def test_a_word_that_the_gate_does_not_know_is_not_checked(account, damage):
    """An unknown status would count as neither failed nor missing, so it is refused."""
    found = recorded(account(target="aws"))
    damage(found)
    with pytest.raises(EvidenceDamaged, match="cannot be read"):
        account_in(found)


def test_no_account_is_no_account():
    """Another record's answer is refused with a sentence."""
    with pytest.raises(EvidenceDamaged):
        account_in(["something else"])


def test_a_claim_counts_under_its_criterion(account):
    """verdict.json's criteria come from the recorded outcomes."""
    found = account(outcomes=(ScenarioOutcome("bad", 7, "failed", "because"),))
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
        account_in(whole)
    found = recorded(SAMPLE)
    for at, value in changes:
        _put(found, at, value)
    with contextlib.suppress(EvidenceDamaged):
        account = account_in(found)
        verdict = account.verdict()
        account.stated(verdict)
        assert verdict.word != "GO" or {each["status"] for each in found["outcomes"]} == {"passed"}


SAMPLE = Account(
    "aws", "full", True, frozenset({"a claim"}), (ScenarioOutcome("a claim", 7, "failed", "because"),),
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
