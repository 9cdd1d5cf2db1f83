"""The registry as a whole, and its repositories with their settings."""

from __future__ import annotations

import base64
import uuid

from localaws.ecr import mutability, resource_tags
from localaws.ecr.credentials import USER
from localaws.ecr.errors import EcrError, invalid
from localaws.ecr.operations import ApiCall, Ecr, Parameters, operation, page
from localaws.ecr.state import RepositoryState


def described(ecr: Ecr, repository: RepositoryState) -> Parameters:
    """A repository as ECR answers it."""
    return {
        **ecr.identity(repository.name),
        "repositoryArn": ecr.arn(repository.name),
        # Its address on AWS: here pushes go to the login's proxyEndpoint.
        "repositoryUri": f"{ecr.account}.dkr.ecr.{ecr.region}.amazonaws.com/{repository.name}",
        "createdAt": repository.created_at,
        **mutability.described(repository),
        "imageScanningConfiguration": {"scanOnPush": repository.scan_on_push},
        "encryptionConfiguration": repository.encryption,
    }


@operation("CreateRepository")
def create(call: ApiCall) -> Parameters:
    """A new, empty repository."""
    wanted, name = call.parameters, call.parameters["repositoryName"]
    repository = RepositoryState(name, created_at=call.ecr.clock().timestamp())
    mutability.configure(repository, wanted)
    repository.scan_on_push = wanted.get("imageScanningConfiguration", {}).get("scanOnPush", False)
    repository.encryption = _encryption(call.ecr, wanted.get("encryptionConfiguration") or repository.encryption)
    repository.tags = resource_tags.added({}, wanted.get("tags", []))
    with call.ecr.store.changing() as account:
        if name in account.repositories:
            raise EcrError(
                "RepositoryAlreadyExistsException",
                f"The repository with name '{name}' already exists in the registry with id '{call.ecr.account}'",
            )
        account.repositories[name] = repository
    return {"repository": described(call.ecr, repository)}


@operation("DescribeRepositories")
def describe(call: ApiCall) -> Parameters:
    """The named repositories, or all of them by name."""
    store, registry = call.ecr.store, call.parameters.get("registryId")
    with store.reading() as account:
        names = call.parameters.get("repositoryNames") or sorted(account.repositories)
        found = [described(call.ecr, store.find(account, name, registry)) for name in names]
    entries, rest = page(found, call.parameters)
    return {"repositories": entries, **rest}


@operation("DeleteRepository")
def delete(call: ApiCall) -> Parameters:
    """Remove a repository; one that holds images only by force."""
    with call.ecr.store.changing() as account:
        repository = call.ecr.store.find(account, *call.named)
        if repository.images and not call.parameters.get("force"):
            raise EcrError(
                "RepositoryNotEmptyException",
                f"The repository with name '{repository.name}' in registry with id '{call.ecr.account}' cannot be "
                "deleted because it still contains images",
            )
        del account.repositories[repository.name]
    return {"repository": described(call.ecr, repository)}


@operation("PutImageTagMutability")
def put_mutability(call: ApiCall) -> Parameters:
    """Set which tags may be moved."""
    with call.changing() as repository:
        mutability.configure(repository, call.parameters)
    return {**call.identity, **mutability.described(repository)}


@operation("PutImageScanningConfiguration")
def put_scanning(call: ApiCall) -> Parameters:
    """Set whether a push is scanned (basic scanning)."""
    with call.changing() as repository:
        repository.scan_on_push = call.parameters["imageScanningConfiguration"].get("scanOnPush", False)
    configuration = {"imageScanningConfiguration": {"scanOnPush": repository.scan_on_push}}
    return {**call.identity, **configuration}


@operation("GetAuthorizationToken")
def get_authorization_token(call: ApiCall) -> Parameters:
    """A password for /v2/, and the registry's address: the one under which the caller reached us."""
    password, expires = call.ecr.passwords.issue(call.credential)
    token = base64.b64encode(f"{USER}:{password}".encode()).decode()
    entry = {"authorizationToken": token, "expiresAt": expires.timestamp(), "proxyEndpoint": f"http://{call.host}"}
    return {"authorizationData": [entry]}


@operation("GetRegistryPolicy")
def get_registry_policy(call: ApiCall) -> Parameters:
    """The registry has no policy, so nobody may replicate into it."""
    raise EcrError(
        "RegistryPolicyNotFoundException",
        f"Registry policy does not exist in the registry with id '{call.ecr.account}'",
    )


def _encryption(ecr: Ecr, wanted: dict[str, str]) -> dict[str, str]:
    """With KMS there is always a key: the one that was named, else the one that AWS manages for ECR."""
    kind, key = wanted["encryptionType"], wanted.get("kmsKey")
    if kind == "AES256":
        if key:
            raise invalid("Invalid parameter at 'encryptionConfiguration': a kmsKey goes with the encryptionType KMS")
        return {"encryptionType": kind}
    managed = uuid.uuid5(uuid.NAMESPACE_URL, f"aws/ecr {ecr.account} {ecr.region}")
    return {"encryptionType": kind, "kmsKey": key or f"arn:aws:kms:{ecr.region}:{ecr.account}:key/{managed}"}
