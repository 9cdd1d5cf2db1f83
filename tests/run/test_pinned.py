"""The list of claims is pinned: what was taken out, changed or added is named, whole files included."""

import json
import shutil
from pathlib import Path

import pytest

from gate.run import pinned
from gate.run.claims import catalogue, expected_names

FEATURES = Path(__file__).resolve().parents[2] / "features"


def test_the_features_are_as_they_are_pinned():
    """`make claims` writes the list; its difference is reviewed with the features'."""
    now = pinned.claims_in(FEATURES)
    assert list(pinned.differences(pinned.read(FEATURES), now)) == []
    assert (FEATURES / pinned.LOCK).read_bytes() == pinned.lock(now.values())


@pytest.mark.parametrize("rescan", [True, False])
def test_what_is_pinned_is_what_a_run_must_contain(rescan):
    """By the same names as the run gives its claims."""
    names = pinned.read(FEATURES).names(rescan=rescan)
    assert names == expected_names(catalogue(FEATURES), rescan=rescan)


@pytest.fixture
def features(tmp_path):
    """A copy of the features, to be changed."""
    return Path(shutil.copytree(FEATURES, tmp_path / "features", ignore=shutil.ignore_patterns("*.py", "__pycache__")))


def differing(features):
    """What a run would say."""
    return sorted(pinned.differences(pinned.read(FEATURES), pinned.claims_in(features)))


def change(features, name, old, new):
    """Change a feature file."""
    text = (features / name).read_text()
    assert old in text
    (features / name).write_text(text.replace(old, new, 1))


AC7 = "ac7_nothing_critical.feature"
CHANGES = {
    "a threshold": ("ac6_within_limits.feature", "below 10 GB", "below 90 GB", "its steps differ"),
    "a step less": (
        "ac2_published.feature",
        "    And the registry refused to overwrite the release tag where that was tried\n", "", "its steps differ"),
    "a step of the background, or the first": (
        "ac1_image_runs.feature", "Given the Dockerfile of the release", "Given the image under judgement",
        "its steps differ"),
    "a row of examples": ("ac1_image_runs.feature", "      | CHROMEDRIVER_BIN |\n", "", "its steps and names differ"),
    "a tag on the feature": ("ac9_findings_disposed.feature", "@ac9", "@ac9 @aws", "its tags differ"),
    "a tag on a scenario": (
        "ac1_image_runs.feature", "  Scenario: Korean text", "  @aws\n  Scenario: Korean text", "its tags differ"),
    "a title": ("ac1_image_runs.feature", "Korean text is drawn as glyphs", "Text is drawn as glyphs", "is not there"),
    "a claim more": (
        "ac6_within_limits.feature", "  Scenario:",
        "  Scenario: One more\n    Given the image under judgement\n\n  Scenario:", "is not pinned: `make claims`"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "old", "new", "sentence"), CHANGES.values(), ids=CHANGES)
def test_a_change_of_a_claim_is_named(features, name, old, new, sentence):
    """With the claim and its file."""
    change(features, name, old, new)
    found = differing(features)
    assert any(sentence in each and name in each for each in found), found


@pytest.mark.parametrize("name", sorted(path.name for path in FEATURES.glob("*.feature")))
def test_a_feature_that_was_taken_out_is_missed_claim_by_claim(features, name):
    """Each of its scenarios is named."""
    count = sum(claim.feature == name for claim in pinned.claims_in(features).values())
    (features / name).unlink()
    found = differing(features)
    assert len(found) == count > 0
    assert all("is not there" in each for each in found)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Feature: AC6 The image", "Feature: AC6 An image"),
        ("  Scenario:", "  # a comment\n\n  Scenario:"),
        ("    Given the", "      Given   the"),
    ],
    ids=["the feature's title", "a comment", "spaces"],
)
def test_what_no_claim_rests_on_may_change(features, old, new):
    """Words around the claims, and their layout."""
    change(features, "ac6_within_limits.feature", old, new)
    assert differing(features) == []


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"claims": [{"title": "x"}]}', '{"claims": 1}', "\0"])
def test_a_list_that_cannot_be_read_pins_nothing_and_says_so(tmp_path, content):
    """A missing list is no list without claims."""
    (tmp_path / pinned.LOCK).write_text(content)
    (only,) = pinned.differences(pinned.read(tmp_path), {})
    assert only.startswith("no claim is pinned: features/claims.lock ")


def test_a_missing_list_is_said(tmp_path):
    """So is one that is a link."""
    (only,) = pinned.differences(pinned.read(tmp_path), {})
    assert only.startswith("no claim is pinned: features/claims.lock is missing")


def test_the_list_is_json_with_one_scenario_a_line():
    """Two branches that pin different claims merge, or `make claims` writes it anew."""
    text = (FEATURES / pinned.LOCK).read_text()
    claims = json.loads(text)["claims"]
    assert len(text.splitlines()) == len(claims) + 2
