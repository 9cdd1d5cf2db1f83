"""Tables that repeat a service model are held against botocore's: a word that AWS adds fails here, by its name."""

from __future__ import annotations

import json
from pathlib import Path

import botocore.session
import pytest

from gate.registry.lifecycle import SCHEMA, UnreadablePolicy, read_policy
from gate.registry.signing_and_replication import ENDED, WAITING
from gate.registry.tags import SETTINGS, ExclusionFilter, Mutability, can_move
from gate.scan import scan_request
from gate.scan.components import MANAGERS
from gate.scan.findings import SEVERITY_WORDS, Severity
from gate.scan.settings import BY_ITSELF
from gate.scan.statuses import REASONS, TABLE, Mode, markdown
from localaws.ecr.mutability import _SETTINGS as LOCAL_SETTINGS
from localaws.ecr.scan_operations import _SCAN_TYPES as LOCAL_FREQUENCIES

ROOT = Path(__file__).resolve().parents[2]


def enum(service: str, shape: str) -> set[str]:
    """The words of an enum in the locked botocore."""
    return set(botocore.session.get_session().get_service_model(service).shape_for(shape).enum)


# Reasons that are about virtual machines and code repositories, and never about an image in ECR.
REASONS_OF_OTHER_RESOURCES = frozenset(
    {
        "UNMANAGED_EC2_INSTANCE",
        "EC2_INSTANCE_STOPPED",
        "NO_INVENTORY",
        "STALE_INVENTORY",
        "DEEP_INSPECTION_PACKAGE_COLLECTION_LIMIT_EXCEEDED",
        "DEEP_INSPECTION_DAILY_SSM_INVENTORY_LIMIT_EXCEEDED",
        "DEEP_INSPECTION_COLLECTION_TIME_LIMIT_EXCEEDED",
        "DEEP_INSPECTION_NO_INVENTORY",
        "AGENTLESS_INSTANCE_STORAGE_LIMIT_EXCEEDED",
        "AGENTLESS_INSTANCE_COLLECTION_TIME_LIMIT_EXCEEDED",
        "INTEGRATION_CONNECTION_LOST",
        "RESOURCE_UNMANAGED",
        "RESOURCE_STOPPED",
    }
)
SEVERITIES = enum("ecr", "FindingSeverity") | enum("inspector2", "Severity")
TABLES = {
    "scan statuses": ({meaning.status for meaning in TABLE}, enum("ecr", "ScanStatus")),
    "kinds of scanning": ({mode.value for mode in Mode}, enum("ecr", "ScanType")),
    "scan frequencies": ({*BY_ITSELF, "MANUAL"}, enum("ecr", "ScanFrequency") | enum("inspector2", "EcrScanFrequency")),
    "severities": (set(SEVERITY_WORDS), SEVERITIES),
    "package managers": (set(MANAGERS) - {"PYTHON"}, enum("inspector2", "PackageManager")),
    "reasons of coverage": (set(REASONS) | REASONS_OF_OTHER_RESOURCES, enum("inspector2", "ScanStatusReason")),
    "states of coverage": ({"ACTIVE", "INACTIVE"}, enum("inspector2", "ScanStatusCode")),
    "states of a finding": ({"ACTIVE", "SUPPRESSED", "CLOSED"}, enum("inspector2", "FindingStatus")),
    "filters of repositories": ({"WILDCARD"}, enum("ecr", "ScanningRepositoryFilterType")),
    "tag mutability": (set(SETTINGS), enum("ecr", "ImageTagMutability")),
    "exclusions from mutability": ({"WILDCARD"}, enum("ecr", "ImageTagMutabilityExclusionFilterType")),
    "states of managed signing": ({WAITING, *ENDED}, enum("ecr", "SigningStatus")),
    "states of replication": ({WAITING, *ENDED}, enum("ecr", "ReplicationStatus")),
    "filters of signing": ({"WILDCARD_MATCH"}, enum("ecr", "SigningRepositoryFilterType")),
    "filters of replication": ({"PREFIX_MATCH"}, enum("ecr", "RepositoryFilterType")),
    "states of an image": ({"ACTIVE", "ARCHIVED", "ACTIVATING"}, enum("ecr", "ImageStatus")),
    "the local target's mutability": (set(LOCAL_SETTINGS), enum("ecr", "ImageTagMutability")),
    "the local target's kinds of scanning": (set(LOCAL_FREQUENCIES), enum("ecr", "ScanType")),
    "the local target's frequencies": (set().union(*LOCAL_FREQUENCIES.values()), enum("ecr", "ScanFrequency")),
}


@pytest.mark.parametrize("table", TABLES)
def test_a_table_holds_the_words_of_the_model_and_no_other(table) -> None:
    """Word for word."""
    ours, models = TABLES[table]
    assert ours == models


def test_no_reason_is_both_about_images_and_about_others() -> None:
    """Each word of the enum stands in one place."""
    assert not set(REASONS) & REASONS_OF_OTHER_RESOURCES


def test_every_severity_of_the_model_is_known() -> None:
    """None of its words falls to CRITICAL by default, and every rank but the gate's own has its word."""
    assert [word for word in SEVERITIES if Severity.of(word) is Severity.CRITICAL] == ["CRITICAL"]
    assert {Severity.of(word) for word in SEVERITIES} == set(Severity)


def test_every_mutability_of_the_model_is_decided() -> None:
    """With and without exclusions, none is undecidable."""
    for setting in enum("ecr", "ImageTagMutability"):
        kinds = enum("ecr", "ImageTagMutabilityExclusionFilterType")
        filters = tuple(ExclusionFilter(kind, "latest") for kind in kinds if setting.endswith("_WITH_EXCLUSION"))
        assert can_move(Mutability(setting, filters), "latest") is (setting in {"MUTABLE", "IMMUTABLE_WITH_EXCLUSION"})


def rule(**changes) -> str:
    """A lifecycle policy with one rule."""
    selection = {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 1}
    action = changes.pop("action", {"type": "expire"})
    return json.dumps({"rules": [{"rulePriority": 1, "selection": {**selection, **changes}, "action": action}]})


def test_every_word_of_a_lifecycle_rule_in_the_model_is_read() -> None:
    """Statuses of tags, storage classes, actions and their targets; the model has no list of the kinds of counting."""
    for status in enum("ecr", "TagStatus"):
        tags = {"tagPatternList": ["v*"]} if status == "TAGGED" else {}
        assert read_policy(rule(tagStatus=status.lower(), **tags))
    for storage in enum("ecr", "LifecyclePolicyStorageClass"):
        assert read_policy(rule(storageClass=storage.lower()))
    targets = enum("ecr", "LifecyclePolicyTargetStorageClass")
    for action in enum("ecr", "ImageActionType"):
        for target in targets if action == "TRANSITION" else {""}:
            made = {"type": action.lower(), **({"targetStorageClass": target.lower()} if target else {})}
            assert read_policy(rule(action=made))
    with pytest.raises(UnreadablePolicy):
        read_policy(rule(storageClass="glacier"))


def test_the_schema_of_a_lifecycle_policy_knows_the_models_words() -> None:
    """The gate and the local target read a policy by it; the model has no list of the kinds of counting."""
    parts = json.loads(SCHEMA.read_text())["$defs"]
    selection, action = parts["selection"]["properties"], parts["action"]["properties"]
    words = lambda shape: {word.lower() for word in enum("ecr", shape)}  # noqa: E731
    assert set(selection["tagStatus"]["enum"]) == words("TagStatus")
    assert set(selection["storageClass"]["enum"]) == words("LifecyclePolicyStorageClass")
    assert set(action["type"]["enum"]) == words("ImageActionType")
    assert {action["targetStorageClass"]["const"]} == words("LifecyclePolicyTargetStorageClass")


def test_every_refusal_of_a_scan_that_is_handled_is_one_of_the_models() -> None:
    """A code that AWS renames would fall through as another refusal."""
    model = botocore.session.get_session().get_service_model("ecr").operation_model("StartImageScan")
    errors = {shape.name for shape in model.error_shapes}
    assert set(scan_request._REFUSALS) <= errors
    # About the request or the service as a whole: these are told as every call's are.
    assert errors - set(scan_request._REFUSALS) == {
        "ServerException", "InvalidParameterException", "RepositoryNotFoundException"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("service", "shape", "words"),
    [
        ("iam", "PolicyEvaluationDecisionType", {"allowed", "explicitDeny", "implicitDeny"}),
        ("lambda", "LastUpdateStatus", {"Successful", "Failed", "InProgress"}),
        ("lambda", "PackageType", {"Zip", "Image"}),
        ("ecr", "ScanningConfigurationFailureCode", {"REPOSITORY_NOT_FOUND"}),
        ("ecr", "LayerAvailability", {"AVAILABLE", "UNAVAILABLE", "ARCHIVED"}),
    ],
)
def test_an_enum_of_which_the_gate_reads_single_words_has_not_grown(service, shape, words) -> None:
    """Whoever sees this fail reads where the gate compares with one of them, and then adds the new word here."""
    assert enum(service, shape) == words


def test_the_page_shows_the_table_of_scan_statuses() -> None:
    """As the code has it; paste what `gate.scan.statuses.markdown()` answers."""
    page = (ROOT / "docs" / "scan-statuses.md").read_text(encoding="utf-8")
    assert page.partition("<!-- statuses -->\n")[2].partition("<!-- /statuses -->")[0] == markdown()
