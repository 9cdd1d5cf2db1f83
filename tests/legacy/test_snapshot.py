"""The field-by-field comparison, and the baseline on disk."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.errors import EvidenceDamaged
from gate.legacy.snapshot import FunctionSnapshot, check_untouched, differences

ARN = "arn:aws:lambda:ap-northeast-2:654654307503:function:zip"
BEFORE = FunctionSnapshot(ARN, "2025-10-18T12:00:00+00:00", {"configuration": {"Timeout": 300, "Layers": ["a", "b"]}})
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def snapshot(**facts):
    """A snapshot with these facts."""
    return FunctionSnapshot(ARN, "later", facts)


def test_each_difference_carries_its_path_and_both_values():
    """Changed, added and removed fields are told apart."""
    now = snapshot(configuration={"Timeout": 3, "Layers": ["a"], "New": True})
    assert {(each.field, each.before, each.now) for each in differences(BEFORE, now)} == {
        ("configuration.Timeout", "300", "3"),
        ("configuration.Layers.1", '"b"', "not there"),
        ("configuration.New", "not there", "true"),
    }
    words = "\n".join(map(str, check_untouched(BEFORE, now).rejections))
    assert "configuration.Timeout changed since 2025-10-18T12:00:00+00:00: it was 300, and is 3" in words


def test_the_order_of_subnets_and_security_groups_is_no_difference():
    """Lambda answers these sets in any order; that of layers decides which file is found."""

    def network(subnets, groups, layers=("a", "b")):
        vpc = {"SubnetIds": subnets, "SecurityGroupIds": groups}
        return FunctionSnapshot("f", "", {"configuration": {"VpcConfig": vpc, "Layers": list(layers)}})

    was = network(["s-1", "s-2"], ["g-1", "g-2"])
    assert differences(was, network(["s-2", "s-1"], ["g-2", "g-1"])) == ()
    assert differences(was, network(["s-2", "s-3"], ["g-2", "g-1"])) != ()
    assert differences(was, network(["s-2"], ["g-2", "g-1"])) != ()
    assert differences(was, network(["s-1", "s-2"], ["g-1", "g-2"], ("b", "a"))) != ()


def test_an_empty_list_and_a_missing_one_are_the_same():
    """AWS answers either for the same state."""
    assert differences(snapshot(a={"x": []}), snapshot(a={})) == ()


def test_a_difference_is_told_in_the_letters_it_is_written_in():
    """The file is readable JSON."""
    (only,) = differences(snapshot(Description="예약 문자"), snapshot(Description="예약"))
    assert (only.before, only.now) == ('"예약 문자"', '"예약"')


def test_a_function_is_named_by_the_last_part_of_its_arn():
    """Or by its bare name, where that is all there is."""
    assert BEFORE.name == "zip"
    assert replace(BEFORE, function="zip").name == "zip"


def test_a_snapshot_of_nothing_or_of_another_function_is_refused():
    """Two empty snapshots are equal and not accepted."""
    assert "no configuration" in str(check_untouched(snapshot(), snapshot()).rejections[0])
    assert "no configuration" in str(check_untouched(BEFORE, snapshot()).rejections[0])
    other = replace(BEFORE, function=f"{ARN}_v2")
    assert f"{ARN}_v2" in str(check_untouched(BEFORE, other).rejections[0])


def test_a_baseline_that_holds_no_configuration_is_refused():
    """The rejection says which of the two could not be read."""
    assert "zip before the release holds no configuration" in str(check_untouched(snapshot(), BEFORE).rejections[0])
    assert "zip now holds no configuration" in str(check_untouched(BEFORE, snapshot()).rejections[0])


def test_an_untouched_function_is_accepted():
    """The time of the reading is not compared."""
    assert check_untouched(BEFORE, replace(BEFORE, taken_at="later")).accepted


@given(JSON, JSON)
def test_no_difference_means_the_same_value(one, other):
    """Whatever the facts are: equal facts have no difference; facts that differ in more than emptiness have one."""
    assert differences(snapshot(x=one), snapshot(x=one)) == ()
    if not differences(snapshot(x=one), snapshot(x=other)):
        assert _without_empties(one) == _without_empties(other)


def _without_empties(value):
    """The value with empty lists and objects taken out, and lists as objects by place."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if items is None:
        return json.dumps(value)
    kept = {str(key): _without_empties(inner) for key, inner in items}
    return {key: inner for key, inner in kept.items() if inner != {}}


def test_a_baseline_comes_back_as_it_was_kept(tmp_path):
    """It is written completely, into a folder that may not exist yet."""
    path = tmp_path / "evidence" / "zip-baseline.json"
    BEFORE.keep(path)
    assert FunctionSnapshot.load(path) == BEFORE
    assert [each.name for each in path.parent.iterdir()] == ["zip-baseline.json"]


def test_no_baseline_is_a_no_go(tmp_path):
    """The message says what is unknown, and how to get a baseline."""
    with pytest.raises(EvidenceDamaged, match="no baseline") as refusal:
        FunctionSnapshot.load(tmp_path / "none.json")
    assert "publishing run" in refusal.value.remedy


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.replace("300", "301"),
        lambda text: text[: len(text) // 2],
        lambda _text: "",
        lambda _text: "[]",
        lambda _text: "{}",
        lambda text: json.dumps({**json.loads(text), "sha256": "0"}),
    ],
)
def test_an_altered_baseline_is_a_no_go(tmp_path, spoil):
    """Edited, cut short, emptied, of another shape."""
    path = tmp_path / "baseline.json"
    BEFORE.keep(path)
    path.write_text(spoil(path.read_text()))
    with pytest.raises(EvidenceDamaged, match=r"altered|cannot be read"):
        FunctionSnapshot.load(path)


def test_a_baseline_that_cannot_be_kept_is_a_no_go(tmp_path):
    """Nothing may be pushed without a baseline."""
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(EvidenceDamaged, match="cannot be kept"):
        BEFORE.keep(tmp_path / "file" / "baseline.json")
