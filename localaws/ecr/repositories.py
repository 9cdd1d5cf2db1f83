"""Repositories, their settings and their tags."""

from __future__ import annotations

import re
import uuid
from typing import Any

from localaws.ecr import mutability, resource_tags
from localaws.ecr.errors import EcrError, invalid
from localaws.ecr.operations import ApiCall, Ecr, Parameters, operation
from localaws.ecr.paging import page
from localaws.ecr.state import RepositoryState

_ARN = re.compile(r"arn:aws:ecr:([a-z0-9-]+):([0-9]{12}):repository/(.+)")


def described(ecr: Ecr, repository: RepositoryState) -> Parameters:
    """A repository as ECR answers it."""
    return {
        "repositoryArn": ecr.arn(repository.name),
        "registryId": ecr.account,
        "repositoryName": repository.name,
        "repositoryUri": ecr.uri(repository.name),
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
        found = [described(call.ecr, store.repository(account, name, registry)) for name in names]
    entries, rest = page(found, call.parameters)
    return {"repositories": entries, **rest}


@operation("DeleteRepository")
def delete(call: ApiCall) -> Parameters:
    """Remove a repository; one that holds images only by force."""
    with call.ecr.store.changing() as account:
        repository = call.ecr.store.repository(account, **named(call))
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
    with call.ecr.store.changing() as account:
        repository = call.ecr.store.repository(account, **named(call))
        mutability.configure(repository, call.parameters)
    return {**identified(call.ecr, repository), **mutability.described(repository)}


@operation("PutImageScanningConfiguration")
def put_scanning(call: ApiCall) -> Parameters:
    """Set whether a push is scanned (basic scanning)."""
    with call.ecr.store.changing() as account:
        repository = call.ecr.store.repository(account, **named(call))
        repository.scan_on_push = call.parameters["imageScanningConfiguration"].get("scanOnPush", False)
    configuration = {"imageScanningConfiguration": {"scanOnPush": repository.scan_on_push}}
    return {**identified(call.ecr, repository), **configuration}


@operation("ListTagsForResource")
def list_tags(call: ApiCall) -> Parameters:
    """The repository's tags."""
    with call.ecr.store.reading() as account:
        tags = call.ecr.store.repository(account, _name_in(call)).tags
        return {"tags": [{"Key": key, "Value": value} for key, value in sorted(tags.items())]}


@operation("TagResource")
def tag(call: ApiCall) -> Parameters:
    """Add or replace tags."""
    with call.ecr.store.changing() as account:
        repository = call.ecr.store.repository(account, _name_in(call))
        repository.tags = resource_tags.added(repository.tags, call.parameters["tags"])
    return {}


@operation("UntagResource")
def untag(call: ApiCall) -> Parameters:
    """Remove tags."""
    with call.ecr.store.changing() as account:
        tags = call.ecr.store.repository(account, _name_in(call)).tags
        for key in call.parameters["tagKeys"]:
            tags.pop(key, None)
    return {}


def named(call: ApiCall) -> dict[str, Any]:
    """The repository that a call names, as `Store.repository` takes it."""
    return {"name": call.parameters["repositoryName"], "registry": call.parameters.get("registryId")}


def identified(ecr: Ecr, repository: RepositoryState) -> Parameters:
    """The two fields with which most answers about a repository begin."""
    return {"registryId": ecr.account, "repositoryName": repository.name}


def _name_in(call: ApiCall) -> str:
    """The name in a repository's ARN; one of another region or account is not found here."""
    arn = call.parameters["resourceArn"]
    found = _ARN.fullmatch(arn)
    if found is None:
        raise invalid(f"Invalid parameter at 'resourceArn': {arn!r} is not a repository's ARN")
    region, account, name = found.groups()
    if (region, account) != (call.ecr.region, call.ecr.account):
        raise EcrError(
            "RepositoryNotFoundException",
            f"The repository with name '{name}' does not exist in the registry with id '{account}'",
        )
    return name


def _encryption(ecr: Ecr, wanted: dict[str, str]) -> dict[str, str]:
    """With KMS there is always a key: the one that was named, else the one that AWS manages for ECR."""
    kind, key = wanted["encryptionType"], wanted.get("kmsKey")
    if kind == "AES256":
        if key:
            raise invalid("Invalid parameter at 'encryptionConfiguration': a kmsKey goes with the encryptionType KMS")
        return {"encryptionType": kind}
    managed = uuid.uuid5(uuid.NAMESPACE_URL, f"aws/ecr {ecr.account} {ecr.region}")
    return {"encryptionType": kind, "kmsKey": key or f"arn:aws:kms:{ecr.region}:{ecr.account}:key/{managed}"}
