"""The promotion: its order, its refusals, and what a second run does."""

import json

import pytest

from gate.check import BlockedByEarlierFailure, NoGo, reject
from gate.errors import AwsRefused
from gate.publish.promotion_checks import AwsCaller
from gate.publish.publication import AcceptedRelease
from gate.registry.permitted_calls import check_changes


def changes(rehearsal):
    """The calls by which the registry was changed."""
    return [operation for operation, _ in rehearsal.registry.calls if operation in ("PutImage", "StartImageScan")]


def test_a_release_is_baselined_checked_pushed_scanned_and_only_then_tagged(rehearsal):
    """The order is: zip function, AC1 and AC6, push as candidate, scan by digest, release tag, rolling tag."""
    publication = rehearsal.publish()
    assert rehearsal.asked == ["legacy", "holds", "push", f"scan {publication.digest}"]
    assert [asked["imageTag"] for name, asked in rehearsal.registry.calls if name == "PutImage"] == ["v1.0.0", "latest"]
    assert set(rehearsal.registry.tags.values()) == {publication.digest}
    assert publication.tags == ("candidate", "latest", "v1.0.0")


def test_the_scan_comes_before_either_tag(rehearsal):
    """While the digest is scanned, only the candidate tag names it."""
    named = {}
    rehearsal._scan = lambda _digest: (
        named.update(rehearsal.registry.tags) or reject("CVE-2025-1", "the scan", "fix it")
    )
    with pytest.raises(NoGo, match="CVE-2025-1"):
        rehearsal.publish()
    assert list(named) == ["candidate"]
    assert list(rehearsal.registry.tags) == ["candidate"]


def test_nothing_is_pushed_for_an_image_that_fails(rehearsal):
    """AC1 or AC6 saying no ends the release before the registry is touched."""
    rehearsal.holds = reject("Chromedriver is missing", "the image", "install it")
    with pytest.raises(BlockedByEarlierFailure, match=r"nothing was pushed.*\n– Chromedriver is missing"):
        rehearsal.publish()
    assert rehearsal.registry.tags == {}
    assert rehearsal.engine.pushes == []
    assert changes(rehearsal) == []


@pytest.mark.parametrize(
    ("account", "region"),
    [("111122223333", "ap-northeast-2"), ("654654307503", "us-east-1")],
    ids=["account", "region"],
)
def test_the_wrong_account_or_region_ends_the_release_before_any_other_question(rehearsal, account, region):
    """AwsCaller and region are compared with pytest.ini before ECR is asked anything."""
    rehearsal.caller = AwsCaller(account, "arn:aws:iam::1:user/x", region)
    with pytest.raises(NoGo, match=f"'{account if account != '654654307503' else region}'"):
        rehearsal.publish()
    assert rehearsal.registry.calls == []
    assert rehearsal.asked == []


def test_no_baseline_no_push(rehearsal):
    """A zip function that cannot be read, or a baseline that cannot be kept, ends the release."""

    def fails():
        raise AwsRefused("The caller is not allowed lambda:GetFunction")

    rehearsal._legacy = fails
    with pytest.raises(AwsRefused, match="GetFunction"):
        rehearsal.publish()
    assert rehearsal.engine.pushes == []


def test_a_second_run_verifies_and_repeats_nothing(rehearsal):
    """Tags that name the digest already are neither pushed nor put again."""
    first = rehearsal.publish()
    rehearsal.registry.calls.clear()
    rehearsal.asked.clear()
    second = rehearsal.publish()
    assert second.digest == first.digest
    assert changes(rehearsal) == []
    assert "push" not in rehearsal.asked
    assert f"scan {first.digest}" in rehearsal.asked, "a verdict is never remembered"
    assert [step.outcome.split(":")[0] for step in second.steps][-4:-1] == ["verified, not repeated"] * 3


def test_a_run_that_died_between_the_tags_is_completed(rehearsal):
    """With the release tag set and `latest` still elsewhere, only `latest` is put."""
    rehearsal.registry.put('{"older": "image"}', "latest")
    rehearsal.registry.put(rehearsal.body, "v1.0.0")
    rehearsal.registry.tags["candidate"] = rehearsal.registry.tags["v1.0.0"]
    publication = rehearsal.publish()
    assert [asked["imageTag"] for name, asked in rehearsal.registry.calls if name == "PutImage"] == ["latest"]
    assert rehearsal.registry.tags["latest"] == publication.digest
    assert rehearsal.engine.pushes == []


def test_a_run_that_died_after_the_push_is_completed_without_another_push(rehearsal):
    """The candidate that holds this very image is taken as it is."""
    rehearsal.registry.put(rehearsal.body, "candidate")
    publication = rehearsal.publish()
    assert rehearsal.engine.pushes == []
    assert rehearsal.registry.tags["v1.0.0"] == publication.digest


def test_a_release_tag_of_another_image_is_a_no_go_with_both_identities_and_the_way_out(rehearsal):
    """The message gives the digest held, both image IDs, and `--release-tag v1.0.1`."""
    other = rehearsal.body.replace(rehearsal.image.config_digest, "sha256:" + "e" * 64)
    held = rehearsal.registry.put(other, "v1.0.0")
    with pytest.raises(NoGo) as refusal:
        rehearsal.publish()
    for words in (held, "sha256:" + "e" * 64, rehearsal.image.config_digest, "--release-tag v1.0.1"):
        assert words in str(refusal.value)
    assert rehearsal.engine.pushes == []
    assert rehearsal.registry.tags == {"v1.0.0": held}


def test_an_accepted_release_is_given_the_rolling_tag_again_and_nothing_else(rehearsal):
    """Scanned first, and pushed never; the release tag and the candidate stay where they are."""
    held = rehearsal.registry.put(rehearsal.body, "v1.0.0")
    newer = rehearsal.registry.put('{"newer": "image"}', "latest")
    rehearsal.registry.tags |= {"v1.1.0": newer, "candidate": newer}
    found = rehearsal.promote(AcceptedRelease("v1.0.0", held, rehearsal.image.config_digest, 1, "run"))
    assert rehearsal.registry.tags == {"v1.0.0": held, "latest": held, "v1.1.0": newer, "candidate": newer}
    assert [asked["imageTag"] for name, asked in rehearsal.registry.calls if name == "PutImage"] == ["latest"]
    assert (rehearsal.engine.pushes, rehearsal.asked) == ([], ["legacy", f"scan {held}"])
    assert (found.before.naming()["latest"], found.legacy_before) == (newer, rehearsal.baseline)


@pytest.mark.parametrize("named", ["other", None])
def test_a_release_tag_that_does_not_name_the_accepted_digest_is_promoted_by_nobody(rehearsal, named):
    """Moved or deleted: nothing is changed."""
    held = rehearsal.registry.put(rehearsal.body)
    if named:
        rehearsal.registry.put(f'{{"{named}": "image"}}', "v1.0.0")
    before = dict(rehearsal.registry.tags)
    with pytest.raises(NoGo, match=f"and accepted was {held}: nothing was changed"):
        rehearsal.promote(AcceptedRelease("v1.0.0", held, rehearsal.image.config_digest, 1, "run"))
    assert rehearsal.registry.tags == before
    assert changes(rehearsal) == []


def test_the_way_out_works(rehearsal):
    """The same image is released under the next tag, and the old release stays where it was."""
    other = rehearsal.body.replace(rehearsal.image.config_digest, "sha256:" + "e" * 64)
    held = rehearsal.registry.put(other, "v1.0.0")
    publication = rehearsal.publish(release_tag="v1.0.1")
    assert rehearsal.registry.tags["v1.0.0"] == held
    assert rehearsal.registry.tags["v1.0.1"] == publication.digest


def test_an_immovable_rolling_tag_ends_the_release_before_the_push(rehearsal):
    """A repository that is IMMUTABLE throughout cannot take `latest` along: nothing is begun."""
    rehearsal.registry.setting = {"imageTagMutability": "IMMUTABLE"}
    rehearsal.registry.put('{"older": "image"}', "latest")
    with pytest.raises(NoGo, match=r"'latest' names .* cannot move"):
        rehearsal.publish()
    assert rehearsal.engine.pushes == []


def test_an_index_in_the_registry_gets_no_tag(rehearsal):
    """What Lambda refuses stays the candidate, and the message names attestations and `--provenance=false`."""
    index = "application/vnd.oci.image.index.v1+json"
    attestation = {"annotations": {"vnd.docker.reference.type": "attestation-manifest"}}
    rehearsal.engine.body = json.dumps({"mediaType": index, "manifests": [{}, attestation]})
    put = rehearsal.registry.put
    rehearsal.registry.put = lambda text, tag=None, media_type=index: put(text, tag, media_type)
    with pytest.raises(NoGo, match="OCI index with BuildKit attestations") as refusal:
        rehearsal.publish()
    assert "--provenance=false" in str(refusal.value)
    assert list(rehearsal.registry.tags) == ["candidate"]


def test_another_image_behind_the_pushed_digest_gets_no_tag(rehearsal):
    """If the registry's manifest names another config than the checked one, the release ends."""
    rehearsal.engine.body = rehearsal.body.replace(rehearsal.image.config_digest, "sha256:" + "e" * 64)
    with pytest.raises(NoGo, match="another image than the one that was checked"):
        rehearsal.publish()
    assert list(rehearsal.registry.tags) == ["candidate"]


def test_a_manifest_that_is_not_visible_at_once_is_waited_for(rehearsal):
    """ImageNotFound just after the push is asked again."""
    answers = iter([False, False])
    real = rehearsal.registry.BatchGetImage

    def late(imageIds, **rest):  # noqa: N803
        if next(answers, True):
            return real(imageIds, **rest)
        return 200, {"images": [], "failures": [{"imageId": imageIds[0], "failureCode": "ImageNotFound"}]}

    rehearsal.registry.BatchGetImage = late
    rehearsal.publish()
    assert rehearsal.time.slept == [2.0, 2.0]


def test_throttling_of_a_tag_is_retried_and_immutability_is_not(rehearsal):
    """ThrottlingException passes with time; ImageTagAlreadyExistsException does not."""
    rehearsal.registry.faults["PutImage"] = [(400, "ThrottlingException"), (500, "ServerException")]
    rehearsal.publish()
    assert [call.retries for call in rehearsal.call_log.calls if call.operation == "PutImage"] == [2, 0]

    rehearsal.registry.tags = {}
    rehearsal.registry.calls.clear()
    rehearsal.registry.faults["PutImage"] = [(400, "ImageTagAlreadyExistsException")]
    with pytest.raises(AwsRefused, match="ImageTagAlreadyExistsException"):
        rehearsal.publish()
    assert changes(rehearsal) == ["PutImage"]


def test_expired_credentials_in_mid_release_leave_the_diary_and_say_what_to_do(rehearsal):
    """The step that failed is on record as refused, those before it as done."""
    rehearsal.registry.faults["PutImage"] = [(400, "ExpiredTokenException")]
    with pytest.raises(AwsRefused, match="log in again") as refusal:
        rehearsal.publish()
    assert "credentials are not accepted" in refusal.value.cause
    last = rehearsal.told[-1]
    assert last.command.startswith("aws ecr put-image")
    assert last.outcome.startswith("refused: The AWS credentials are not accepted")
    assert any(step.outcome.startswith("done: sha256:") for step in rehearsal.told)


def test_every_step_is_told_when_it_begins_and_when_it_has_ended(rehearsal):
    """A run that dies leaves what it had begun; each record has command, identity, time and outcome."""
    publication = rehearsal.publish()
    begun = [step for step in rehearsal.told if step.outcome == "running"]
    assert [step.number for step in begun] == list(range(1, len(publication.steps) + 1))
    assert all(step.identity.startswith("arn:") and step.started.startswith("2025-10-18T") for step in begun)
    commands = " ; ".join(step.command for step in publication.steps)
    for words in (
        "aws sts get-caller-identity",
        "aws lambda get-function --function-name zip",
        "aws ecr get-login-password --region ap-northeast-2 | docker login --username AWS --password-stdin"
        " 654654307503.dkr.ecr.ap-northeast-2.amazonaws.com",
        "docker push 654654307503.dkr.ecr.ap-northeast-2.amazonaws.com/naver-sms-automation:candidate",
        "--image-tag v1.0.0",
        "--image-tag latest",
        "aws ecr describe-images",
    ):
        assert words in commands
    assert "password123" not in commands


def test_overwriting_is_tried_only_where_a_target_may_be_spoiled(rehearsal):
    """On the local target another manifest is put under the release tag, and refused; elsewhere it is not tried."""
    assert not rehearsal.publish().overwrite_trial.made
    rehearsal.allow_destructive = True
    trial = rehearsal.publish().overwrite_trial
    assert trial.made
    assert trial.refused
    assert "ImageTagAlreadyExistsException" in trial.said


def test_a_registry_that_does_not_keep_its_setting_is_found_out(rehearsal):
    """A release tag that could be overwritten although the setting forbids it ends the release, and that is told."""
    rehearsal.allow_destructive = True
    real = rehearsal.registry.PutImage

    def careless(**asked):
        rehearsal.registry.tags.pop(asked["imageTag"], None)
        return real(**asked)

    rehearsal.registry.PutImage = careless
    with pytest.raises(NoGo, match=r"'v1.0.0' names .* checked was") as refused:
        rehearsal.publish()
    assert "The registry let the release tag 'v1.0.0' be overwritten" in str(refused.value)


def test_a_repository_that_lets_the_release_tag_move_is_not_spoiled_by_the_trial(rehearsal):
    """Where the setting itself is wrong, AC2's own scenario says so, and the trial is not made."""
    rehearsal.allow_destructive = True
    rehearsal.registry.setting = {"imageTagMutability": "MUTABLE"}
    publication = rehearsal.publish()
    assert not publication.overwrite_trial.made
    assert rehearsal.registry.tags["v1.0.0"] == publication.digest


def test_the_ledger_of_a_release_holds_only_what_a_release_may_do(rehearsal):
    """What a push does beside botocore is not yet noted here; what botocore saw is allowed."""
    rehearsal.publish()
    calls = rehearsal.call_log.calls
    assert check_changes(calls, "naver-sms-automation").accepted
    assert {call.operation for call in calls if call.changes_something} == {"PutImage"}
    assert not check_changes(calls, "another-repository").accepted


def test_a_rolling_tag_goes_back_to_what_it_named(rehearsal):
    """A release that is refused after its promotion gives `latest` back; the release tag stays where it is."""
    before = rehearsal.registry.put('{"older": "image"}', "latest")
    publication = rehearsal.publish()
    rehearsal.publisher().put_back(before, "latest")
    assert rehearsal.registry.tags["latest"] == before
    assert rehearsal.registry.tags["v1.0.0"] == publication.digest


def test_a_rolling_tag_whose_image_is_gone_cannot_go_back(rehearsal):
    """What the lifecycle policy has expired since is named as missing, and nothing is moved."""
    publication = rehearsal.publish()
    with pytest.raises(AwsRefused):
        rehearsal.publisher().put_back("sha256:" + "9" * 64, "latest")
    assert rehearsal.registry.tags["latest"] == publication.digest
