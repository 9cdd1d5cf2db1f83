"""The statement of a run: an in-toto Statement with the test-result predicate over the checked image; made and read.

Specifications: in-toto Attestation Framework, Statement v1; predicate test-result v0.1.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict, Parse, ParseError  # type: ignore[import-untyped]
from in_toto_attestation.v1.statement import Statement
from in_toto_attestation.v1.statement_pb2 import Statement as Message

from gate.check import CheckResult, check, reject_each
from gate.errors import EvidenceDamaged
from gate.evidence.integrity import unaltered
from gate.evidence.reading import RUN_AGAIN, is_there, sha256_of
from gate.evidence.signature import Key, name_of, sign
from gate.evidence.store import ENVELOPE, SEAL, STATEMENT, write_whole

PREDICATE = "https://in-toto.io/attestation/test-result/v0.1"
# The statement covers these byte for byte; the seal in turn covers every file of the run.
COVERED = (SEAL, "verdict.json")

# A rehearsal and a quiet night went well and release nothing: the predicate's word between yes and no.
_RESULTS = {"GO": "PASSED", "REHEARSAL PASSED": "WARNED", "CLEAN": "WARNED"}

_AFTER = "do not rely on this statement: " + RUN_AGAIN
_DOCUMENT = {
    "verdict": "NO-GO", "target": "aws", "kind": "full", "criteria": {}, "release": {"digest": "sha256:" + "b" * 64}
}  # fmt: skip
_STATEMENT = {
    "subject": [{"digest": {"sha256": "a" * 64}}],
    "predicateType": PREDICATE,
    "predicate": {"result": "PASSED"},
}


def subject_of(document: Mapping[str, Any]) -> str | None:
    """What the statement is about: the published digest; before there is one, the ID of the built image."""
    release = document["release"]
    found: str | None = release.get("digest") or release.get("image_id")
    return found


def predicate(document: Mapping[str, Any], hashes: Mapping[str, str]) -> dict[str, Any]:
    """The test-result predicate.

    A scenario that passed against a simulation is among the warned; one that did not run is in no list, so that
    a policy that asks for it does not find it.

    Args:
        document: verdict.json.
        hashes: the sha-256 of each covered file.
    """
    scenarios = [s for criterion in document["criteria"].values() for s in criterion["scenarios"]]
    passed = [s for s in scenarios if s["status"] == "passed"]
    said = {"verdict": document["verdict"], "target": document["target"], "kind": document["kind"]}
    noted = {"verdict.json": {"annotations": said}}
    return {
        "result": _RESULTS.get(document["verdict"], "FAILED"),
        "configuration": [
            {"name": name, "digest": {"sha256": sha}, **noted.get(name, {})} for name, sha in hashes.items()
        ],
        "passedTests": [s["name"] for s in passed if s["provenance"] == "real"],
        "warnedTests": [s["name"] for s in passed if s["provenance"] != "real"],
        "failedTests": [s["name"] for s in scenarios if s["status"] == "failed"],
    }


def about(predicate_type: str, predicate: Mapping[str, Any], repository: str, digest: str) -> dict[str, Any]:
    """An in-toto Statement v1 about an image: its repository, and its digest or ID."""
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": repository, "digest": {"sha256": digest.removeprefix("sha256:")}}],
        "predicateType": predicate_type,
        "predicate": dict(predicate),
    }


def statement(document: Mapping[str, Any], hashes: Mapping[str, str], repository: str) -> bytes | None:
    """The statement as JSON; None when the run knew no image that one could be made about."""
    image = subject_of(document)
    if image is None:
        return None
    made = about(PREDICATE, predicate(document, hashes), repository, image)
    return (json.dumps(made, indent=2, ensure_ascii=False, sort_keys=True) + "\n").encode()


def hashes_of(folder: Path) -> dict[str, str]:
    """The sha-256 of each covered file that a run's folder holds.

    Raises:
        EvidenceDamaged: one of them cannot be read.
    """
    return {name: sha256_of(folder / name, name) for name in COVERED if is_there(folder / name)}


def attest(folder: Path, repository: str, key: Key | None) -> str:
    """Write the statement over a sealed run, signed when there is a key; the sentence says what was done."""
    document = json.loads((folder / "verdict.json").read_text(encoding="utf-8"))
    content = statement(document, hashes_of(folder), repository)
    if content is None:
        return "no statement was made: the run knew no image to make it about"
    write_whole(folder / STATEMENT, content)
    if key is None:
        return f"{STATEMENT} is not signed; --sign KEY signs it"
    write_whole(folder / ENVELOPE, sign(content, key))
    return f"{STATEMENT} is signed by {name_of(key)}"


def read(raw: bytes) -> dict[str, Any]:
    """The statement in a file's content.

    Raises:
        EvidenceDamaged: it is not a whole in-toto Statement v1.
    """
    try:
        message = Parse(raw, Message())
        Statement.copy_from_pb(message).validate()
    except (ParseError, ValueError, RecursionError) as error:
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
    about = [f"sha256:{subject.get('digest', {}).get('sha256')}" for subject in said["subject"]]
    causes = []
    if about != [subject_of(document)]:
        subject = subject_of(document) or "no image"
        causes.append(f"the statement is about {', '.join(about)}, and verdict.json about {subject}")
    if said["predicateType"] != PREDICATE:
        causes.append(f"the statement's predicate is {said['predicateType']}, not {PREDICATE}")
        return reject_each(causes, STATEMENT, _AFTER)
    found, due = said["predicate"], predicate(document, hashes)
    if found.get("result") != due["result"]:
        word = document["verdict"]
        causes.append(f"the statement says {found.get('result')}, and {word} can only be stated as {due['result']}")
    for group in ("passedTests", "warnedTests", "failedTests"):
        for scenario in sorted(set(found.get(group, ())) ^ set(due[group])):
            causes.append(f"“{scenario}” is among {group} in only one of the statement and verdict.json")
    covered = {
        entry.get("name", ""): entry.get("digest", {}).get("sha256", "") for entry in found.get("configuration", ())
    }
    files = unaltered(covered, hashes, by="statement", folder="")
    if files.accepted and found.get("configuration") != due["configuration"]:
        causes.append("what the statement adds to the files it covers is not what verdict.json says")
    return reject_each(causes, STATEMENT, _AFTER) + files
