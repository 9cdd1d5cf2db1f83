"""The ECR API as boto3 sees it: botocore's own parser reads every answer."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from localaws.target import LocalTarget
from tests.local_target.registry_client import DOCKER, INDEX, RegistryClient, digest, login, manifest
from tests.seeded import SEEDED

pytestmark = pytest.mark.docker


@pytest.fixture(scope="session")
def registry(target: LocalTarget, owner: Any) -> RegistryClient:
    """The administrator's registry protocol."""
    return RegistryClient(target.registry, login(owner))


def code_of(call: Callable[..., Any], **parameters: Any) -> str:
    """The error code with which a call is refused."""
    with pytest.raises(ClientError) as refusal:
        call(**parameters)
    return str(refusal.value.response["Error"]["Code"])


def test_the_seeded_repository_is_the_storys(owner: Any) -> None:
    """URI, mutability with its two exclusions, tags and policies are what the release expects."""
    (found,) = owner.describe_repositories(repositoryNames=[SEEDED.repository])["repositories"]
    assert found["repositoryUri"] == "654654307503.dkr.ecr.ap-northeast-2.amazonaws.com/naver-sms-automation"
    assert found["imageTagMutability"] == "IMMUTABLE_WITH_EXCLUSION"
    assert [each["filter"] for each in found["imageTagMutabilityExclusionFilters"]] == ["latest", "candidate"]
    tags = owner.list_tags_for_resource(resourceArn=found["repositoryArn"])["tags"]
    assert {tag["Key"] for tag in tags} == {"Project", "ManagedBy", "Environment", "ProvisionedBy"}
    assert (
        "LambdaECRImageRetrievalPolicy" in owner.get_repository_policy(repositoryName=SEEDED.repository)["policyText"]
    )
    assert json.loads(owner.get_lifecycle_policy(repositoryName=SEEDED.repository)["lifecyclePolicyText"])["rules"]


def test_a_login_lasts_twelve_hours_and_names_this_registry(ecr: Any, target: LocalTarget) -> None:
    """The password's end and the address to push to come with the token."""
    (entry,) = ecr.get_authorization_token()["authorizationData"]
    assert entry["proxyEndpoint"] == target.endpoint
    left = entry["expiresAt"] - datetime.now(UTC)
    assert timedelta(hours=11, minutes=59) < left <= timedelta(hours=12)


def test_a_pushed_image_is_described_as_it_was_pushed(owner: Any, registry: RegistryClient, repository: str) -> None:
    """Digest, compressed size, media types, time and status are those of what was pushed."""
    body = manifest(registry, repository, "true")
    pushed = registry.ask("PUT", f"/v2/{repository}/manifests/v1", body, {"Content-Type": DOCKER})
    assert pushed.headers["Docker-Content-Digest"] == digest(body)
    (image,) = owner.describe_images(repositoryName=repository)["imageDetails"]
    read = json.loads(body)
    assert image["imageDigest"] == digest(body)
    assert image["imageSizeInBytes"] == read["config"]["size"] + read["layers"][0]["size"]
    assert (image["imageManifestMediaType"], image["artifactMediaType"]) == (DOCKER, read["config"]["mediaType"])
    assert (image["imageTags"], image["imageStatus"]) == (["v1"], "ACTIVE")
    assert abs(datetime.now(UTC) - image["imagePushedAt"]) < timedelta(minutes=1)
    (got,) = owner.batch_get_image(repositoryName=repository, imageIds=[{"imageTag": "v1"}])["images"]
    assert got["imageManifest"].encode() == body


def test_images_are_listed_page_by_page(owner: Any, registry: RegistryClient, repository: str) -> None:
    """Three images on pages of two; filters tell tagged from untagged."""
    for tag in ("a", "b", "a"):
        assert registry.push(repository, tag, f"content {time.time_ns()}").status == 201
    pages = owner.get_paginator("describe_images").paginate(repositoryName=repository, PaginationConfig={"PageSize": 2})
    sizes = [len(page["imageDetails"]) for page in pages]
    assert sizes == [2, 1]
    untagged = owner.list_images(repositoryName=repository, filter={"tagStatus": "UNTAGGED"})["imageIds"]
    tagged = owner.list_images(repositoryName=repository, filter={"tagStatus": "TAGGED"})["imageIds"]
    assert (len(untagged), {each["imageTag"] for each in tagged}) == (1, {"a", "b"})


def test_put_image_moves_only_mutable_tags(owner: Any, registry: RegistryClient, repository: str) -> None:
    """An immutable tag is refused even for its own digest, an excluded one moves, an equal one exists already."""
    owner.put_image_tag_mutability(
        repositoryName=repository,
        imageTagMutability="IMMUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters=[{"filterType": "WILDCARD", "filter": "la*"}],
    )
    first, second = (manifest(registry, repository, content).decode() for content in ("one", "two"))
    put = {"repositoryName": repository, "imageManifestMediaType": DOCKER}
    owner.put_image(**put, imageManifest=first, imageTag="v1")
    owner.put_image(**put, imageManifest=first, imageTag="latest")
    for body in (first, second):
        assert code_of(owner.put_image, **put, imageManifest=body, imageTag="v1") == "ImageTagAlreadyExistsException"
    assert code_of(owner.put_image, **put, imageManifest=first, imageTag="latest") == "ImageAlreadyExistsException"
    owner.put_image(**put, imageManifest=second, imageTag="latest")
    (latest,) = owner.describe_images(repositoryName=repository, imageIds=[{"imageTag": "latest"}])["imageDetails"]
    assert latest["imageDigest"] == digest(second.encode())


def test_put_image_refuses_incomplete_images(owner: Any, registry: RegistryClient, repository: str) -> None:
    """Missing layers, a wrong digest and a text that is not a manifest are three different errors."""
    body = manifest(registry, repository, "whole").decode()
    missing = json.loads(body)
    missing["layers"][0]["digest"] = f"sha256:{'0' * 64}"
    put = {"repositoryName": repository, "imageTag": "x"}
    assert code_of(owner.put_image, **put, imageManifest=json.dumps(missing)) == "LayersNotFoundException"
    wrong = {"imageManifest": body, "imageDigest": f"sha256:{'0' * 64}"}
    assert code_of(owner.put_image, **put, **wrong) == "ImageDigestDoesNotMatchException"
    assert code_of(owner.put_image, **put, imageManifest="no") == "InvalidParameterException"
    assert owner.describe_images(repositoryName=repository)["imageDetails"] == []


def test_an_index_needs_its_images_and_cannot_be_scanned(owner: Any, registry: RegistryClient, repository: str) -> None:
    """It is stored as an index, its images cannot be deleted, and StartImageScan refuses it."""
    child = registry.push(repository, "child", "child").headers["Docker-Content-Digest"]
    entry = {"mediaType": DOCKER, "size": 1, "digest": child, "platform": {"architecture": "amd64", "os": "linux"}}
    whole = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}
    lost = {**whole, "manifests": [{**entry, "digest": f"sha256:{'0' * 64}"}]}
    headers = {"Content-Type": INDEX}
    refused = registry.ask("PUT", f"/v2/{repository}/manifests/index", json.dumps(lost).encode(), headers)
    assert refused.code == "MANIFEST_BLOB_UNKNOWN"
    taken = registry.ask("PUT", f"/v2/{repository}/manifests/index", json.dumps(whole).encode(), headers)
    assert taken.status == 201
    deleted = owner.batch_delete_image(repositoryName=repository, imageIds=[{"imageDigest": child}])
    assert deleted["failures"][0]["failureCode"] == "ImageReferencedByManifestList"
    scan = {"repositoryName": repository, "imageId": {"imageTag": "index"}}
    assert code_of(owner.start_image_scan, **scan) == "UnsupportedImageTypeException"


def test_deleting_its_last_tag_deletes_an_image(owner: Any, registry: RegistryClient, repository: str) -> None:
    """Deleting one of two tags keeps the image; deleting the last removes it; the unknown one is a failure."""
    body = manifest(registry, repository, "gone").decode()
    for tag in ("a", "b"):
        owner.put_image(repositoryName=repository, imageManifest=body, imageTag=tag)
    delete = {"repositoryName": repository}
    owner.batch_delete_image(**delete, imageIds=[{"imageTag": "a"}])
    assert owner.describe_images(repositoryName=repository)["imageDetails"][0]["imageTags"] == ["b"]
    owner.batch_delete_image(**delete, imageIds=[{"imageTag": "b"}])
    assert owner.describe_images(repositoryName=repository)["imageDetails"] == []
    assert registry.ask("GET", f"/v2/{repository}/manifests/{digest(body.encode())}").code == "MANIFEST_UNKNOWN"
    answer = owner.batch_delete_image(**delete, imageIds=[{"imageTag": "b"}])
    assert answer["failures"][0]["failureCode"] == "ImageNotFound"
    assert code_of(owner.describe_images, **delete, imageIds=[{"imageTag": "b"}]) == "ImageNotFoundException"


def test_layers_are_known_by_digest(owner: Any, registry: RegistryClient, repository: str) -> None:
    """BatchCheckLayerAvailability tells which blobs need no upload."""
    there = registry.upload(repository, b"a blob")
    absent = f"sha256:{'0' * 64}"
    answer = owner.batch_check_layer_availability(repositoryName=repository, layerDigests=[there, absent])
    found = {each["layerDigest"]: each["layerAvailability"] for each in answer["layers"]}
    assert found == {there: "AVAILABLE", absent: "UNAVAILABLE"}
    (failure,) = owner.batch_check_layer_availability(repositoryName=repository, layerDigests=["a b"])["failures"]
    assert failure["failureCode"] == "InvalidLayerDigest"


def test_a_scan_has_its_statuses_in_order(owner: Any, registry: RegistryClient, repository: str) -> None:
    """ScanNotFound, IN_PROGRESS, COMPLETE with findings, LimitExceeded: in this order."""
    registry.push(repository, "v1", "scanned")
    image = {"repositoryName": repository, "imageId": {"imageTag": "v1"}}
    assert code_of(owner.describe_image_scan_findings, **image) == "ScanNotFoundException"
    assert owner.start_image_scan(**image)["imageScanStatus"]["status"] == "IN_PROGRESS"
    under_way = owner.describe_image_scan_findings(**image)
    assert (under_way["imageScanStatus"]["status"], "imageScanFindings" in under_way) == ("IN_PROGRESS", False)
    owner.get_waiter("image_scan_complete").wait(**image, WaiterConfig={"Delay": 1})
    findings = owner.describe_image_scan_findings(**image)["imageScanFindings"]
    assert findings["findingSeverityCounts"] == {"CRITICAL": 1}
    assert findings["findings"][0]["severity"] == "CRITICAL"
    assert findings["vulnerabilitySourceUpdatedAt"].year == 2023
    assert code_of(owner.start_image_scan, **image) == "LimitExceededException"


def test_enhanced_scanning_has_its_own_answers(
    owner: Any, registry: RegistryClient, repository: str, client: Any
) -> None:
    """Under ENHANCED the findings are in `enhancedFindings`, StartImageScan is refused, Inspector lists the image."""
    inspector = client("inspector2", role=SEEDED.administrator)
    its = {"ecrRepositoryName": [{"comparison": "EQUALS", "value": repository}]}
    assert inspector.list_coverage(filterCriteria=its)["coveredResources"] == []
    rule = {"scanFrequency": "CONTINUOUS_SCAN", "repositoryFilters": [{"filter": "test/*", "filterType": "WILDCARD"}]}
    registry.push(repository, "v1", "enhanced")
    image = {"repositoryName": repository, "imageId": {"imageTag": "v1"}}
    owner.put_registry_scanning_configuration(scanType="ENHANCED", rules=[rule])
    try:
        assert owner.get_registry_scanning_configuration()["scanningConfiguration"]["scanType"] == "ENHANCED"
        (how,) = owner.batch_get_repository_scanning_configuration(repositoryNames=[repository])[
            "scanningConfigurations"
        ]
        assert how["scanFrequency"] == "CONTINUOUS_SCAN"
        assert code_of(owner.start_image_scan, **image) == "ValidationException"
        answer = _until(lambda: owner.describe_image_scan_findings(**image), "ACTIVE")
        while "imageScanCompletedAt" not in answer["imageScanFindings"]:  # taken in, and not yet looked at
            assert answer["imageScanFindings"] == {"findings": []}
            answer = _until(lambda: owner.describe_image_scan_findings(**image), "ACTIVE")
        (covered,) = inspector.list_coverage(filterCriteria=its)["coveredResources"]
        assert covered["scanStatus"] == {"statusCode": "ACTIVE", "reason": "SUCCESSFUL"}
        assert covered["lastScannedAt"] == answer["imageScanFindings"]["imageScanCompletedAt"]
        assert covered["resourceId"].endswith(answer["imageId"]["imageDigest"])
        unknown = {"accountId": [{"comparison": "EQUALS", "value": "1"}]}
        assert code_of(inspector.list_coverage, filterCriteria=unknown) == "ValidationException"
        (finding,) = answer["imageScanFindings"]["enhancedFindings"]
        assert "findings" not in answer["imageScanFindings"]
        assert finding["packageVulnerabilityDetails"]["vulnerabilityId"] == "CVE-2023-4863"
        assert finding["packageVulnerabilityDetails"]["vulnerablePackages"][0]["fixedInVersion"] == "1.3.2"
    finally:
        owner.put_registry_scanning_configuration(scanType="BASIC", rules=[])


def _until(ask: Callable[[], Any], status: str) -> Any:
    deadline = time.monotonic() + 20
    while (answer := ask())["imageScanStatus"]["status"] != status:
        assert time.monotonic() < deadline, answer
        time.sleep(0.1)
    return answer


def test_policies_are_answered_as_set_and_validated(owner: Any, repository: str) -> None:
    """Repository and lifecycle policy: set, got, deleted, gone; nonsense is refused and changes nothing."""
    one = {"repositoryName": repository}
    assert code_of(owner.get_repository_policy, **one) == "RepositoryPolicyNotFoundException"
    assert code_of(owner.get_lifecycle_policy, **one) == "LifecyclePolicyNotFoundException"
    assert code_of(owner.set_repository_policy, **one, policyText="no") == "InvalidParameterException"
    assert (
        code_of(owner.put_lifecycle_policy, **one, lifecyclePolicyText="{}".ljust(100)) == "InvalidParameterException"
    )
    text = json.dumps({"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "ecr:PutImage"}]})
    owner.set_repository_policy(**one, policyText=text)
    assert owner.get_repository_policy(**one)["policyText"] == text
    owner.delete_repository_policy(**one)
    assert code_of(owner.get_repository_policy, **one) == "RepositoryPolicyNotFoundException"


def test_repositories_are_created_and_deleted_by_ecrs_rules(
    owner: Any, registry: RegistryClient, repository: str
) -> None:
    """No duplicate and no invalid name; one with images is deleted by force only."""
    assert code_of(owner.create_repository, repositoryName=repository) == "RepositoryAlreadyExistsException"
    assert code_of(owner.create_repository, repositoryName="Not/Valid") == "InvalidParameterException"
    assert code_of(owner.describe_repositories, repositoryNames=["none"]) == "RepositoryNotFoundException"
    registry.push(repository, "v1", "content")
    assert code_of(owner.delete_repository, repositoryName=repository) == "RepositoryNotEmptyException"
    owner.delete_repository(repositoryName=repository, force=True)
    assert code_of(owner.describe_images, repositoryName=repository) == "RepositoryNotFoundException"


def test_resource_tags_change(owner: Any, repository: str) -> None:
    """Tags are added, replaced and removed."""
    arn = owner.describe_repositories(repositoryNames=[repository])["repositories"][0]["repositoryArn"]
    owner.tag_resource(resourceArn=arn, tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    owner.untag_resource(resourceArn=arn, tagKeys=["a"])
    assert owner.list_tags_for_resource(resourceArn=arn)["tags"] == [{"Key": "b", "Value": "2"}]


def test_the_registry_has_no_policy_and_replicates_nowhere(owner: Any) -> None:
    """Nobody can replicate into it."""
    assert code_of(owner.get_registry_policy) == "RegistryPolicyNotFoundException"
    assert owner.describe_registry()["replicationConfiguration"] == {"rules": []}


def test_parameters_of_another_shape_are_refused(target: LocalTarget) -> None:
    """A client without validation gets InvalidParameterException, also where the names decide on permission."""
    careless = Config(parameter_validation=False)
    owner = target.session(SEEDED.administrator).client("ecr", endpoint_url=target.endpoint, config=careless)
    assert code_of(owner.describe_repositories, repositoryNames=[1]) == "InvalidParameterException"
    assert code_of(owner.list_tags_for_resource, resourceArn="arn:aws:s3:::x") == "InvalidParameterException"
    assert (
        code_of(owner.describe_images, repositoryName=SEEDED.repository, maxResults=1001) == "InvalidParameterException"
    )
    many = [{"imageTag": f"t{number}"} for number in range(101)]
    assert (
        code_of(owner.batch_get_image, repositoryName=SEEDED.repository, imageIds=many) == "InvalidParameterException"
    )
    wrong = {"filter": {"tagStatus": "SOMETIMES"}}
    assert code_of(owner.list_images, repositoryName=SEEDED.repository, **wrong) == "InvalidParameterException"


def test_an_operation_that_is_not_modelled_is_named(owner: Any) -> None:
    """The error names the operation, and is not retried as a server error would be."""
    with pytest.raises(ClientError, match="does not model ecr:GetAccountSetting") as refusal:
        owner.get_account_setting(name="BASIC_SCAN_TYPE_VERSION")
    assert refusal.value.response["ResponseMetadata"]["RetryAttempts"] == 0
