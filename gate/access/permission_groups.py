"""The permission groups of a repository (push, pull, delete, rules, replicate) and their actions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from gate.access.document import Policy
from gate.access.matching import covers
from gate.aws.service_authorization import actions
from gate.errors import GateError

_PUSH_WRITES = ("PutImage", "InitiateLayerUpload", "UploadLayerPart", "CompleteLayerUpload")
_PUSH_READS = ("BatchCheckLayerAvailability", "BatchGetImage")
_REGISTRY_RULES = (
    "PutRegistryPolicy",
    "DeleteRegistryPolicy",
    "PutReplicationConfiguration",
    "PutSigningConfiguration",
    "DeleteSigningConfiguration",
    "PutRegistryScanningConfiguration",
    "PutAccountSetting",
)
_WRITING_LEVELS = frozenset(("Write", "Permissions management"))
# Write actions that change neither images nor access: an existing repository cannot be created, and a preview or a
# scan changes no image.
HARMLESS = frozenset(f"ecr:{name}" for name in ("CreateRepository", "StartImageScan", "StartLifecyclePolicyPreview"))


@dataclass(frozen=True)
class PermissionGroup:
    """Actions that together do one thing to the repository.

    Attributes:
        name: as in the list of reviewed principals.
        verb: the words for a sentence, before the repository's name.
        actions: its actions on the repository; a principal with any of them has a part of the group.
        registry_actions: its actions on the whole registry.
        besides: further actions on the repository that are required, but give no access alone.
        login: whether GetAuthorizationToken is required as well.
    """

    name: str
    verb: str
    actions: tuple[str, ...]
    registry_actions: tuple[str, ...] = ()
    besides: tuple[str, ...] = ()
    login: bool = False


@cache
def permission_groups() -> tuple[PermissionGroup, ...]:
    """Every permission group; the write actions on a repository that are in no other group are in "rules"."""
    # A statement beside an image is a manifest like any other: whoever can push can attach.
    push = PermissionGroup("push", "push into", _ecr(_PUSH_WRITES), (), _ecr(_PUSH_READS), True)
    pull = PermissionGroup("pull", "pull from", _ecr(("GetDownloadUrlForLayer",)), (), _ecr(("BatchGetImage",)))
    delete = PermissionGroup(
        "delete", "delete or archive images of", _ecr(("BatchDeleteImage", "UpdateImageStorageClass"))
    )
    replicate = PermissionGroup("replicate", "replicate into", _ecr(("ReplicateImage", "BatchImportUpstreamImage")))
    claimed = {action for each in (push, pull, delete, replicate) for action in each.actions} | HARMLESS
    rest = tuple(action for action in _repository_writes() if action not in claimed)
    rules = PermissionGroup("rules", "change the rules of", rest, _ecr(_REGISTRY_RULES))
    return (push, pull, delete, rules, replicate)


def permission_group(name: str) -> PermissionGroup:
    """The permission group of this name."""
    return next(each for each in permission_groups() if each.name == name)


def required_for(name: str) -> tuple[tuple[str, bool], ...]:
    """The actions that a permission group requires, each with whether it is on the repository."""
    one = permission_group(name)
    login = [("ecr:GetAuthorizationToken", False)] if one.login else []
    return (*((action, True) for action in (*one.actions, *one.besides)), *login)


@cache
def catalogue() -> tuple[str, ...]:
    """Every action of ECR.

    Raises:
        GateError: the reference cannot be read, or does not have the actions that this gate needs.
    """
    known = tuple(actions("ecr"))
    wanted = _ecr((*_PUSH_WRITES, *_PUSH_READS, *_REGISTRY_RULES, "ReplicateImage", "SetRepositoryPolicy"))
    if missing := [each for each in wanted if each not in known]:
        raise GateError(
            f"The list of ECR actions does not have {missing[0]}, so it is not complete",
            where="gate/aws/actions.json",
            remedy="restore it (git checkout), or write it again (`make policies`)",
        )
    return known


def spelled_out(policy: Policy) -> dict[str, tuple[str, ...]]:
    """The actions of ECR that each statement of a policy covers, with wildcards expanded."""
    return {each.label: tuple(action for action in catalogue() if covers(each, action)) for each in policy.statements}


def _repository_writes() -> list[str]:
    return [
        name
        for name in catalogue()
        if (action := actions("ecr")[name]).level in _WRITING_LEVELS
        and any(":repository/" in form for form in action.resources)
    ]


def _ecr(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"ecr:{name}" for name in names)
