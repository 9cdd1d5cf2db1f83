"""Words of ECR that the gate repeats, held against the locked botocore's model: a word more is seen here first."""

import json

import pytest
from botocore.loaders import Loader

from gate.registry import lifecycle, tags
from localaws.ecr import mutability
from localaws.ecr.state import ImageState

MODEL = Loader().load_service_model("ecr", "service-2")["shapes"]
MAKES = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1}


def words(shape):
    """The words of an enumeration."""
    return set(MODEL[shape]["enum"])


@pytest.mark.parametrize("known", [tags.SETTINGS, mutability._SETTINGS])
def test_each_setting_of_tag_mutability_is_known(known):
    """To the gate and to the local target."""
    assert set(known) == words("ImageTagMutability")


def test_each_kind_of_exclusion_filter_is_known():
    """There is one; a second would be refused as unknown."""
    assert words("ImageTagMutabilityExclusionFilterType") == {"WILDCARD"}
    assert words("SigningRepositoryFilterType") == {"WILDCARD_MATCH"}


def test_each_action_and_storage_class_of_a_lifecycle_rule_is_known():
    """The model writes them in capitals, a policy in small letters."""
    assert {target.lower() for target in words("LifecyclePolicyTargetStorageClass")} == {"archive"}
    for action in words("ImageActionType"):
        target = {"targetStorageClass": "archive"} if action == "TRANSITION" else {}
        for storage in words("LifecyclePolicyStorageClass"):
            rule = {
                "rulePriority": 1,
                "selection": {**MAKES, "storageClass": storage.lower()},
                "action": {"type": action.lower(), **target},
            }
            (read,) = lifecycle.read_policy(json.dumps({"rules": [rule]}))
            assert (read.action, read.storage_class) == (action.lower(), storage.lower())


def test_each_status_of_an_image_is_thought_of():
    """ACTIVE can be pulled, the others cannot; a rule for the archive selects what is ARCHIVED."""
    assert words("ImageStatus") == {"ACTIVE", "ARCHIVED", "ACTIVATING"} == words("ArtifactStatus")
    assert ImageState("d", "m", "a", 1, 1.0).status in words("ImageStatus")
