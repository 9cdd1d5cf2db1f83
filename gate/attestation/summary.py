"""A run's verdict as a SLSA Verification Summary (VSA) about one digest.

Specification: SLSA 1.0, "Verification Summary Attestation (VSA)", predicate type verification_summary/v1. The predicate
has no field for an end of validity; `releaseGate` holds it, with the verdict in the gate's own words. The specification
of in-toto's predicates lets a producer add a field, and has a consumer that does not know it ignore it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gate.errors import EvidenceDamaged
from gate.evidence.statement import about
from gate.evidence.statement import read as read_statement
from gate.typed import UNTYPED, moment
from gate.verdict import WORDS

PREDICATE = "https://slsa.dev/verification_summary/v1"
VERIFIER = "urn:release-gate:verifier"
# SLSA: names of levels that do not begin with "SLSA_" are the verifier's own.
LEVELS = {"GO": "RELEASE_GATE_GO", "REHEARSAL PASSED": "RELEASE_GATE_REHEARSAL", "CLEAN": "RELEASE_GATE_RESCAN"}


@dataclass(frozen=True)
class Summary:
    """What a verification summary says.

    Attributes:
        digest: of the image, "sha256:" and 64 hexadecimal digits.
        repository: its URI, registry included.
        verdict: one of the gate's words.
        target: "aws" or "local".
        made_at: when the run ended.
        valid_until: the end of a GO; None for any other verdict.
        reason: the first cause of a no, as a sentence; "" for a yes.
        tags: the tags that named the digest then.
    """

    digest: str
    repository: str
    verdict: str
    target: str
    made_at: datetime
    valid_until: datetime | None
    reason: str = ""
    tags: tuple[str, ...] = ()


def statement(said: Summary, policy: Mapping[str, str], inputs: Mapping[str, str]) -> bytes:
    """The summary as an in-toto Statement, in JSON.

    Args:
        said: what it says.
        policy: the sha-256 of each file that the verdict was decided by.
        inputs: the sha-256 of each file that the verdict rests on.
    """
    predicate = {
        "verifier": {"id": VERIFIER},
        "timeVerified": said.made_at.isoformat(timespec="seconds"),
        "resourceUri": f"{said.repository}@{said.digest}",
        "policy": {"uri": "features/scenarios.lock", "digest": dict(policy)},
        "inputAttestations": [{"uri": name, "digest": {"sha256": sha}} for name, sha in inputs.items()],
        "verificationResult": "PASSED" if said.verdict in LEVELS else "FAILED",
        "verifiedLevels": [LEVELS.get(said.verdict, "FAILED")],
        "slsaVersion": "1.0",
    }
    own = {
        "verdict": said.verdict,
        "target": said.target,
        "validUntil": said.valid_until.isoformat() if said.valid_until else None,
        "reason": said.reason,
        "tags": list(said.tags),
    }
    made = about(PREDICATE, {**predicate, "releaseGate": own}, said.repository, said.digest)
    return json.dumps(made, ensure_ascii=False, sort_keys=True).encode()


def read(raw: bytes) -> Summary | None:
    """What a statement says; None when it is a statement of another kind.

    Raises:
        EvidenceDamaged: it is no in-toto Statement, or a summary that is not whole or contradicts itself.
    """
    found = read_statement(raw)
    try:
        return _summary(found) if found["predicateType"] == PREDICATE else None
    except UNTYPED as error:
        raise EvidenceDamaged(f"the statement cannot be read: {type(error).__name__}: {error}") from error


def _summary(found: Mapping[str, Any]) -> Summary | None:
    predicate, (subject,) = found["predicate"], found["subject"]
    if predicate.get("verifier", {}).get("id") != VERIFIER:
        return None  # another verifier's summary: its word is not this gate's
    own = predicate["releaseGate"]
    until = own["validUntil"]
    said = Summary(
        digest=f"sha256:{subject['digest']['sha256']}",
        repository=subject["name"],
        verdict=own["verdict"],
        target=own["target"],
        made_at=moment(predicate["timeVerified"]),
        valid_until=moment(until) if until else None,
        reason=str(own.get("reason") or ""),
        tags=tuple(map(str, own.get("tags") or ())),
    )
    if said.verdict not in WORDS or said.target not in ("aws", "local"):
        raise ValueError(f"{said.verdict!r} on {said.target!r} is no verdict of the gate")
    if (predicate["verificationResult"] == "PASSED") != (said.verdict in LEVELS):
        raise ValueError(f"it says {predicate['verificationResult']} and {said.verdict}")
    if said.verdict == "GO" and (said.valid_until is None or said.target != "aws"):
        raise ValueError("a GO is of AWS and has an end")
    return said
