"""The permission groups cover every write action of ECR, and have no unknown action."""

import pytest

from gate.access import permission_groups
from gate.access.evaluation import resource_policies
from gate.errors import GateError


def test_every_write_on_a_repository_belongs_to_a_group():
    """Every action that writes to a repository is in a group, or known to be harmless."""
    claimed = {action for each in permission_groups.permission_groups() for action in each.actions}
    assert set(permission_groups._repository_writes()) <= claimed | permission_groups.HARMLESS


def test_ways_round_immutability_are_in_a_group():
    """Deleting images, the repository, or its rules, and replicating into it, are each in a group."""
    where = {
        action: each.name
        for each in permission_groups.permission_groups()
        for action in (*each.actions, *each.registry_actions)
    }
    assert where["ecr:BatchDeleteImage"] == "delete"
    assert where["ecr:ReplicateImage"] == "replicate"
    rules = "PutImageTagMutability PutLifecyclePolicy DeleteLifecyclePolicy DeleteRepository SetRepositoryPolicy"
    rules += " DeleteRepositoryPolicy PutImageScanningConfiguration PutRegistryPolicy PutReplicationConfiguration"
    rules += " PutSigningConfiguration DeleteSigningConfiguration"
    assert {where[f"ecr:{name}"] for name in rules.split()} == {"rules"}


def test_every_action_of_a_group_is_in_the_catalogue():
    """A name that ECR does not know would be asked about in vain."""
    named = {
        action
        for each in permission_groups.permission_groups()
        for action in (*each.actions, *each.registry_actions, *each.besides)
    }
    assert named <= set(permission_groups.catalogue())


def test_statements_are_spelled_out_for_the_reader(account_with):
    """Each statement is shown with the actions of ECR that it covers: of a pattern, and of NotAction."""
    wide = {"Effect": "Allow", "Principal": "*", "Action": "ECR:putimage*"}
    other = {"Sid": "Other", "Effect": "Allow", "Principal": "*", "NotAction": "ecr:Put*"}
    (policy,) = resource_policies(account_with(policy=[wide, other]))
    spelled_out = permission_groups.spelled_out(policy)
    assert spelled_out["repository policy, statement 1"] == (
        "ecr:PutImage",
        "ecr:PutImageScanningConfiguration",
        "ecr:PutImageTagMutability",
    )
    assert set(spelled_out["repository policy, statement 2 (Other)"]) == {
        action for action in permission_groups.catalogue() if not action.startswith("ecr:Put")
    }


def test_a_catalogue_that_is_not_ecrs_is_refused(monkeypatch):
    """A reference without the actions that this gate is about checks nothing."""
    monkeypatch.setattr(permission_groups, "actions", lambda _service: {})
    permission_groups.catalogue.cache_clear()
    with pytest.raises(GateError, match="does not have ecr:PutImage"):
        permission_groups.catalogue()
