"""Whether a digest may be deployed, decided from the signed statements beside it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from gate.attestation.summary import Summary, read
from gate.errors import EvidenceDamaged
from gate.evidence.signature import BUNDLE, SKEW, Whose, names, opened, signed_by

Answer = Literal["admitted", "none", "other key", "other digest", "tampered", "rehearsal", "refused",
                 "superseded", "expired", "future"]  # fmt: skip
# Why nothing of the key's owner is to be read in a bundle.
Fault = Literal["tampered", "other key", "other digest"]


@dataclass(frozen=True)
class Admission:
    """The answer, and the sentence that says why.

    Attributes:
        answer: "admitted" for a yes.
        summary: the statement that decided; None where there was none.
    """

    answer: Answer
    sentence: str
    summary: Summary | None = None

    @property
    def admitted(self) -> bool:
        """Whether the digest may be deployed."""
        return self.answer == "admitted"


def stated(bundle: bytes, whose: Whose, digest: str, repository: str) -> Summary | Fault | None:
    """What one bundle says of this digest in this repository (its URI), by this key or identity; None: nothing."""
    try:
        envelope = opened(bundle, BUNDLE)
        if not signed_by(bundle, whose):
            return "tampered" if names(bundle, whose) else "other key"
        summary = read(envelope.payload)
    except EvidenceDamaged:
        return "tampered"
    if summary and ((summary.digest, summary.repository) != (digest, repository)):
        return "other digest"
    return summary


def decide(found: Sequence[Summary | Fault | None], now: datetime) -> Admission:
    """Whether there is a valid, unexpired GO that nothing later takes back.

    A later GO stands for itself. A NO-GO, or a night that is NOT CLEAN, takes back every GO from before it. UNKNOWN and
    INCOMPLETE decide nothing: a GO ends by itself within a day.
    """
    summaries = sorted((each for each in found if isinstance(each, Summary)), key=lambda each: each.made_at)
    ahead = [each for each in summaries if each.made_at > now + SKEW]
    if ahead:
        said = f"its statement is of {_shown(ahead[-1].made_at)}, which is in the future of this machine's clock"
        return Admission("future", said, ahead[-1])
    decisive = [each for each in summaries if each.verdict in ("GO", "NO-GO", "NOT CLEAN")]
    if not decisive:
        return _without(found, summaries)
    last = decisive[-1]
    if last.verdict == "GO":
        return _of_go(last, now)
    went = any(each.verdict == "GO" for each in decisive)
    reason = f": {last.reason}" if last.reason else ""
    if went:
        said = f"its GO was taken back by {last.verdict} of {_shown(last.made_at)}{reason}"
        return Admission("superseded", said, last)
    return Admission("refused", f"the gate said {last.verdict} at {_shown(last.made_at)}{reason}", last)


def _of_go(summary: Summary, now: datetime) -> Admission:
    until = summary.valid_until
    if until is None or until <= now:
        said = f"its GO ended at {_shown(until) if until else 'no stated time'}: run the gate on it again"
        return Admission("expired", said, summary)
    return Admission("admitted", f"GO of {_shown(summary.made_at)}, valid until {_shown(until)}", summary)


def _without(found: Sequence[Summary | Fault | None], summaries: Sequence[Summary]) -> Admission:
    if summaries:
        last = summaries[-1]
        if last.target == "local":
            return Admission("rehearsal", f"there is only a rehearsal ({last.verdict}): nothing of it is of AWS", last)
        return Admission("refused", f"there is no GO: the gate said {last.verdict} at {_shown(last.made_at)}", last)
    if "tampered" in found:
        return Admission("tampered", "a statement beside it is damaged, or was altered after it was signed")
    if "other digest" in found:
        return Admission("other digest", "the statement beside it is about another digest or repository")
    if "other key" in found:
        return Admission("other key", "the statements beside it are signed by others than the given key or identity")
    return Admission("none", "no statement of the gate is stored beside it")


def _shown(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
