"""Whether the statement of a run says what verdict.json says, and whether the named key signed it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from google.protobuf.json_format import MessageToDict, Parse, ParseError  # type: ignore[import-untyped]
from in_toto_attestation.v1.statement import Statement
from in_toto_attestation.v1.statement_pb2 import Statement as Message

from gate.check import ACCEPTED, CheckResult, Rejection, check, reject
from gate.errors import EvidenceDamaged
from gate.evidence.reading import RUN_AGAIN
from gate.evidence.signature import opened, signed_by
from gate.evidence.statement import PREDICATE, predicate, subject_of
from gate.evidence.store import ENVELOPE, STATEMENT

_AFTER = "do not rely on this statement: " + RUN_AGAIN
_DOCUMENT = {
    "verdict": "NO-GO", "target": "aws", "kind": "full", "criteria": {}, "release": {"digest": "sha256:" + "b" * 64}
}  # fmt: skip
_STATEMENT = {
    "subject": [{"digest": {"sha256": "a" * 64}}],
    "predicateType": PREDICATE,
    "predicate": {"result": "PASSED"},
}


def read(raw: bytes) -> dict[str, Any]:
    """The statement in a file's content.

    Raises:
        EvidenceDamaged: it is not a whole in-toto Statement v1.
    """
    try:
        message = Parse(raw, Message())
        Statement.copy_from_pb(message).validate()
    except (ParseError, ValueError) as error:
        raise EvidenceDamaged(f"{STATEMENT} is not whole: {error}", where=STATEMENT, remedy=RUN_AGAIN) from error
    found: dict[str, Any] = MessageToDict(message)
    return found


@check(8, known_bad=lambda: (_STATEMENT, _DOCUMENT, {"verdict.json": "c"}))
def states(said: Mapping[str, Any], document: Mapping[str, Any], hashes: Mapping[str, str]) -> CheckResult:
    """The statement is about the checked image, says what verdict.json says, and covers the files as they are.

    Args:
        said: the statement.
        document: verdict.json.
        hashes: the sha-256 of each covered file now.
    """
    return CheckResult.of(Rejection(cause, where=STATEMENT, remedy=_AFTER) for cause in _faults(said, document, hashes))


def _faults(said: Mapping[str, Any], document: Mapping[str, Any], hashes: Mapping[str, str]) -> Iterator[str]:
    about = [f"sha256:{subject.get('digest', {}).get('sha256')}" for subject in said["subject"]]
    if about != [subject_of(document)]:
        yield f"the statement is about {', '.join(about)}, and verdict.json about {subject_of(document) or 'no image'}"
    if said["predicateType"] != PREDICATE:
        yield f"the statement's predicate is {said['predicateType']}, not {PREDICATE}"
        return
    found, due = said["predicate"], predicate(document, hashes)
    if found.get("result") != due["result"]:
        word = document["verdict"]
        yield f"the statement says {found.get('result')}, and {word} can only be stated as {due['result']}"
    for group in ("passedTests", "warnedTests", "failedTests"):
        for claim in sorted(set(found.get(group, ())) ^ set(due[group])):
            yield f"“{claim}” is among {group} in only one of the statement and verdict.json"
    yield from _uncovered(_configuration(found), _configuration(due))
    if found.get("configuration") != due["configuration"] and _configuration(found) == _configuration(due):
        yield "what the statement adds to the files it covers is not what verdict.json says"


def _configuration(found: Mapping[str, Any]) -> dict[str, str]:
    return {
        entry.get("name", ""): entry.get("digest", {}).get("sha256", "") for entry in found.get("configuration", ())
    }


def _uncovered(said: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    for name in sorted({*said, *now}):
        if name not in said:
            yield f"{name} is not covered by the statement: it was added after the run"
        elif name not in now:
            yield f"{name} is missing: the statement covers it"
        elif said[name] != now[name]:
            yield f"{name} was altered after the statement was made"


@check(8, known_bad=lambda: (b'{"payload": "", "payloadType": "", "signatures": []}', b"{}", None))
def signed(envelope: bytes, statement: bytes, key: Any) -> CheckResult:
    """The envelope holds this very statement, and the key (securesystemslib's; None: not asked) signed it."""
    try:
        found = opened(envelope)
    except EvidenceDamaged as damage:
        return reject(damage.cause, where=ENVELOPE, remedy=_AFTER)
    result = ACCEPTED
    if found.payload != statement:
        result += reject(f"what is signed is not {STATEMENT}: the signature is over another payload", ENVELOPE, _AFTER)
    if key is not None and not signed_by(found, key):
        names = ", ".join(found.signatures)
        cause = f"the signature is not by the given key {key.keyid}; it names {names}"
        if key.keyid in found.signatures:
            cause = f"the signature that names the given key {key.keyid} does not fit: payload or signature was altered"
        result += reject(cause, ENVELOPE, "take the public key from its owner, not from this folder; " + _AFTER)
    return result
