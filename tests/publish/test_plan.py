"""--plan: complete, in order, and true to what a run does."""

import dataclasses
from pathlib import Path

import pytest

from gate.caller_permissions.__main__ import ROOT
from gate.options import Options
from gate.publish.plan import plan_text, planned_actions
from gate.release_file import release_of

RELEASE = release_of(ROOT / "pytest.ini")
OPTIONS = Options(
    "local", None, Path("/x/image"), None, False, False, True, None, None, 900, 1800, 300, None, None, None, False
)


def asked(**changed):
    """Options of a run."""
    return dataclasses.replace(OPTIONS, **changed)


def changes(options, kind="full"):
    """What changes something outside this machine and its reports."""
    return [
        action.command
        for action in planned_actions(options, RELEASE, kind)
        if action.changes.startswith(RELEASE.repository)
    ]


def test_verifying_asks_for_a_scan_and_changes_nothing_else():
    """On AWS, without --publish."""
    (scan,) = changes(asked(target="aws"))
    assert scan.startswith("aws ecr start-image-scan ")


def test_publishing_pushes_the_candidate_scans_it_and_only_then_sets_the_tags():
    """Four changes, in this order."""
    pushed, scanned, release, rolling = changes(asked(target="aws", publish=True))
    assert pushed.endswith(f":{RELEASE.candidate_tag}")
    assert "start-image-scan" in scanned
    assert f"--image-tag {RELEASE.release_tag} " in release
    assert f"--image-tag {RELEASE.rolling_tag} " in rolling


def test_promoting_by_name_scans_and_moves_the_rolling_tag_and_no_more():
    """Nothing is built, pulled or pushed, on either target."""
    for target in ("aws", "local"):
        options = asked(target=target, promote=RELEASE.release_tag)
        scanned, rolling = changes(options, "promotion")
        assert "start-image-scan" in scanned
        assert f"--image-tag {RELEASE.rolling_tag} " in rolling
        commands = [action.command for action in planned_actions(options, RELEASE, "promotion")]
        assert not [command for command in commands if command.startswith("docker")]


def test_nothing_comes_before_the_callers_identity_on_aws():
    """Whatever the run is."""
    for options, kind in [(asked(target="aws"), "full"), (asked(target="aws", publish=True), "full"), (asked(target="aws"), "rescan")]:  # fmt: skip  # noqa: E501
        assert planned_actions(options, RELEASE, kind)[0].command == "aws sts get-caller-identity"


def test_the_night_builds_pulls_and_pushes_nothing():
    """It has the published digest scanned."""
    commands = [action.command for action in planned_actions(asked(target="aws"), RELEASE, "rescan")]
    assert not [command for command in commands if command.startswith("docker")]


@pytest.mark.parametrize(
    ("options", "kind", "said"),
    [
        (asked(), "full", "the local target: nothing outside this machine is changed; a build downloads what it lacks"),
        (asked(target="aws", profile="ci"), "full", "AWS, as the profile ci"),
        (asked(target="aws"), "full", "pulled by the digest that v1.0.0 names"),
        (asked(image="repo:tag"), "full", "repo:tag, as it is"),
        (asked(), "partial", "the run is restricted"),
        (asked(), "full", "built from image/Dockerfile"),
    ],
)
def test_the_head_says_target_and_image(options, kind, said):
    """In words."""
    assert said in plan_text(options, RELEASE, kind, {})


def test_an_endpoint_in_the_environment_is_said():
    """It would not be AWS."""
    text = plan_text(asked(target="aws"), RELEASE, "full", {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"})
    assert "AWS_ENDPOINT_URL=http://127.0.0.1:1 names: whatever comes of it is a rehearsal" in text
