"""Signatures and other referrers: pushed, listed, deleted; stored by the target itself; lifecycle rules at work."""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from localaws import LocalTargetError
from localaws.behaviours import Behaviours, parse
from localaws.ecr import lifecycle, referrers
from localaws.ecr.state import ImageState, RepositoryState
from localaws.target import LocalTarget
from tests.local_target.registry_client import DOCKER, RegistryClient, digest, login, manifest
from tests.local_target.test_ecr_api import code_of
from tests.seeded import SEEDED

OCI = "application/vnd.oci.image.manifest.v1+json"
NOTARY = "application/vnd.cncf.notary.signature"
DIGEST = f"sha256:{'d' * 64}"
EMPTY = "application/vnd.oci.empty.v1+json"
PROFILE = "arn:aws:signer:ap-northeast-2:654654307503:/signing-profiles/rehearsal"


@pytest.fixture
def registry(target: LocalTarget, owner: Any) -> RegistryClient:
    """The administrator's registry protocol."""
    return RegistryClient(target.registry, login(owner))


@pytest.fixture
def behaving(target: LocalTarget) -> Iterator[LocalTarget]:
    """The target; its behaviours are switched off afterwards."""
    yield target
    target.set_behaviours(Behaviours())


def referrer(registry: RegistryClient, repository: str, subject: str, kind: str, config: str = EMPTY) -> bytes:
    """A referrer's manifest, its blobs uploaded."""
    parts = [(config, b"{}"), ("application/json", kind.encode())]
    for _, part in parts:
        registry.upload(repository, part)
    described = [{"mediaType": media, "size": len(part), "digest": digest(part)} for media, part in parts]
    whole = {"schemaVersion": 2, "mediaType": OCI, "config": described[0], "layers": described[1:],
             "subject": {"mediaType": DOCKER, "digest": subject, "size": 1}, "annotations": {"made": "by hand"},
             **({"artifactType": kind} if config == EMPTY else {})}  # fmt: skip
    return json.dumps(whole).encode()


@pytest.mark.docker
def test_referrers_are_stored_listed_and_deleted(owner: Any, registry: RegistryClient, repository: str) -> None:
    """OCI distribution specification 1.1: OCI-Subject, the list with its filter; and ECR's own operation beside it."""
    image = registry.push(repository, "v1", "signed").headers["Docker-Content-Digest"]
    empty = registry.ask("GET", f"/v2/{repository}/referrers/{image}")
    assert (empty.status, json.loads(empty.body)["manifests"]) == (200, [])
    made = {NOTARY: referrer(registry, repository, image, NOTARY, config=NOTARY),
            "text/spdx": referrer(registry, repository, image, "text/spdx")}  # fmt: skip
    for body in made.values():
        put = registry.ask("PUT", f"/v2/{repository}/manifests/{digest(body)}", body, {"Content-Type": OCI})
        assert (put.status, put.headers["OCI-Subject"]) == (201, image)
    listed = registry.ask("GET", f"/v2/{repository}/referrers/{image}")
    found = {each["artifactType"]: each for each in json.loads(listed.body)["manifests"]}
    assert {kind: each["digest"] for kind, each in found.items()} == {kind: digest(body) for kind, body in made.items()}
    assert found[NOTARY]["size"] == len(made[NOTARY])
    assert found[NOTARY]["annotations"] == {"made": "by hand"}
    assert "OCI-Filters-Applied" not in listed.headers
    chosen = registry.ask("GET", f"/v2/{repository}/referrers/{image}?artifactType=text%2Fspdx")
    assert chosen.headers["OCI-Filters-Applied"] == "artifactType"
    assert [each["artifactType"] for each in json.loads(chosen.body)["manifests"]] == ["text/spdx"]
    subject = {"repositoryName": repository, "subjectId": {"imageDigest": image}}
    assert {each["digest"] for each in owner.list_image_referrers(**subject)["referrers"]} == set(
        map(digest, made.values())
    )
    (one,) = owner.list_image_referrers(**subject, filter={"artifactTypes": [NOTARY]})["referrers"]
    assert (one["artifactType"], one["artifactStatus"]) == (NOTARY, "ACTIVE")
    page = owner.list_image_referrers(**subject, maxResults=1)
    assert (len(page["referrers"]), "nextToken" in page) == (1, True)
    details = {each["imageDigest"]: each for each in owner.describe_images(repositoryName=repository)["imageDetails"]}
    assert details[digest(made[NOTARY])]["subjectManifestDigest"] == image
    assert details[digest(made["text/spdx"])]["artifactMediaType"] == "text/spdx"
    assert "subjectManifestDigest" not in details[image]
    assert registry.ask("DELETE", f"/v2/{repository}/manifests/{digest(made[NOTARY])}").status == 202
    assert len(owner.list_image_referrers(**subject)["referrers"]) == 1
    assert registry.ask("DELETE", f"/v2/{repository}/manifests/{digest(made[NOTARY])}").status == 404


@pytest.mark.docker
def test_a_referrer_may_come_before_its_subject(registry: RegistryClient, repository: str) -> None:
    """It is listed under the digest; an invalid digest is refused, in the local target's name."""
    image = digest(manifest(registry, repository, "later"))
    body = referrer(registry, repository, image, "text/spdx")
    assert registry.ask("PUT", f"/v2/{repository}/manifests/early", body, {"Content-Type": OCI}).status == 201
    assert len(json.loads(registry.ask("GET", f"/v2/{repository}/referrers/{image}").body)["manifests"]) == 1
    assert registry.ask("GET", f"/v2/{repository}/referrers/latest").code == "DIGEST_INVALID"
    for method, path in (
        ("POST", f"/v2/{repository}/manifests/x"),
        ("GET", "/v2/_catalog"),
        ("DELETE", f"/v2/{repository}/blobs/{image}"),
    ):
        refused = registry.ask(method, path)
        assert (refused.status, refused.code) == (405, "UNSUPPORTED")
        assert "the local target does not model" in refused.message


@pytest.mark.docker
def test_managed_signing_stores_a_signature_at_push(owner: Any, registry: RegistryClient, repository: str) -> None:
    """By a rule that covers the repository; untagged, of a few hundred bytes, once for each image."""
    assert code_of(owner.get_signing_configuration) == "SigningConfigurationNotFoundException"
    rule = {"signingProfileArn": PROFILE, "repositoryFilters": [{"filter": "test/*", "filterType": "WILDCARD_MATCH"}]}
    owner.put_signing_configuration(signingConfiguration={"rules": [rule]})
    try:
        assert owner.get_signing_configuration()["signingConfiguration"]["rules"] == [rule]
        for tag in ("v1", "latest"):
            image = registry.push(repository, tag, "managed").headers["Docker-Content-Digest"]
        (signature,) = [
            each for each in owner.describe_images(repositoryName=repository)["imageDetails"] if "imageTags" not in each
        ]
        assert (signature["subjectManifestDigest"], signature["artifactMediaType"]) == (image, NOTARY)
        assert signature["imageSizeInBytes"] < 8000
        status = owner.describe_image_signing_status(repositoryName=repository, imageId={"imageTag": "v1"})
        assert [each["status"] for each in status["signingStatuses"]] == ["COMPLETE"]
        assert status["signingStatuses"][0]["signingProfileArn"] == PROFILE
    finally:
        owner.delete_signing_configuration()
    registry.push(repository, "v2", "unsigned")
    assert len(owner.describe_images(repositoryName=repository)["imageDetails"]) == 3


@pytest.mark.docker
def test_behaviours_can_be_switched_on_and_off(
    behaving: LocalTarget, owner: Any, registry: RegistryClient, repository: str
) -> None:
    """Signing without a rule, and the lifecycle policy at every push; neither when they are switched off."""
    selection = {"tagStatus": "tagged", "tagPrefixList": ["v"], "countType": "imageCountMoreThan", "countNumber": 1}
    rule = {"rulePriority": 1, "selection": selection, "action": {"type": "expire"}}
    owner.put_lifecycle_policy(repositoryName=repository, lifecyclePolicyText=json.dumps({"rules": [rule]}))
    for tag in ("v1", "v2"):
        registry.push(repository, tag, tag)
    assert len(owner.describe_images(repositoryName=repository)["imageDetails"]) == 2
    behaving.set_behaviours(Behaviours(managed_signing=True, lifecycle_at_work=True))
    registry.push(repository, "v3", "v3")
    details = owner.describe_images(repositoryName=repository)["imageDetails"]
    assert sorted(each.get("imageTags", ["signature"])[0] for each in details) == ["signature", "v3"]


def test_behaviours_are_known_by_name() -> None:
    """A misspelt one is an error."""
    assert parse("managed_signing, lifecycle_at_work") == Behaviours(managed_signing=True, lifecycle_at_work=True)
    assert parse("") == Behaviours()
    with pytest.raises(LocalTargetError, match="has no behaviour manged_signing: it has managed_signing"):
        parse("manged_signing")


NOW, DAY = 2_000_000_000.0, 86_400.0


def stored(name: str, *tags: str, age: float = 0.0, **more: Any) -> ImageState:
    """An image pushed so many days ago."""
    return ImageState(name, OCI, "", 1, NOW - age * DAY, list(tags), **more)


def left(images: list[ImageState], *rules: dict[str, Any]) -> dict[str, str]:
    """The images that the lifecycle policy leaves, with their statuses."""
    document = [{"rulePriority": number, **rule} for number, rule in enumerate(rules, 1)]
    repository = RepositoryState("r", 1.0, images={each.digest: each for each in images})
    repository.lifecycle = json.dumps({"rules": document})
    lifecycle.apply(repository, NOW)
    return {name: each.status for name, each in repository.images.items()}


def rule(status: str, kind: str, number: int, action: str = "expire", **more: Any) -> dict[str, Any]:
    """One rule."""
    selection = {"tagStatus": status, "countType": kind, "countNumber": number, **more}
    return {"selection": selection, "action": {"type": action}}


def test_the_lifecycle_policy_is_applied_as_in_ecr() -> None:
    """Age and count, the first rule that selects, prefixes and patterns, archive, index and referrers."""
    old, new = stored("old", age=20), stored("new", "v1", age=1)
    assert set(left([old, new], rule("untagged", "sinceImagePushed", 14))) == {"new"}
    assert set(left([old, new], rule("any", "imageCountMoreThan", 1))) == {"new"}
    shielded = [rule("untagged", "sinceImagePushed", 99), rule("any", "imageCountMoreThan", 1)]
    assert set(left([stored("old", age=20), new], *shielded)) == {"old", "new"}
    tagged = [stored("a", "v1", "prod", age=3), stored("b", "v2", age=2)]
    assert set(left(tagged, rule("tagged", "sinceImagePushed", 1, tagPrefixList=["v", "prod"]))) == {"b"}
    assert set(left(tagged, rule("tagged", "sinceImagePushed", 1, tagPrefixList=["v*"]))) == {"a", "b"}
    tagged = [stored("a", "x-v1", age=3), stored("b", "v2", age=2)]
    assert set(left(tagged, rule("tagged", "sinceImagePushed", 1, tagPatternList=["*v*1"]))) == {"b"}
    archived = left([stored("a", "v1", age=9)], rule("any", "sinceImagePulled", 5, action="transition"))
    assert archived == {"a": "ARCHIVED"}
    gone = stored("a", "v1", age=90, status="ARCHIVED", archived_at=NOW - 50 * DAY)
    assert left([gone], rule("any", "sinceImageTransitioned", 40, storageClass="archive")) == {}
    index = [stored("child", age=20), stored("index", "v1", age=1, children=["child"])]
    assert set(left(index, rule("untagged", "sinceImagePushed", 14))) == {"child", "index"}
    signed = [stored("a", "v1", age=20), stored("s", "x", age=20, subject="a"), stored("t", "y", age=0.5, subject="a")]
    assert set(left(signed, rule("tagged", "sinceImagePushed", 14, tagPrefixList=["v"]))) == {"t"}


@pytest.mark.docker
def test_signing_that_fails_is_said_and_stores_nothing(
    target: LocalTarget, owner: Any, registry: RegistryClient, repository: str
) -> None:
    """As on AWS where whoever pushes may not sign."""
    owner.put_signing_configuration(signingConfiguration={"rules": [{"signingProfileArn": PROFILE}]})
    target.set_behaviours(Behaviours(signing_fails=True))
    try:
        registry.push(repository, "v1", "unsigned")
        status = owner.describe_image_signing_status(repositoryName=repository, imageId={"imageTag": "v1"})
        assert [(each["status"], each["failureCode"]) for each in status["signingStatuses"]] == [
            ("FAILED", "AccessDenied")
        ]
        assert len(owner.describe_images(repositoryName=repository)["imageDetails"]) == 1
    finally:
        target.set_behaviours(Behaviours())
        owner.delete_signing_configuration()


@pytest.mark.docker
def test_what_is_pushed_is_replicated_by_the_rule_that_covers_it(
    target: LocalTarget, owner: Any, registry: RegistryClient, repository: str
) -> None:
    """To another region, which answers for its images; another account answers nobody; what was there before stays."""
    before = registry.push(repository, "v0", "before").headers["Docker-Content-Digest"]
    places = [{"region": "us-west-2", "registryId": account} for account in (SEEDED.account, "111122223333")]
    rule = {"destinations": places, "repositoryFilters": [{"filter": "test/", "filterType": "PREFIX_MATCH"}]}
    owner.put_replication_configuration(replicationConfiguration={"rules": [rule]})
    try:
        assert owner.describe_registry()["replicationConfiguration"]["rules"] == [rule]
        image = registry.push(repository, "v1", "replicated").headers["Docker-Content-Digest"]
    finally:
        owner.put_replication_configuration(replicationConfiguration={"rules": []})

    def stated(digest: str) -> list[tuple[str, str]]:
        answer = owner.describe_image_replication_status(repositoryName=repository, imageId={"imageDigest": digest})
        return [(each["registryId"], each["status"]) for each in answer["replicationStatuses"]]

    assert stated(image) == [(SEEDED.account, "COMPLETE"), ("111122223333", "COMPLETE")]
    assert stated(before) == []
    there = target.session(SEEDED.administrator).client("ecr", "us-west-2", endpoint_url=target.endpoint)
    asked = {"repositoryName": repository, "imageIds": [{"imageDigest": image}]}
    assert [each["imageDigest"] for each in there.describe_images(**asked)["imageDetails"]] == [image]
    gone = {**asked, "imageIds": [{"imageDigest": before}]}
    assert code_of(there.describe_images, **gone) == "ImageNotFoundException"
    assert code_of(there.describe_images, **asked, registryId="111122223333") == "AccessDeniedException"
    elsewhere = target.session(SEEDED.administrator).client("ecr", "eu-west-1", endpoint_url=target.endpoint)
    assert code_of(elsewhere.describe_images, **asked) == "RepositoryNotFoundException"


def test_an_archived_referrer_is_hidden_from_the_registry_protocol() -> None:
    """It can be pulled no more; ListImageReferrers shows it where asked for by its status."""
    body = json.dumps({"schemaVersion": 2, "mediaType": OCI, "layers": [],
                       "config": {"mediaType": EMPTY, "digest": DIGEST, "size": 2}}).encode()  # fmt: skip
    repository = RepositoryState("app", 0.0)
    for name, status in (("a", "ACTIVE"), ("b", "ARCHIVED")):
        image = ImageState(f"sha256:{name * 64}", OCI, NOTARY, 1, 0.0, subject=DIGEST, status=status)
        repository.images[image.digest] = image
    ecr: Any = SimpleNamespace(blobs=SimpleNamespace(manifest=lambda *_: body))
    shown = json.loads(referrers.index(ecr, repository, DIGEST, None))["manifests"]
    assert [each["digest"] for each in shown] == [f"sha256:{'a' * 64}"]
