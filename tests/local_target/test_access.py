"""Who may do what: IAM and repository policies decide, for control calls and for pushes and pulls alike."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from localaws import access_keys
from localaws.target import LocalTarget
from tests.local_target.registry_client import RegistryClient, login, manifest
from tests.local_target.test_ecr_api import code_of
from tests.seeded import SEEDED

pytestmark = pytest.mark.docker

PUSH_FOR_ALL = {"Effect": "Allow", "Principal": {"AWS": SEEDED.role_arn(SEEDED.developer)}, "Action": "ecr:*"}


@pytest.fixture
def developer(client: Callable[..., Any]) -> Any:
    """ECR as the developer, who may only read, and one repository."""
    return client("ecr", role=SEEDED.developer)


def test_the_ci_role_is_taken_by_web_identity_with_the_right_subject(target: LocalTarget) -> None:
    """A workflow of the production environment gets credentials that work; a fork's or a branch's gets none."""
    anonymous = boto3.client(
        "sts", endpoint_url=target.endpoint, region_name=SEEDED.region, aws_access_key_id="", aws_secret_access_key=""
    )
    keys = access_keys.of_the_workflow(anonymous, SEEDED, SEEDED.ci_role, SEEDED.ci_token_subject)
    identity = (
        access_keys.session(keys, SEEDED.region).client("sts", endpoint_url=target.endpoint).get_caller_identity()
    )
    assert identity["Arn"].endswith(f"assumed-role/{SEEDED.ci_role}/rehearsal")
    ecr = access_keys.session(keys, SEEDED.region).client("ecr", endpoint_url=target.endpoint)
    assert RegistryClient(target.registry, login(ecr)).ask("GET", "/v2/").status == 200
    with pytest.raises(ClientError, match="Not authorized"):
        anonymous.assume_role_with_web_identity(
            RoleArn=SEEDED.role_arn(SEEDED.ci_role),
            RoleSessionName="fork",
            WebIdentityToken=access_keys.workflow_token(SEEDED.provider, "repo:somebody/fork:ref:refs/heads/main"),
        )


def test_the_ci_role_cannot_change_the_rules(ecr: Any) -> None:
    """Pushing does not include policy, mutability, lifecycle or deleting."""
    one = {"repositoryName": SEEDED.repository}
    refused = [
        code_of(ecr.set_repository_policy, **one, policyText="{}"),
        code_of(ecr.put_image_tag_mutability, **one, imageTagMutability="MUTABLE"),
        code_of(ecr.put_lifecycle_policy, **one, lifecyclePolicyText="{}".ljust(100)),
        code_of(ecr.batch_delete_image, **one, imageIds=[{"imageTag": "latest"}]),
        code_of(ecr.delete_repository, **one),
        code_of(ecr.create_repository, repositoryName="another"),
    ]
    assert set(refused) == {"AccessDeniedException"}


def test_the_lambda_role_pulls_and_does_not_push(target: LocalTarget, client: Callable[..., Any], ecr: Any) -> None:
    """It fetches the manifest and the layers; a push ends with 403 DENIED at its first step."""
    pushing = RegistryClient(target.registry, login(ecr))
    assert pushing.push(SEEDED.repository, "latest", "for lambda").status == 201
    pulling = RegistryClient(target.registry, login(client("ecr", role=SEEDED.lambda_role)))
    got = pulling.ask("GET", f"/v2/{SEEDED.repository}/manifests/latest")
    assert got.status == 200
    layer = json.loads(got.body)["layers"][0]["digest"]
    assert pulling.ask("GET", f"/v2/{SEEDED.repository}/blobs/{layer}").status == 200
    refused = pulling.ask("POST", f"/v2/{SEEDED.repository}/blobs/uploads/")
    assert (refused.status, refused.code) == (403, "DENIED")
    assert "not authorized to perform: ecr:InitiateLayerUpload" in refused.message


def test_an_allow_in_the_repository_policy_suffices(
    target: LocalTarget, owner: Any, developer: Any, repository: str
) -> None:
    """The developer pushes when the repository policy names the role, at once; and no longer when it does not."""
    registry = RegistryClient(target.registry, login(developer))
    assert registry.ask("POST", f"/v2/{repository}/blobs/uploads/").code == "DENIED"
    owner.set_repository_policy(repositoryName=repository, policyText=json.dumps({"Statement": [PUSH_FOR_ALL]}))
    assert registry.push(repository, "v1", "by policy").status == 201
    assert developer.describe_images(repositoryName=repository)["imageDetails"]
    owner.delete_repository_policy(repositoryName=repository)
    assert registry.ask("POST", f"/v2/{repository}/blobs/uploads/").code == "DENIED"


def test_a_deny_overrides_an_allow(target: LocalTarget, owner: Any, repository: str) -> None:
    """An explicit Deny in the repository policy keeps even the administrator from pushing."""
    deny = {"Effect": "Deny", "Principal": "*", "Action": "ecr:PutImage"}
    registry = RegistryClient(target.registry, login(owner))
    owner.set_repository_policy(repositoryName=repository, policyText=json.dumps({"Statement": [deny]}))
    body = manifest(registry, repository, "denied")
    refused = registry.ask("PUT", f"/v2/{repository}/manifests/v1", body)
    assert (refused.status, refused.code) == (403, "DENIED")
    assert code_of(owner.put_image, repositoryName=repository, imageManifest=body.decode()) == "AccessDeniedException"


def test_a_policy_that_was_refused_is_not_in_force(
    target: LocalTarget, owner: Any, developer: Any, repository: str
) -> None:
    """The authorization check has the policy that ECR has, not the one that it refused."""
    opening = {**PUSH_FOR_ALL, "Effect": "Allow", "Unknown": "field"}
    refused = code_of(
        owner.set_repository_policy, repositoryName=repository, policyText=json.dumps({"Statement": [opening]})
    )
    assert refused == "InvalidParameterException"
    assert code_of(developer.describe_images, repositoryName=repository) == "AccessDeniedException"


def test_calls_with_the_repository_in_another_parameter_are_authorised(developer: Any, repository: str) -> None:
    """DescribeRepositories and the tag calls: allowed on the one repository, refused on the other and on all."""
    assert developer.describe_repositories(repositoryNames=[SEEDED.repository])["repositories"]
    assert developer.list_tags_for_resource(resourceArn=SEEDED.repository_arn)["tags"]
    other = SEEDED.repository_arn.replace(SEEDED.repository, repository)
    both = [SEEDED.repository, repository]
    assert code_of(developer.describe_repositories, repositoryNames=both) == "AccessDeniedException"
    assert code_of(developer.describe_repositories) == "AccessDeniedException"
    assert code_of(developer.list_tags_for_resource, resourceArn=other) == "AccessDeniedException"
    tag = [{"Key": "a", "Value": "b"}]
    assert code_of(developer.tag_resource, resourceArn=SEEDED.repository_arn, tags=tag) == "AccessDeniedException"


@pytest.mark.parametrize("key", ["test", SEEDED.account, "AKIAIOSFODNN7EXAMPLE"])
def test_keys_that_were_not_issued_here_are_refused(target: LocalTarget, key: str) -> None:
    """MiniStack's unchecked root keys are refused at the gateway, for ECR and for all other services."""
    session = boto3.Session(aws_access_key_id=key, aws_secret_access_key="x", region_name=SEEDED.region)
    for service, call in (("ecr", "get_authorization_token"), ("sts", "get_caller_identity"), ("iam", "list_roles")):
        ask = getattr(session.client(service, endpoint_url=target.endpoint), call)
        assert code_of(ask) == "UnrecognizedClientException"


def test_an_access_key_made_in_iam_works_like_a_sessions(target: LocalTarget, client: Callable[..., Any]) -> None:
    """A user's own key logs in and is refused what the user may not do."""
    iam = client("iam", role=SEEDED.administrator)
    iam.create_user(UserName="auditor")
    iam.put_user_policy(
        UserName="auditor",
        PolicyName="log-in",
        PolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"}],
            }
        ),
    )
    made = iam.create_access_key(UserName="auditor")["AccessKey"]
    keys = access_keys.AccessKeys(made["AccessKeyId"], made["SecretAccessKey"], "")
    registry = RegistryClient(
        target.registry, login(access_keys.session(keys, SEEDED.region).client("ecr", endpoint_url=target.endpoint))
    )
    refused = registry.ask("GET", f"/v2/{SEEDED.repository}/manifests/latest")
    iam.delete_access_key(UserName="auditor", AccessKeyId=keys.access_key)
    iam.delete_user_policy(UserName="auditor", PolicyName="log-in")
    iam.delete_user(UserName="auditor")
    assert "user/auditor is not authorized to perform: ecr:BatchGetImage" in refused.message


def test_ministacks_own_controls_cannot_be_reached(target: LocalTarget) -> None:
    """The emulator cannot be reset through the endpoint."""
    assert RegistryClient(target.registry).ask("POST", "/_ministack/reset").status == 404
