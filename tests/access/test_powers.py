"""The powers cover every write that ECR knows, and are made up of nothing else."""

import pytest

from gate.access import powers
from gate.access.evaluate import resource_policies
from gate.errors import GateError


def test_every_write_on_a_repository_belongs_to_a_power():
    """No action of the catalogue that writes to a repository is in no power and not known to be harmless."""
    claimed = {action for each in powers.powers() for action in each.actions}
    assert set(powers._repository_writes()) <= claimed | powers.HARMLESS


def test_ways_round_immutability_are_powers():
    """Deleting images, the repository, or its rules, and replicating into it, are each in a power."""
    where = {action: each.name for each in powers.powers() for action in (*each.actions, *each.registry_actions)}
    assert where["ecr:BatchDeleteImage"] == "delete"
    assert where["ecr:ReplicateImage"] == "replicate"
    rules = "PutImageTagMutability PutLifecyclePolicy DeleteLifecyclePolicy DeleteRepository SetRepositoryPolicy"
    rules += " DeleteRepositoryPolicy PutImageScanningConfiguration PutRegistryPolicy PutReplicationConfiguration"
    assert {where[f"ecr:{name}"] for name in rules.split()} == {"rules"}


def test_all_that_powers_name_is_in_the_catalogue():
    """A name that ECR does not know would be asked about in vain."""
    named = {action for each in powers.powers() for action in (*each.actions, *each.registry_actions, *each.besides)}
    assert named <= set(powers.catalogue())


def test_wildcards_are_expanded_by_the_catalogue():
    """A pattern is expanded to the actions that exist; NotAction to the others."""
    assert powers.expand(("ECR:putimage*",)) == (
        "ecr:PutImage",
        "ecr:PutImageScanningConfiguration",
        "ecr:PutImageTagMutability",
    )
    assert set(powers.expand(("ecr:Put*",), excepting=True)) == {
        action for action in powers.catalogue() if not action.startswith("ecr:Put")
    }


def test_statements_are_spelled_out_for_the_reader(account_with):
    """Each statement is shown with the actions that it covers, wildcards expanded."""
    public = {"Sid": "Wide", "Effect": "Allow", "Principal": "*", "Action": "ecr:Put?mage"}
    (policy,) = resource_policies(account_with(policy=[public]))
    assert powers.spelled_out(policy) == {"repository policy, statement 1 (Wide)": ("ecr:PutImage",)}


def test_a_catalogue_that_is_not_ecrs_is_refused(monkeypatch):
    """A reference without the actions that this gate is about checks nothing."""
    monkeypatch.setattr(powers, "actions", lambda _service: {})
    powers.catalogue.cache_clear()
    with pytest.raises(GateError, match="does not know ecr:PutImage"):
        powers.catalogue()
