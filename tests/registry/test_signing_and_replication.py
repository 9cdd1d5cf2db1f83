"""What ECR does by itself with a pushed image: which rules cover it, how far they are, and what counts as done."""

import pytest

from gate.aws.retry import TimeSource
from gate.errors import AwsRefused
from gate.registry.signing_and_replication import (
    Destination,
    ImageSigning,
    Progress,
    Replica,
    check_replicated,
    check_signed,
    destinations,
    signing_profiles,
)
from gate.registry.signing_and_replication_reader import SigningAndReplicationReader
from tests.field.wire import REGION, client

ACCOUNT, OTHER, NAME, DIGEST = "654654307503", "111122223333", "team/app", f"sha256:{'a' * 64}"
PROFILE = f"arn:aws:signer:{REGION}:{ACCOUNT}:/signing-profiles/releases"
FOREIGN = f"arn:aws:signer:{REGION}:{OTHER}:/signing-profiles/another"
COMPLETE, FAILED, WAITING = (
    Progress("COMPLETE"),
    Progress("FAILED", "AccessDenied: no SignPayload"),
    Progress("IN_PROGRESS"),
)
TOKYO, THERE = Destination("ap-northeast-1", ACCOUNT), Destination(REGION, OTHER)


def wildcard(*patterns):
    """Filters of a signing rule."""
    return [{"filter": each, "filterType": "WILDCARD_MATCH"} for each in patterns]


def rule(*places, prefixes=()):
    """A replication rule."""
    to = [{"region": each.region, "registryId": each.account} for each in places]
    filters = [{"filter": each, "filterType": "PREFIX_MATCH"} for each in prefixes]
    return {"destinations": to, **({"repositoryFilters": filters} if filters else {})}


@pytest.mark.parametrize(
    ("filters", "covers"),
    [
        ([], True),
        (["*"], True),
        (["team/*"], True),
        (["team/app"], True),
        (["team"], False),
        (["other/*", "*app"], True),
    ],
)
def test_a_signing_rule_covers_by_its_wildcards_and_without_any_everything(filters, covers):
    """As ECR's filters do."""
    found = signing_profiles([{"signingProfileArn": PROFILE, "repositoryFilters": wildcard(*filters)}], NAME)
    assert found == ((PROFILE,) if covers else ())


@pytest.mark.parametrize(
    ("prefixes", "covers"), [([], True), (["team/"], True), (["team/app-two"], False), (["x", "te"], True)]
)
def test_a_replication_rule_covers_by_prefix(prefixes, covers):
    """And each destination counts once."""
    assert destinations([rule(TOKYO, prefixes=prefixes), rule(TOKYO, prefixes=prefixes)], NAME) == (
        (TOKYO,) if covers else ()
    )


def test_a_filter_of_a_kind_that_is_not_known_is_no_answer():
    """It may cover the repository."""
    with pytest.raises(ValueError, match="REGEX 'x' is not known"):
        signing_profiles(
            [{"signingProfileArn": PROFILE, "repositoryFilters": [{"filter": "x", "filterType": "REGEX"}]}], NAME
        )


@pytest.mark.parametrize(
    ("profiles", "statuses", "reviewed", "said"),
    [
        ((), {}, "", None),
        ((PROFILE,), {PROFILE: COMPLETE}, PROFILE, None),
        ((), {}, PROFILE, "No signing rule of the registry covers the repository"),
        ((PROFILE,), {PROFILE: COMPLETE}, "", "and nobody has reviewed it"),
        ((FOREIGN,), {FOREIGN: COMPLETE}, PROFILE, "which is not the reviewed one"),
        ((PROFILE, FOREIGN), {PROFILE: COMPLETE, FOREIGN: COMPLETE}, PROFILE, "which is not the reviewed one"),
        ((PROFILE,), {PROFILE: FAILED}, PROFILE, "FAILED (AccessDenied: no SignPayload)"),
        ((PROFILE,), {PROFILE: WAITING}, PROFILE, "still IN_PROGRESS at the end of --scan-timeout"),
        ((PROFILE,), {}, PROFILE, "no status at all"),
        ((PROFILE,), {FOREIGN: COMPLETE}, PROFILE, "no status at all"),
        ((PROFILE,), {PROFILE: Progress("PAUSED")}, PROFILE, "PAUSED"),
    ],
)
def test_only_complete_by_the_reviewed_profile_is_signed(profiles, statuses, reviewed, said):
    """What is unknown is a no; where nothing is configured and nothing stated, all is well."""
    found = check_signed(ImageSigning(profiles, statuses), reviewed)
    assert found.accepted == (said is None)
    assert said is None or any(said in each.cause for each in found.rejections)


def test_two_faults_of_signing_are_two_rejections():
    """The reviewed profile's rule was replaced by another."""
    assert len(check_signed(ImageSigning((FOREIGN,), {}), PROFILE).rejections) == 2


@pytest.mark.parametrize(
    ("replica", "said"),
    [
        (Replica(TOKYO, COMPLETE, "ACTIVE"), None),
        (Replica(THERE, COMPLETE, unasked="not allowed"), None),
        # Pushed before the rule was made: ECR states nothing, and the destination has it all the same.
        (Replica(TOKYO, Progress(), "ACTIVE"), None),
        (Replica(TOKYO, COMPLETE, "absent"), "it has no such image, while ECR states COMPLETE"),
        (Replica(TOKYO, COMPLETE, "ARCHIVED"), "its status there is ARCHIVED"),
        (Replica(THERE, FAILED, unasked="not allowed"), "ECR states FAILED (AccessDenied"),
        (Replica(THERE, WAITING, unasked="not allowed"), "it could not be asked itself: not allowed"),
        (Replica(THERE, Progress(), unasked="not allowed"), "no status at all"),
        (Replica(THERE, Progress("PAUSED")), "ECR states PAUSED"),
    ],
)
def test_a_destination_that_answers_decides_and_else_ecrs_word(replica, said):
    """Held means that it can be pulled there."""
    found = check_replicated([Replica(TOKYO, COMPLETE, "ACTIVE"), replica], DIGEST)
    assert found.accepted == (said is None)
    assert said is None or f"{replica.destination} does not hold {DIGEST}: " in found.rejections[0].cause
    assert said is None or said in found.rejections[0].cause


def test_nothing_is_replicated_and_nothing_is_wrong():
    """No rule covers the repository."""
    assert check_replicated((), DIGEST).accepted


class Reading:
    """A reader on answers, with a clock that only its own waiting moves."""

    def __init__(self, **answers):
        self.seconds, self.said = 0.0, []
        made = client("ecr", answers)
        time = TimeSource(monotonic=lambda: self.seconds, sleep=self._sleep)
        self.reader = SigningAndReplicationReader(lambda _region: made, REGION, ACCOUNT, NAME, time, self.said.append)

    def _sleep(self, seconds):
        self.seconds += seconds


def signing(*statuses):
    """A registry that signs, and what it answers of the image, one after the other."""
    rules = {"rules": [{"signingProfileArn": PROFILE, "repositoryFilters": wildcard("team/*")}]}
    stated = [{"signingStatuses": [{"signingProfileArn": PROFILE, **each}] if each else []} for each in statuses]
    return Reading(GetSigningConfiguration={"signingConfiguration": rules}, DescribeImageSigningStatus=stated)


def test_a_registry_that_signs_nothing_is_asked_once():
    """By AWS's own error, and where no rule covers the repository."""
    reading = Reading(GetSigningConfiguration={"__type": "SigningConfigurationNotFoundException"})
    assert reading.reader.signing(DIGEST, 900) == ImageSigning()
    rules = [{"signingProfileArn": PROFILE, "repositoryFilters": wildcard("other/*")}]
    reading = Reading(GetSigningConfiguration={"signingConfiguration": {"rules": rules}})
    assert reading.reader.signing(DIGEST, 900) == ImageSigning()
    assert (reading.seconds, reading.said) == (0, [])


@pytest.mark.parametrize(
    ("statuses", "status", "seconds"),
    [
        ([{"status": "COMPLETE"}], "COMPLETE", 0),
        ([{}, {"status": "IN_PROGRESS"}, {"status": "COMPLETE"}], "COMPLETE", 10),
        ([{"status": "IN_PROGRESS"}, {"status": "FAILED", "failureCode": "X", "failureReason": "y"}], "FAILED", 5),
        ([{"status": "IN_PROGRESS"}], "IN_PROGRESS", 900),
        ([{"status": "PAUSED"}], "PAUSED", 60),
        ([{}], "", 60),
    ],
)
def test_signing_is_waited_for_as_long_as_it_is_in_progress(statuses, status, seconds):
    """Until --scan-timeout; what ECR says nothing of, for a minute."""
    reading = signing(*statuses)
    found = reading.reader.signing(DIGEST, 900)
    assert found.statuses.get(PROFILE, Progress()).status == status
    assert reading.seconds == seconds
    assert found.statuses.get(PROFILE, Progress()).failure == ("X: y" if status == "FAILED" else "")


def test_an_image_that_is_not_known_yet_is_waited_for():
    """Right after a push."""
    reading = signing({})
    reading = Reading(
        GetSigningConfiguration={"signingConfiguration": {"rules": [{"signingProfileArn": PROFILE}]}},
        DescribeImageSigningStatus=[
            {"__type": "ImageNotFoundException"},
            {"signingStatuses": [{"signingProfileArn": PROFILE, "status": "COMPLETE"}]},
        ],
    )
    assert check_signed(reading.reader.signing(DIGEST, 900), PROFILE).accepted
    assert reading.seconds == 5


def replicating(statuses, **there):
    """A registry that replicates to a region and an account, and what the destination answers."""
    rules = {"rules": [rule(TOKYO, prefixes=["team/"])]}
    stated = [{"replicationStatuses": [{"region": TOKYO.region, "registryId": ACCOUNT, **each}]} for each in statuses]
    return Reading(DescribeRegistry={"replicationConfiguration": rules}, DescribeImageReplicationStatus=stated,
                   DescribeImages=there)  # fmt: skip


def test_a_registry_that_replicates_nothing_is_asked_once():
    """No rule, or none that covers the repository."""
    for rules in ([], [rule(TOKYO, prefixes=["other/"])]):
        reading = Reading(DescribeRegistry={"replicationConfiguration": {"rules": rules}})
        assert reading.reader.replication(DIGEST, 900) == ()
        assert reading.seconds == 0


@pytest.mark.parametrize(
    ("there", "held"),
    [
        ({"imageDetails": [{"imageDigest": DIGEST, "imageStatus": "ACTIVE"}]}, "ACTIVE"),
        ({"imageDetails": [{"imageDigest": DIGEST}]}, "UNSTATED"),
        ({"__type": "ImageNotFoundException"}, "absent"),
        ({"__type": "RepositoryNotFoundException"}, "absent"),
    ],
)
def test_a_destination_is_asked_for_the_digest(there, held):
    """After the source has ended."""
    reading = replicating([{"status": "IN_PROGRESS"}, {"status": "COMPLETE"}], **there)
    assert reading.reader.replication(DIGEST, 900) == (Replica(TOKYO, COMPLETE, held),)
    assert reading.seconds == 5


@pytest.mark.parametrize("there", [{"__type": "AccessDeniedException"}, {}])
def test_a_destination_that_gives_no_answer_leaves_ecrs_word(there):
    """Not allowed there, or an answer without an image; the reason is kept."""
    (found,) = replicating([{"status": "COMPLETE"}], **there).reader.replication(DIGEST, 900)
    assert (found.status, found.held) == (COMPLETE, "")
    assert "DescribeImages" in found.unasked


@pytest.mark.parametrize(
    ("ask", "operation"),
    [("signing", "GetSigningConfiguration"), ("signing", "DescribeImageSigningStatus"),
     ("replication", "DescribeRegistry"), ("replication", "DescribeImageReplicationStatus")],
)  # fmt: skip
def test_a_refused_call_names_its_permission(ask, operation):
    """And nothing is taken for unconfigured."""
    rules = {"GetSigningConfiguration": {"signingConfiguration": {"rules": [{"signingProfileArn": PROFILE}]}},
             "DescribeRegistry": {"replicationConfiguration": {"rules": [rule(TOKYO)]}}}  # fmt: skip
    reading = Reading(**{**rules, operation: {"__type": "AccessDeniedException"}})
    with pytest.raises(AwsRefused, match=f"not allowed ecr:{operation}"):
        getattr(reading.reader, ask)(DIGEST, 900)


@pytest.mark.parametrize(
    ("ask", "operation"), [("signing", "GetSigningConfiguration"), ("replication", "DescribeRegistry")]
)
def test_an_answer_without_rules_is_not_taken_for_none(ask, operation):
    """An endpoint that answers {} knows nothing."""
    with pytest.raises(AwsRefused, match="cannot be read"):
        getattr(Reading(**{operation: {}}).reader, ask)(DIGEST, 900)
