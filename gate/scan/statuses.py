"""The words with which ECR and Amazon Inspector describe the state of a scan, and what the gate does on each. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Mode(StrEnum):
    """The two kinds of ECR scanning (ECR model, ScanType)."""

    BASIC = "BASIC"
    ENHANCED = "ENHANCED"


class Outcome(StrEnum):
    """What the gate does on a status."""

    RESULT = "the findings are read, once there is a time of completion"
    WAIT = "waited for, until --scan-timeout"
    NO_RESULT = "NO-GO"


_WAIT, _RESULT, _NONE = Outcome.WAIT, Outcome.RESULT, Outcome.NO_RESULT


@dataclass(frozen=True)
class StatusMeaning:
    """What a status of ECR's, or a reason of Inspector's for covering an image or not, means.

    Attributes:
        status: as AWS spells it.
        sentence: what it says about the image.
        remedy: the way out, when there is no result.
        basic: the outcome when it comes from basic scanning.
        enhanced: the outcome when it comes from enhanced scanning (Amazon Inspector).
    """

    status: str
    sentence: str
    remedy: str = ""
    basic: Outcome = _NONE
    enhanced: Outcome = _NONE

    def outcome(self, mode: Mode) -> Outcome:
        """The outcome in this mode."""
        return self.basic if mode is Mode.BASIC else self.enhanced

    @property
    def passing(self) -> bool:
        """Whether Inspector will get past it without anybody's help, so that it is waited for."""
        return self.enhanced is Outcome.WAIT


_PUSH_AGAIN = "lengthen Inspector's ECR re-scan duration, or push the image again"
_RESTORE = "restore the image, and correct the lifecycle rule that archived it"

# ECR model, ScanStatus; the good ends are COMPLETE under basic, COMPLETE or ACTIVE under enhanced scanning.
TABLE: tuple[StatusMeaning, ...] = (
    StatusMeaning("IN_PROGRESS", "the scan is running", "", _WAIT, _WAIT),
    StatusMeaning("PENDING", "the scan is queued", "", _WAIT, _WAIT),
    StatusMeaning("COMPLETE", "the scan has ended, or Inspector has taken the image in", "", _RESULT, _RESULT),
    StatusMeaning(
        "ACTIVE",
        "Inspector watches the image continuously; basic scanning never answers so",
        "see which kind of scanning the registry is configured for",
        enhanced=_RESULT,
    ),
    StatusMeaning("FAILED", "the scan failed", "start the scan again; if it fails again, ask AWS Support"),
    StatusMeaning(
        "UNSUPPORTED_IMAGE",
        "the scanner cannot scan this image: an index, attestations, or a system it does not know",
        "push one image manifest for one platform, on a base that ECR scanning supports",
    ),
    StatusMeaning(
        "SCAN_ELIGIBILITY_EXPIRED", "Inspector has stopped watching the image because of its age", _PUSH_AGAIN
    ),
    StatusMeaning(
        "FINDINGS_UNAVAILABLE",
        "there was a scan, but its findings are not available",
        "start a new scan of the image",
    ),
    StatusMeaning(
        "LIMIT_EXCEEDED",
        "the scan was not made: a limit of the scanner was exceeded",
        "wait until the limit is lifted (one basic scan per image in 24 hours) and scan again",
    ),
    StatusMeaning("IMAGE_ARCHIVED", "the image is archived: it is neither scanned nor can it be pulled", _RESTORE),
)
_BY_STATUS = {meaning.status: meaning for meaning in TABLE}

_LATER = "run again when Inspector has looked; with a longer --scan-timeout if it is slow"
_SUPPORT = "push the image again; if it stays so, ask AWS Support"
_OTHER_BASE = "build on a base that Inspector supports"
_CONTINUOUS = "set the frequency CONTINUOUS_SCAN for a filter that matches the repository"

# Inspector2 model, ScanStatusReason. The first says that the image is covered; the others say why it is not.
REASONS: dict[str, StatusMeaning] = {
    word: StatusMeaning(word, sentence, remedy, enhanced=_WAIT if remedy == _LATER else _NONE)
    for word, sentence, remedy in (
        ("SUCCESSFUL", "the image is watched", "nothing has to be done"),
        ("PENDING_INITIAL_SCAN", "its first scan is still to come", _LATER),
        ("SCAN_IN_PROGRESS", "it is being scanned", _LATER),
        ("PENDING_REVIVAL_SCAN", "it was restored, and its next scan is still to come", _LATER),
        (
            "ACCESS_DENIED",
            "Inspector may not read it",
            "let Inspector's service-linked role pull from the repository, in its policy too",
        ),
        (
            "ACCESS_DENIED_TO_ENCRYPTION_KEY",
            "Inspector may not use its key",
            "let Inspector's service-linked role use the repository's KMS key",
        ),
        ("INTERNAL_ERROR", "Inspector failed", _SUPPORT),
        ("UNSUPPORTED_OS", "Inspector does not know its system", _OTHER_BASE),
        ("UNSUPPORTED_RUNTIME", "Inspector does not know its runtime", _OTHER_BASE),
        (
            "UNSUPPORTED_MEDIA_TYPE",
            "Inspector does not know its media type",
            "push one image manifest for one platform, without attestations",
        ),
        ("UNSUPPORTED_CONFIG_FILE", "Inspector cannot read its configuration", _SUPPORT),
        ("IMAGE_SIZE_EXCEEDED", "it is larger than Inspector scans", "make the image smaller, or use basic scanning"),
        ("IMAGE_ARCHIVED", "it is archived", _RESTORE),
        ("SCAN_ELIGIBILITY_EXPIRED", "Inspector has stopped watching it because of its age", _PUSH_AGAIN),
        ("SCAN_FREQUENCY_MANUAL", "the repository is not scanned by itself", _CONTINUOUS),
        ("SCAN_FREQUENCY_SCAN_ON_PUSH", "the repository is scanned on a push only", _CONTINUOUS),
        ("NO_SCAN_CONFIGURATION_ASSOCIATED", "no scanning is configured for it", _CONTINUOUS),
        ("RESOURCE_TERMINATED", "Inspector takes it for deleted", "push the image again"),
        ("NO_RESOURCES_FOUND", "Inspector finds nothing there", "push the image again"),
        ("PENDING_DISABLE", "scanning is being switched off", "keep ECR scanning switched on in Inspector"),
        ("EXCLUDED_BY_TAG", "a tag excludes it", "take the tag InspectorEc2Exclusion off the resource"),
        ("UNSUPPORTED_LANGUAGE", "Inspector does not know its language", _SUPPORT),
        ("UNSUPPORTED_CODE_ARTIFACTS", "Inspector cannot read its code", _SUPPORT),
    )
}


def meaning_of(status: str) -> StatusMeaning:
    """The meaning of a scan status; an unknown one gives no result in either mode.

    Where ECR answers with a reason of Inspector's, that reason's meaning is given.
    """
    known = _BY_STATUS.get(status) or (REASONS.get(status) if status != "SUCCESSFUL" else None)
    return known or StatusMeaning(
        status,
        "the gate does not know this scan status" if status else "the answer holds no scan status",
        "add the status and its outcome to gate/scan/statuses.py",
    )


def reason_of(word: str) -> StatusMeaning:
    """The meaning of a reason for covering an image or not; an unknown one is not waited for."""
    sentence = f"{word!r} is a reason that the gate does not know" if word else "Inspector gives no reason"
    remedy = "see in Inspector's coverage what it means: aws inspector2 list-coverage"
    return REASONS.get(word) or StatusMeaning(word, sentence, remedy)


def markdown() -> str:
    """The table of ECR's statuses as docs/scan-statuses.md shows it."""
    head = "| ECR scan status | basic scanning | enhanced scanning | what it says |\n|---|---|---|---|\n"
    rows = (f"| `{m.status}` | {m.basic.value} | {m.enhanced.value} | {m.sentence} |\n" for m in TABLE)
    return head + "".join(rows) + "| any other | NO-GO | NO-GO | the gate does not know it |\n"
