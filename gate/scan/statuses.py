"""What each ECR scan status means for the gate: one table, also shown in docs/scan-statuses.md. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gate.scan.reasons import REASONS


class Mode(StrEnum):
    """The two kinds of ECR scanning (ECR model, ScanType)."""

    BASIC = "BASIC"
    ENHANCED = "ENHANCED"


class Outcome(StrEnum):
    """What the gate does on a status."""

    RESULT = "the findings are read, once a time of completion is told"
    WAIT = "waited for, until --scan-timeout"
    NO_RESULT = "NO-GO"


@dataclass(frozen=True)
class Meaning:
    """One row of the table.

    Attributes:
        status: as ECR spells it.
        basic: the outcome when it comes from basic scanning.
        enhanced: the outcome when it comes from enhanced scanning (Amazon Inspector).
        sentence: what it says about the image.
        remedy: the way out, when there is no result.
    """

    status: str
    basic: Outcome
    enhanced: Outcome
    sentence: str
    remedy: str = ""

    def outcome(self, mode: Mode) -> Outcome:
        """The outcome in this mode."""
        return self.basic if mode is Mode.BASIC else self.enhanced


_WAIT, _RESULT, _NONE = Outcome.WAIT, Outcome.RESULT, Outcome.NO_RESULT

# ECR model, ScanStatus; the good ends are COMPLETE under basic, COMPLETE or ACTIVE under enhanced scanning.
TABLE: tuple[Meaning, ...] = (
    Meaning("IN_PROGRESS", _WAIT, _WAIT, "the scan is running"),
    Meaning("PENDING", _WAIT, _WAIT, "the scan is queued"),
    Meaning("COMPLETE", _RESULT, _RESULT, "the scan has ended, or Inspector has taken the image in"),
    Meaning(
        "ACTIVE",
        _NONE,
        _RESULT,
        "Inspector watches the image continuously; basic scanning never answers so",
        "see which kind of scanning the registry is configured for",
    ),
    Meaning("FAILED", _NONE, _NONE, "the scan failed", "start the scan again; if it fails again, ask AWS Support"),
    Meaning(
        "UNSUPPORTED_IMAGE",
        _NONE,
        _NONE,
        "the scanner cannot scan this image: an index, attestations, or a system it does not know",
        "push one image manifest for one platform, on a base that ECR scanning supports",
    ),
    Meaning(
        "SCAN_ELIGIBILITY_EXPIRED",
        _NONE,
        _NONE,
        "Inspector has stopped watching the image because of its age",
        "lengthen Inspector's ECR re-scan duration, or push the image again",
    ),
    Meaning(
        "FINDINGS_UNAVAILABLE",
        _NONE,
        _NONE,
        "there was a scan, but its findings are not available",
        "start a new scan of the image",
    ),
    Meaning(
        "LIMIT_EXCEEDED",
        _NONE,
        _NONE,
        "the scan was not made: a limit of the scanner was exceeded",
        "wait until the limit is lifted (one basic scan per image in 24 hours) and scan again",
    ),
    Meaning(
        "IMAGE_ARCHIVED",
        _NONE,
        _NONE,
        "the image is archived: it is neither scanned nor can it be pulled",
        "restore the image, and correct the lifecycle rule that archived it",
    ),
)

_BY_STATUS = {meaning.status: meaning for meaning in TABLE}


def meaning_of(status: str) -> Meaning:
    """The meaning of a status; one that the table does not hold is no result in either mode.

    Inspector's reasons are known by their own table: an answer that carries one for its status is told in its words.
    """
    if status in REASONS and status not in _BY_STATUS and status != "SUCCESSFUL":
        reason = REASONS[status]
        return Meaning(status, _NONE, _WAIT if reason.passing else _NONE, reason.sentence, reason.remedy)
    return _BY_STATUS.get(status) or Meaning(
        status,
        _NONE,
        _NONE,
        "the gate does not know this scan status" if status else "the answer holds no scan status",
        "add the status and its outcome to gate/scan/statuses.py",
    )


def markdown() -> str:
    """The table as that page shows it."""
    head = "| ECR scan status | basic scanning | enhanced scanning | what it says |\n|---|---|---|---|\n"
    rows = (f"| `{m.status}` | {m.basic.value} | {m.enhanced.value} | {m.sentence} |\n" for m in TABLE)
    return head + "".join(rows) + "| any other | NO-GO | NO-GO | the gate does not know it |\n"
