"""What each reason means that Amazon Inspector gives for covering an image or not. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Reason:
    """One reason of Inspector's (Inspector2 model, ScanStatusReason).

    Attributes:
        sentence: what it says about the image.
        remedy: the way out.
        passing: it goes by itself, so it is waited out.
    """

    sentence: str
    remedy: str
    passing: bool = False


_WAIT = "run again when Inspector has looked; with a longer --scan-timeout if it is slow"
_SUPPORT = "push the image again; if it stays so, ask AWS Support"

REASONS: Mapping[str, Reason] = {
    "SUCCESSFUL": Reason("the image is watched", "nothing has to be done"),
    "PENDING_INITIAL_SCAN": Reason("its first scan is still to come", _WAIT, passing=True),
    "SCAN_IN_PROGRESS": Reason("it is being scanned", _WAIT, passing=True),
    "PENDING_REVIVAL_SCAN": Reason("it was restored, and its next scan is still to come", _WAIT, passing=True),
    "ACCESS_DENIED": Reason(
        "Inspector may not read it", "let Inspector's service-linked role pull from the repository, in its policy too"
    ),
    "ACCESS_DENIED_TO_ENCRYPTION_KEY": Reason(
        "Inspector may not use its key", "let Inspector's service-linked role use the repository's KMS key"
    ),
    "INTERNAL_ERROR": Reason("Inspector failed", _SUPPORT),
    "UNSUPPORTED_OS": Reason("Inspector does not know its system", "build on a base that Inspector supports"),
    "UNSUPPORTED_RUNTIME": Reason("Inspector does not know its runtime", "build on a base that Inspector supports"),
    "UNSUPPORTED_MEDIA_TYPE": Reason(
        "Inspector does not know its media type", "push one image manifest for one platform, without attestations"
    ),
    "UNSUPPORTED_CONFIG_FILE": Reason("Inspector cannot read its configuration", _SUPPORT),
    "IMAGE_SIZE_EXCEEDED": Reason("it is larger than Inspector scans", "make the image smaller, or use basic scanning"),
    "IMAGE_ARCHIVED": Reason("it is archived", "restore the image, and correct the lifecycle rule that archived it"),
    "SCAN_ELIGIBILITY_EXPIRED": Reason(
        "Inspector has stopped watching it because of its age",
        "lengthen Inspector's ECR re-scan duration, or push the image again",
    ),
    "SCAN_FREQUENCY_MANUAL": Reason(
        "the repository is not scanned by itself", "set the frequency CONTINUOUS_SCAN for a filter that matches it"
    ),
    "SCAN_FREQUENCY_SCAN_ON_PUSH": Reason(
        "the repository is scanned on a push only", "set the frequency CONTINUOUS_SCAN for a filter that matches it"
    ),
    "NO_SCAN_CONFIGURATION_ASSOCIATED": Reason(
        "no scanning is configured for it", "set the frequency CONTINUOUS_SCAN for a filter that matches the repository"
    ),
    "RESOURCE_TERMINATED": Reason("Inspector takes it for deleted", "push the image again"),
    "NO_RESOURCES_FOUND": Reason("Inspector finds nothing there", "push the image again"),
    "PENDING_DISABLE": Reason("scanning is being switched off", "keep ECR scanning switched on in Inspector"),
    "EXCLUDED_BY_TAG": Reason("a tag excludes it", "take the tag InspectorEc2Exclusion off the resource"),
    "UNSUPPORTED_LANGUAGE": Reason("Inspector does not know its language", _SUPPORT),
    "UNSUPPORTED_CODE_ARTIFACTS": Reason("Inspector cannot read its code", _SUPPORT),
}
# The rest of the enum is about virtual machines and code repositories, and never about an image in ECR.
OF_OTHERS = frozenset(
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


def reason_of(word: str) -> Reason:
    """The meaning of a reason; one that the table does not hold is none to wait for."""
    told = f"{word!r} is a reason that the gate does not know" if word else "Inspector gives no reason"
    return REASONS.get(word) or Reason(told, "see in Inspector's coverage what it means: aws inspector2 list-coverage")
