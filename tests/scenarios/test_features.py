"""The list of scenarios is pinned: what was taken out, changed or added is named, whole files included."""

import json
import shutil
from pathlib import Path

import pytest

from gate.scenarios import features as scenarios
from gate.scenarios.features import expected_names, scenarios_of
from gate.verdict import IMAGE_LIMIT_GB, INIT_LIMIT_SECONDS

FEATURES = Path(__file__).resolve().parents[2] / "features"


def test_the_features_are_as_they_are_pinned():
    """`make scenarios` writes the list; its difference is reviewed with the features'."""
    now = scenarios_of(FEATURES).values()
    assert list(scenarios.differences(scenarios.read_lock(FEATURES), now)) == []
    assert (FEATURES / scenarios.LOCK).read_bytes() == scenarios.lock_text(now)


@pytest.mark.parametrize("kind", ["full", "rescan", "promotion"])
def test_what_is_pinned_is_what_a_run_must_contain(kind):
    """By the same names as the run gives its scenarios."""
    names = scenarios.read_lock(FEATURES).names(kind)
    assert names == expected_names(scenarios_of(FEATURES).values(), kind)


@pytest.mark.parametrize(
    ("feature", "step"),
    [
        ("ac1_image_runs", f"Then it asks for its first event within {INIT_LIMIT_SECONDS} seconds"),
        ("ac6_within_limits", f"Then together they are below {IMAGE_LIMIT_GB} GB"),
        ("ac6_within_limits", f"Then together the compressed layers are below {IMAGE_LIMIT_GB} GB"),
    ],
)
def test_the_limits_of_page_and_verification_are_those_of_the_features(feature, step):
    """A limit that is changed in a feature is changed there too."""
    assert step in (FEATURES / f"{feature}.feature").read_text()


ONE = '''@ac1
Feature: AC1 The image runs
  Words about it.

  Background:
    Given the image

  Scenario: It is small
    When it is measured
    Then it is below 10 GB
    And it holds these packages:
      | name    |
      | chrome  |
      | driver  |

  @rescan
  Scenario Outline: It holds a program
    When it is searched for "<program>"
    Then it is there, as this text says:
      """
      exactly
      """

    Examples:
      | program |
      | chrome  |
      | driver  |
'''
TWO = """@ac7 @rescan
Feature: AC7 The scan is clean
  Scenario: Nothing critical is found
    Then there are 0 findings

  @aws
  Scenario: The data is current
    Only AWS has it.

    Then it is of today
"""


@pytest.fixture
def features(tmp_path):
    """A folder of features, pinned as they are, to be changed."""
    folder = tmp_path / "features"
    folder.mkdir()
    (folder / "one.feature").write_text(ONE)
    (folder / "two.feature").write_text(TWO)
    (folder / scenarios.LOCK).write_bytes(scenarios.lock_text(scenarios_of(folder).values()))
    return folder


def differing(features):
    """What a run would say; what was parsed is kept by the parser's folder."""
    copy = Path(shutil.copytree(features, features.parent / "changed"))
    return sorted(scenarios.differences(scenarios.read_lock(copy), scenarios_of(copy).values()))


def change(features, name, old, new):
    """Change a feature file."""
    text = (features / name).read_text()
    assert old in text
    (features / name).write_text(text.replace(old, new, 1))


CHANGES = {
    "a threshold": ("one.feature", "below 10 GB", "below 90 GB", "“It is small” (features/one.feature) is not as it"),
    "a step less": ("one.feature", "    When it is measured\n", "", "“It is small”"),
    "a keyword": ("one.feature", "Then it is below", "When it is below", "“It is small”"),
    "a row of a table": ("one.feature", "      | driver  |\n", "", "“It is small”"),
    "a text": ("one.feature", "exactly", "nearly", "“It holds a program”"),
    "the background": ("one.feature", "Given the image", "Given an image", "“It holds a program”"),
    "a row of examples": ("one.feature", "    Examples:\n      | program |\n      | chrome  |\n",
                          "    Examples:\n      | program |\n", "its steps and names differ"),
    "a value of the examples": ("one.feature", "| program |\n      | chrome  |", "| program |\n      | shell   |",
                                "its steps and names differ"),
    "a tag on a feature": ("two.feature", "@ac7 @rescan", "@ac7", "“Nothing critical is found” (features/two.feature)"),
    "a tag that excuses": ("two.feature", "  Scenario: Nothing", "  @aws\n  Scenario: Nothing", "its tags differ"),
    "a title": ("one.feature", "It is small", "It is quite small", "“It is small” (features/one.feature) is not there"),
    "a scenario less": ("two.feature", "  Scenario: Nothing critical is found\n    Then there are 0 findings\n", "",
                     "the pinned scenario “Nothing critical is found” (features/two.feature) is not there"),
    "a scenario more": ("two.feature", "  @aws", "  Scenario: One more\n    Then it holds\n\n  @aws",
                     "the scenario “One more” (features/two.feature) is not pinned: `make scenarios`"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "old", "new", "sentence"), CHANGES.values(), ids=CHANGES)
def test_a_change_of_a_scenario_is_named(features, name, old, new, sentence):
    """With the scenario and its file."""
    change(features, name, old, new)
    found = differing(features)
    assert any(sentence in each for each in found), found


def test_a_feature_that_was_taken_out_is_missed_scenario_by_scenario(features):
    """Each of its scenarios is named; a run would miss each of its scenarios."""
    (features / "two.feature").unlink()
    assert differing(features) == [
        "the pinned scenario “Nothing critical is found” (features/two.feature) is not there",
        "the pinned scenario “The data is current” (features/two.feature) is not there",
    ]
    assert "Nothing critical is found" in scenarios.read_lock(features).names("full")


def test_a_scenario_that_moved_to_another_file_is_named(features):
    """It is read beside other scenarios then, and perhaps under other tags."""
    (features / "two.feature").rename(features / "three.feature")
    assert any("is not as it is pinned: its feature differ" in each for each in differing(features))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Feature: AC1 The image", "Feature: AC1 An image"),
        ("  Words about it.\n", "  Other words.\n"),
        ("  Scenario: It is small", "  # a comment\n\n  Scenario: It is small"),
        ("    When it is measured", "      When    it is measured"),
        ("      | chrome  |", "      |  chrome |"),
    ],
    ids=["the feature's title", "its description", "a comment", "spaces", "spaces of a table"],
)
def test_what_no_scenario_rests_on_may_change(features, old, new):
    """Words around the scenarios, and their layout."""
    change(features, "one.feature", old, new)
    assert differing(features) == []


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"claims": [{"title": "x"}]}', '{"claims": 1}', "\0"])
def test_a_list_that_cannot_be_read_pins_nothing_and_says_so(tmp_path, content):
    """A missing list is no list without scenarios."""
    (tmp_path / scenarios.LOCK).write_text(content)
    (only,) = scenarios.differences(scenarios.read_lock(tmp_path), ())
    assert only.startswith("no scenario is pinned: features/scenarios.lock ")


def test_a_missing_list_is_said(tmp_path):
    """So is one that is a link."""
    (only,) = scenarios.differences(scenarios.read_lock(tmp_path), ())
    assert only.startswith("no scenario is pinned: features/scenarios.lock is missing")


def test_the_list_is_json_with_one_scenario_a_line():
    """Two branches that pin different scenarios merge, or `make scenarios` writes it anew."""
    text = (FEATURES / scenarios.LOCK).read_text()
    pinned = json.loads(text)["claims"]
    assert len(text.splitlines()) == len(pinned) + 2
