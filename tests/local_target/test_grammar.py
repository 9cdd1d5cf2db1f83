"""What ECR refuses: tags, sizes, media types, identifiers, policies, resource tags; with its errors."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from policy_sentry.querying.actions import get_actions_for_service

from localaws.ecr import principals, service_model
from localaws.ecr.errors import EcrError
from localaws.target import LocalTarget
from tests.local_target.registry_client import DOCKER, INDEX, RegistryClient, login, manifest
from tests.local_target.test_ecr_api import code_of
from tests.seeded import SEEDED

NOWHERE = f"sha256:{'0' * 64}"
ACCOUNT = f"arn:aws:iam::{SEEDED.account}"


@pytest.fixture(scope="module")
def registry(target: LocalTarget, owner: Any) -> RegistryClient:
    """The administrator's registry protocol."""
    return RegistryClient(target.registry, login(owner))


@pytest.mark.docker
@pytest.mark.parametrize("tag", ["-bad-", ".bad", "a b", "a" * 129, "ä", "a/b", "a+b", "a:b", ""])
def test_an_invalid_tag_is_refused(owner: Any, registry: RegistryClient, repository: str, tag: str) -> None:
    """Over the registry protocol and in PutImage alike; nothing is stored."""
    body = manifest(registry, repository, "tag")
    quoted = "".join(f"%{byte:02X}" for byte in tag.encode())
    refused = registry.ask("PUT", f"/v2/{repository}/manifests/{quoted}", body, {"Content-Type": DOCKER})
    assert (refused.status in (400, 405), refused.status < 500) == (True, True)
    put = {"repositoryName": repository, "imageManifest": body.decode()}
    with pytest.raises(Exception, match=r"must satisfy regular expression|valid min length") as refusal:
        owner.put_image(**put, imageTag=tag)
    assert getattr(refusal.value, "response", {"Error": {"Code": ""}})["Error"]["Code"] in (
        "InvalidParameterException", "")  # fmt: skip
    assert owner.list_images(repositoryName=repository)["imageIds"] == []


@pytest.mark.docker
@pytest.mark.parametrize("tag", ["v1.0.0", "_a", "A-b_c.d", "a" * 128, "sha256-" + "0" * 64 + ".sig", "0"])
def test_a_valid_tag_is_accepted(owner: Any, registry: RegistryClient, repository: str, tag: str) -> None:
    """By either protocol."""
    body = manifest(registry, repository, "tag")
    assert registry.ask("PUT", f"/v2/{repository}/manifests/{tag}", body, {"Content-Type": DOCKER}).status == 201
    assert owner.list_images(repositoryName=repository)["imageIds"][0]["imageTag"] == tag


@pytest.mark.docker
def test_a_manifest_with_wrong_facts_is_refused(owner: Any, registry: RegistryClient, repository: str) -> None:
    """Sizes other than the blobs', no media type, two media types, another schema version, an empty index."""
    whole = json.loads(manifest(registry, repository, "size"))
    layer, config = whole["layers"][0], whole["config"]
    lies = [{**whole, "layers": [{**layer, "size": size}]} for size in (-5, 1, layer["size"] + 1, "9", 1.5, True, None)]
    lies += [{**whole, "config": {**config, "size": 1}}, {**whole, "config": {"mediaType": "x", "size": 1}}]
    lies += [
        {**whole, "layers": [{**layer, "digest": "sha256:x"}]},
        {**whole, "schemaVersion": 1},
        {**whole, "layers": {}},
    ]
    for lie in lies:
        text = json.dumps(lie)
        assert code_of(owner.put_image, repositoryName=repository, imageManifest=text) == "InvalidParameterException"
        refused = registry.ask("PUT", f"/v2/{repository}/manifests/v1", text.encode(), {"Content-Type": DOCKER})
        assert (refused.status, refused.code) == (400, "MANIFEST_INVALID")
    for text, kind in (
        (json.dumps({key: value for key, value in whole.items() if key != "mediaType"}), None),
        (json.dumps(whole), "application/vnd.oci.image.manifest.v1+json"),
        (json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": []}), None),
        (json.dumps({"schemaVersion": 2, "mediaType": "text/plain"}), None),
        ("[" * 50_000, DOCKER),
    ):
        stated = {"imageManifestMediaType": kind} if kind else {}
        refused_with = code_of(owner.put_image, repositoryName=repository, imageManifest=text, **stated)
        assert refused_with == "InvalidParameterException"
    assert owner.describe_images(repositoryName=repository)["imageDetails"] == []


@pytest.mark.docker
def test_an_identifier_without_an_image_fails_with_the_models_code(
    owner: Any, registry: RegistryClient, repository: str
) -> None:
    """For a batch a failure each; for a call about one image an error."""
    for tag in ("a", "b"):
        assert registry.push(repository, tag, tag).status == 201
    (of_a,) = owner.describe_images(repositoryName=repository, imageIds=[{"imageTag": "a"}])["imageDetails"]
    cases = {
        "MissingDigestAndTag": {},
        "InvalidImageDigest": {"imageDigest": "sha256:short"},
        "InvalidImageTag": {"imageTag": "-bad-"},
        "ImageTagDoesNotMatchDigest": {"imageDigest": of_a["imageDigest"], "imageTag": "b"},
        "ImageNotFound": {"imageDigest": NOWHERE},
    }
    known = service_model.service().shape_for("ImageFailureCode").enum
    for call in (owner.batch_get_image, owner.batch_delete_image):
        failures = call(repositoryName=repository, imageIds=list(cases.values()))["failures"]
        assert [each["failureCode"] for each in failures] == list(cases)
        assert set(cases) <= set(known)
    assert len(owner.describe_images(repositoryName=repository)["imageDetails"]) == 2
    for name, wanted in cases.items():
        there = name in ("ImageNotFound", "ImageTagDoesNotMatchDigest")
        expected = "ImageNotFoundException" if there else "InvalidParameterException"
        one = {"repositoryName": repository}
        assert code_of(owner.describe_images, **one, imageIds=[wanted]) == expected
        assert code_of(owner.start_image_scan, **one, imageId=wanted) == expected
        assert code_of(owner.describe_image_scan_findings, **one, imageId=wanted) == expected
    for reference in ("sha256:short", "sha512:" + "0" * 128, "md5:0"):
        assert registry.ask("GET", f"/v2/{repository}/manifests/{reference}").code == "DIGEST_INVALID"
        assert registry.ask("HEAD", f"/v2/{repository}/blobs/{reference}").status == 400


@pytest.mark.docker
def test_tags_are_listed_page_by_page(registry: RegistryClient, repository: str) -> None:
    """`n` and `last`, in lexical order, with a link to the rest (OCI distribution specification, "Listing Tags")."""
    for tag in ("c", "a", "B", "b"):
        assert registry.push(repository, tag, "one").status == 201
    path = f"/v2/{repository}/tags/list"
    first = registry.ask("GET", f"{path}?n=2")
    assert json.loads(first.body)["tags"] == ["B", "a"]
    assert first.headers["Link"] == f'<{path}?last=a&n=2>; rel="next"'
    rest = registry.ask("GET", f"{path}?last=a&n=2")
    assert (json.loads(rest.body)["tags"], "Link" in rest.headers) == (["b", "c"], False)
    assert json.loads(registry.ask("GET", f"{path}?last=b").body)["tags"] == ["c"]
    assert json.loads(registry.ask("GET", f"{path}?n=0").body)["tags"] == []
    assert json.loads(registry.ask("GET", path).body)["tags"] == ["B", "a", "b", "c"]
    for wrong in ("x", "-1", "1.5", ""):
        assert registry.ask("GET", f"{path}?n={wrong}").code == "PAGINATION_NUMBER_INVALID"


@pytest.mark.docker
def test_resource_tags_are_restricted(owner: Any, repository: str) -> None:
    """Reserved, too long, invalid, duplicate, too many; existing tags stay."""
    arn = owner.describe_repositories(repositoryNames=[repository])["repositories"][0]["repositoryArn"]

    def refused(*tags: tuple[str, str]) -> str:
        return code_of(owner.tag_resource, resourceArn=arn, tags=[{"Key": key, "Value": value} for key, value in tags])

    wrong = [("aws:a", ""), ("AWS:a", ""), ("", "x"), ("k" * 129, ""), ("k", "v" * 257), ("a#b", ""), ("k", "a\tb<")]
    assert {refused(tag) for tag in wrong} == {"InvalidTagParameterException"}
    assert refused(("a", "1"), ("a", "2")) == "InvalidTagParameterException"
    many = [(f"k{number}", "") for number in range(60)]
    assert refused(*many) == "TooManyTagsException"
    owner.tag_resource(resourceArn=arn, tags=[{"Key": key, "Value": value} for key, value in many[:50]])
    assert refused(("one more", "")) == "TooManyTagsException"
    owner.tag_resource(resourceArn=arn, tags=[{"Key": "k1", "Value": "replaced: ä + @"}])
    tags = [{"Key": "aws:x", "Value": ""}]
    assert code_of(owner.create_repository, repositoryName="tagged", tags=tags) == "InvalidTagParameterException"


@pytest.mark.docker
def test_settings_are_answered_as_the_model_says(owner: Any, repository: str) -> None:
    """KMS has a key, AES256 has none; a lifecycle policy has the time of its last evaluation."""
    wanted = {"encryptionType": "KMS"}
    made = owner.create_repository(repositoryName="kms/one", encryptionConfiguration=wanted)["repository"]
    assert made["encryptionConfiguration"]["kmsKey"].startswith(f"arn:aws:kms:{SEEDED.region}:{SEEDED.account}:key/")
    owner.delete_repository(repositoryName="kms/one")
    wrong = {"encryptionType": "AES256", "kmsKey": "alias/mine"}
    refused = code_of(owner.create_repository, repositoryName="kms/two", encryptionConfiguration=wrong)
    assert refused == "InvalidParameterException"
    selection = {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 1}
    rule = {"rulePriority": 1, "selection": selection, "action": {"type": "expire"}}
    owner.put_lifecycle_policy(repositoryName=repository, lifecyclePolicyText=json.dumps({"rules": [rule]}))
    assert owner.get_lifecycle_policy(repositoryName=repository)["lastEvaluatedAt"].year > 2000


def allow(**fields: Any) -> str:
    """A policy of one statement."""
    return json.dumps({"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage", **fields}]})


@pytest.mark.docker
@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (allow(Principal={"AWS": f"{ACCOUNT}:role/nobody"}), "Principal not found"),
        (allow(Principal={"AWS": f"{ACCOUNT}:role/elsewhere/{SEEDED.ci_role}"}), "Principal not found"),
        (allow(Principal={"AWS": f"{ACCOUNT}:user/{SEEDED.ci_role}"}), "Principal not found"),
        (allow(Principal={"AWS": [SEEDED.role_arn(SEEDED.ci_role), f"{ACCOUNT}:role/nobody"]}), "Principal not found"),
        (allow(Principal={"AWS": "AROAABCDEFGHIJKLMNOP2"}), "Principal not found"),
        (allow(Principal={"AWS": f"arn:aws:sts::{SEEDED.account}:assumed-role/nobody/s"}), "Principal not found"),
        (allow(Principal={"AWS": f"{ACCOUNT}:role/*"}), "Invalid repository policy provided"),
        (allow(Principal={"AWS": f"{ACCOUNT}:group/all"}), "Invalid repository policy provided"),
        (allow(Principal={"AWS": "nobody"}), "Invalid repository policy provided"),
        (allow(Principal={"Service": "lambda"}), "Invalid repository policy provided"),
        (allow(Action="ecr:NoSuchAction"), "Invalid repository policy provided"),
        (allow(Action=["ecr:Get*", "ecr:Gte*"]), "Invalid repository policy provided"),
        (allow(Resource="*"), "Invalid repository policy provided"),
        (allow(Condition={"StringSounds": {"aws:SourceAccount": "1"}}), "Invalid repository policy provided"),
        (allow(Condition={"NullIfExists": {"aws:SourceAccount": "true"}}), "Invalid repository policy provided"),
        (allow(Condition={"StringEquals": "aws:SourceAccount"}), "Invalid repository policy provided"),
        (allow(Condition={"StringEquals": {"aws:SourceAccount": {"is": "1"}}}), "Invalid repository policy provided"),
        (
            json.dumps({"Statement": [json.loads(allow(Sid="pull"))["Statement"][0]] * 2}),
            "Invalid repository policy provided",
        ),
        (allow(Effect="Deny", Action="*"), "use force"),
        (
            allow(Effect="Deny", Action="ecr:Set*", Principal={"AWS": SEEDED.role_arn(SEEDED.administrator)}),
            "use force",
        ),
    ],
)
def test_a_policy_that_cannot_work_is_refused(owner: Any, repository: str, policy: str, words: str) -> None:
    """A misspelt role or action is refused, and so is a lockout without `force`."""
    standing = allow(Action="ecr:DescribeImages", Principal={"AWS": f"{ACCOUNT}:root"})
    owner.set_repository_policy(repositoryName=repository, policyText=standing)
    with pytest.raises(ClientError, match=words) as refusal:
        owner.set_repository_policy(repositoryName=repository, policyText=policy)
    assert refusal.value.response["Error"]["Code"] == "InvalidParameterException"
    assert owner.get_repository_policy(repositoryName=repository)["policyText"] == standing


@pytest.mark.docker
@pytest.mark.parametrize(
    "policy",
    [
        allow(Principal={"AWS": SEEDED.role_arn(SEEDED.ci_role)}),
        allow(Principal={"AWS": [SEEDED.account, "arn:aws:iam::111122223333:role/of-another-account"]}),
        allow(Principal={"AWS": "*"}, Condition={"StringEquals": {"aws:PrincipalOrgID": "o-1"}}),
        allow(Condition={"ForAnyValue:StringNotLikeIfExists": {"aws:PrincipalOrgPaths": ["o-1/*"]}}, Sid="a"),
        allow(Condition={"Null": {"aws:SourceVpce": True}, "numericlessthanequals": {"aws:MultiFactorAuthAge": 3600}}),
        json.dumps({"Statement": [json.loads(allow())["Statement"][0]] * 2}),
        allow(Principal={"Service": "lambda.amazonaws.com"}, Action=["ecr:batchgetimage", "ECR:Get*"]),
        allow(Effect="Deny", NotPrincipal={"AWS": SEEDED.role_arn(SEEDED.administrator)}, Action="ecr:ReplicateImage"),
        allow(Effect="Deny", Action="ecr:SetRepositoryPolicy", Principal={"AWS": SEEDED.role_arn(SEEDED.developer)}),
    ],
)
def test_a_policy_that_can_work_is_accepted(owner: Any, repository: str, policy: str) -> None:
    """Existing roles, other accounts, services, any case, denials of others."""
    document = json.loads(policy)
    if "NotPrincipal" in document["Statement"][0]:
        del document["Statement"][0]["Principal"]
    owner.set_repository_policy(repositoryName=repository, policyText=json.dumps(document))


@pytest.mark.docker
def test_a_lockout_is_possible_by_force(owner: Any, repository: str) -> None:
    """The policy is then in force."""
    locked = allow(Effect="Deny", Action=["ecr:SetRepositoryPolicy", "ecr:GetRepositoryPolicy"])
    owner.set_repository_policy(repositoryName=repository, policyText=locked, force=True)
    assert code_of(owner.get_repository_policy, repositoryName=repository) == "AccessDeniedException"


def test_the_actions_that_a_policy_may_name_are_awss() -> None:
    """All that AWS's reference lists are known; the others are operations of the model."""
    listed = {action.removeprefix("ecr:") for action in get_actions_for_service("ecr")}
    assert listed <= {*service_model.service().operation_names, *principals.PERMISSIONS_ONLY}
    for action in sorted(listed):
        principals.check(json.loads(allow(Action=f"ecr:{action}")), SEEDED.account, lambda _: True)
    with pytest.raises(EcrError, match="has no action"):
        principals.check(json.loads(allow(Action="ecr:PutImages")), SEEDED.account, lambda _: True)


@pytest.mark.docker
def test_another_region_has_no_repository(target: LocalTarget) -> None:
    """A client with another region does not find the repository."""
    session = target.session(SEEDED.administrator)
    there = session.client("ecr", endpoint_url=target.endpoint, region_name="us-east-1")
    assert there.describe_repositories()["repositories"] == []
    assert code_of(there.list_images, repositoryName=SEEDED.repository) == "RepositoryNotFoundException"
    wanted = [SEEDED.repository]
    assert code_of(there.describe_repositories, repositoryNames=wanted) == "RepositoryNotFoundException"
    assert code_of(there.create_repository, repositoryName="there") == "UnsupportedOperationException"
    assert code_of(there.get_authorization_token) == "UnsupportedOperationException"
    functions = session.client("lambda", endpoint_url=target.endpoint, region_name="us-east-1")
    with pytest.raises(ClientError, match="is in ap-northeast-2"):
        functions.list_functions()


@pytest.mark.docker
@pytest.mark.parametrize("where", ["us-east-1:654654307503", "ap-northeast-2:111122223333"])
def test_an_arn_of_elsewhere_is_not_found(owner: Any, where: str) -> None:
    """Region and account of an ARN are read, not only its name; likewise the registry's id."""
    arn = f"arn:aws:ecr:{where}:repository/{SEEDED.repository}"
    assert code_of(owner.list_tags_for_resource, resourceArn=arn) == "RepositoryNotFoundException"
    tags = [{"Key": "a", "Value": "b"}]
    assert code_of(owner.tag_resource, resourceArn=arn, tags=tags) == "RepositoryNotFoundException"
    one = {"registryId": "111122223333", "repositoryName": SEEDED.repository}
    assert code_of(owner.describe_images, **one) == "RepositoryNotFoundException"


@pytest.mark.docker
@pytest.mark.parametrize("service", ["cloudtrail", "cloudwatch", "s3", "inspector2", "ec2", "kms", "sns", "route53"])
def test_a_service_that_is_not_modelled_is_refused_with_those_that_are(target: LocalTarget, service: str) -> None:
    """In each service's own protocol (JSON, query, REST, CBOR), at once."""
    config = Config(retries={"total_max_attempts": 1})
    client = target.session(SEEDED.administrator).client(service, endpoint_url=target.endpoint, config=config)
    calls = {"cloudtrail": "lookup_events", "cloudwatch": "list_metrics", "s3": "list_buckets", "kms": "list_keys",
             "inspector2": "list_findings", "ec2": "describe_instances", "sns": "list_topics",
             "route53": "list_hosted_zones"}  # fmt: skip
    with pytest.raises(
        ClientError, match=r"ECR, STS, IAM, Lambda, EventBridge, EventBridge Scheduler; '.+' is not among them"
    ):
        getattr(client, calls[service])()


@pytest.mark.docker
def test_a_service_that_is_not_modelled_needs_permission_first(target: LocalTarget) -> None:
    """A caller without permission gets AccessDenied, as on AWS: a rehearsal shows a missing permission."""
    trail = target.session(SEEDED.developer).client("cloudtrail", endpoint_url=target.endpoint)
    assert code_of(trail.lookup_events) == "AccessDeniedException"
