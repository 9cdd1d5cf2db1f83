"""A fact that could not be had raises its own sentence where it is needed, and nowhere else."""

from dataclasses import dataclass, replace

import boto3
import pytest
from botocore.stub import Stubber

from gate.aws.retry import RetryingClient, TimeSource
from gate.errors import AwsRefused
from gate.evidence.store import plain
from gate.legacy.snapshot import FunctionSnapshot, check_untouched, unread
from gate.missing_facts import MissingFact, PartialFacts, fact_or_missing, fact_or_reason
from gate.registry.ecr import EcrRepository
from gate.scan.inspector import read_coverage

ARN = "arn:aws:lambda:eu-west-1:111122223333:function:f"
REFUSED = AwsRefused("The caller is not allowed x:Read", where="x:Read on y", remedy="grant x:Read")
# Of a repository's snapshot: which operation answers which part.
PARTS = {
    "describe_repositories": "repository",
    "describe_images": "images",
    "get_lifecycle_policy": "lifecycle_policy",
    "get_repository_policy": "repository_policy",
    "list_tags_for_resource": "resource_tags",
}


@dataclass(frozen=True)
class Pair(PartialFacts):
    """Two facts."""

    one: int
    other: int


def refuse():
    """A call that is refused."""
    raise REFUSED


def test_a_gap_raises_where_it_is_read_and_only_there():
    """The other fact is as good as before; a copy has the gap as well."""
    pair = Pair(fact_or_missing(lambda: 1), fact_or_missing(refuse))
    assert pair.one == 1
    with pytest.raises(AwsRefused, match="not allowed x:Read"):
        _ = pair.other
    assert replace(pair, other=2) == Pair(1, 2)


def test_what_is_no_refusal_is_no_gap():
    """A defect of the gate is not swallowed."""
    with pytest.raises(ZeroDivisionError):
        fact_or_missing(lambda: 1 // 0)


def test_evidence_says_in_its_place_that_it_could_not_be_read():
    """A record of facts with a gap is a record all the same."""
    pair = Pair(1, fact_or_missing(refuse))
    assert plain(pair) == {"one": 1, "other": "could not be read: The caller is not allowed x:Read"}
    assert fact_or_reason(lambda: pair.other) == "could not be read: The caller is not allowed x:Read"
    assert fact_or_reason(lambda: pair.one) == 1


@pytest.mark.parametrize("refused", PARTS)
def test_one_refused_read_of_the_repository_is_one_gap(refused):
    """Every other part of the snapshot is there."""
    client = boto3.client("ecr", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
    repository = {
        "repositoryArn": "arn:aws:ecr:eu-west-1:111122223333:repository/app",
        "repositoryName": "app",
        "registryId": "111122223333",
        "repositoryUri": "111122223333.dkr.ecr.eu-west-1.amazonaws.com/app",
        "createdAt": "2026-01-01T00:00:00Z",
        "imageTagMutability": "IMMUTABLE",
    }
    answers = {
        "describe_repositories": {"repositories": [repository]},
        "describe_images": {"imageDetails": []},
        "get_lifecycle_policy": {"lifecyclePolicyText": "{}".ljust(100)},
        "get_repository_policy": {"policyText": "{}"},
        "list_tags_for_resource": {"tags": [{"Key": "a", "Value": "b"}]},
    }
    with Stubber(client) as stub:
        for operation, answer in answers.items():
            if operation == refused:
                stub.add_client_error(operation, "AccessDeniedException", "no", http_status_code=400)
            else:
                stub.add_response(operation, answer)
        snapshot = EcrRepository(client, "111122223333", "app").snapshot()
    for operation, part in PARTS.items():
        if operation == refused:
            with pytest.raises(AwsRefused, match="is not allowed ecr:"):
                getattr(snapshot, part)
        else:
            getattr(snapshot, part)


def test_an_inspector_that_may_not_be_asked_is_a_gap_in_its_own_word():
    """The scan itself is ECR's."""
    client = boto3.client("inspector2", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
    with Stubber(client) as stub:
        stub.add_client_error("list_coverage", "AccessDeniedException", "no", http_status_code=403)
        covered = read_coverage(RetryingClient(client, TimeSource(), lambda _line: None), "app", "sha256:x")
    with pytest.raises(AwsRefused, match="not allowed inspector2:ListCoverage"):
        _ = covered.listed
    assert not covered.active
    assert "could not be read: The caller is not allowed inspector2:ListCoverage" in covered.state


def snapshot(**facts):
    """The zip function, with some parts other than usual."""
    return FunctionSnapshot(ARN, "", {"configuration": {"CodeSha256": "a"}, "aliases": {"live": "1"}, **facts})


@pytest.mark.parametrize(
    ("before", "now", "named"),
    [
        ({}, {"concurrency": unread(REFUSED)}, ["concurrency could not be read now"]),
        ({"rules": unread(REFUSED)}, {}, ["rules could not be read before the release"]),
        # Two gaps are equal, and prove nothing; each is named.
        ({"aliases": unread(REFUSED)}, {"aliases": unread(REFUSED)}, ["aliases could not be read now"]),
        ({}, {"aliases": unread(REFUSED), "urls": unread(REFUSED)}, ["aliases could not", "urls could not"]),
    ],
)
def test_a_part_of_the_zip_function_that_could_not_be_read_is_said_and_is_no_change(before, now, named):
    """With AWS's reason and the way out; nothing is said to have changed."""
    said = [str(each) for each in check_untouched(snapshot(**before), snapshot(**now)).rejections]
    assert len(said) == len(named)
    for each, words in zip(said, named, strict=True):
        assert words in each
        assert "The caller is not allowed x:Read" in each
        assert "to do: grant x:Read" in each
        assert "changed" not in each


def test_a_change_beside_a_gap_is_still_a_change():
    """What could be read is compared."""
    before, now = snapshot(urls=unread(REFUSED)), snapshot(urls=unread(REFUSED), aliases={"live": "2"})
    causes = [each.cause for each in check_untouched(before, now).rejections]
    assert any("aliases.live changed" in cause for cause in causes)
    assert any("urls could not be read" in cause for cause in causes)


def test_a_gap_says_what_it_is():
    """In a sentence."""
    assert str(MissingFact(REFUSED)) == "could not be read: The caller is not allowed x:Read"
