"""The statements of a run beside its image: the verdict, and what the image consists of and is excused from.

A run that publishes stores them, and a night that is NOT CLEAN: after every scenario has been checked and the verdict
is on the disk. A statement that cannot be stored is said, and changes no verdict: the deployment asks for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from securesystemslib.signer import Signer  # type: ignore[attr-defined]

from gate.attestation.bundle import bundled
from gate.attestation.referrers import Referrers
from gate.attestation.summary import LEVELS, Summary
from gate.attestation.summary import PREDICATE as SUMMARY
from gate.attestation.summary import statement as summary_statement
from gate.errors import GateError
from gate.evidence.keyless import Keyless
from gate.evidence.reading import sha256_of
from gate.evidence.signature import sign
from gate.evidence.statement import PREDICATE as TEST_RESULT
from gate.evidence.statement import hashes_of
from gate.evidence.store import STATEMENT
from gate.run.model import Run
from gate.run.results import VERDICT
from gate.scan.register.openvex import VEX
from gate.scan.sbom import spdx_of
from gate.scenarios.features import HOME, LOCK

# Predicate types as cosign's `--type` knows them: cyclonedx, spdxjson, openvex.
CYCLONEDX, SPDX, OPENVEX = "https://cyclonedx.org/bom", "https://spdx.dev/Document", "https://openvex.dev/ns"


@dataclass(frozen=True)
class Attached:
    """One statement in the registry: its predicate type and the digest of the referrer that holds it."""

    predicate_type: str
    referrer: str


def attach_run(run: Run) -> None:
    """Store the signed statements of a concluded run beside its image, and say what was stored, or why nothing was."""
    reason = _reason_not_to(run)
    if reason:
        run.terminal.progress(f"nothing is attached to the image: {reason}")
        return
    run.terminal.waiting_for("the signed statements are stored beside the image")
    try:
        document = _document(run)
        made_at = datetime.fromisoformat(document["finished"])
        stored = attach(_registry(run), run.facts.digest, statements(run, document), run.key, made_at)
        run.terminal.progress(f"{len(stored)} signed statements are stored beside {run.facts.digest[:19]}…; "
                              "`make admit` asks for them")  # fmt: skip
    except (GateError, OSError, ValueError) as error:
        run.terminal.progress(f"the statements could not be stored beside the image: {error}")
    finally:
        run.terminal.done_waiting()


def _registry(run: Run) -> Referrers:
    if run.release_client is None:
        raise ValueError("this run never asked the registry")
    return Referrers(run.release_client.ecr.login(), run.release.repository)


def _reason_not_to(run: Run) -> str:
    word = run.results.verdict.word if run.results else ""
    if run.options.no_attach:
        return "--no-attach asks for none"
    if run.kind == "partial" or word in ("", "INCOMPLETE", "UNKNOWN"):
        return "this run decides nothing about it"
    if not run.facts.digest:
        return "no digest of it is in the registry"
    if run.publishes or word == "NOT CLEAN":
        return ""
    return "this run only looks and changes nothing"


def statements(run: Run, document: Mapping[str, Any]) -> Iterator[tuple[str, bytes]]:
    """Each statement with its predicate type; the verdict comes last: whoever finds it may look for the others."""
    uri, digest = run.release.repository_uri, run.facts.digest
    candidate = run.facts.candidate
    found = candidate.__dict__.get("sbom") if candidate else None
    if found:
        yield from _files(((CYCLONEDX, found.path), (SPDX, spdx_of(found.path))), uri, digest)
    yield from _files(((OPENVEX, run.store.folder / VEX),), uri, digest)
    if (run.folder / STATEMENT).exists():
        yield TEST_RESULT, (run.folder / STATEMENT).read_bytes()
    # The scenarios are the gate's own, in whatever folder the release is.
    policy = {"sha256": sha256_of(HOME / LOCK, LOCK)}
    yield SUMMARY, summary_statement(_summary(run, document), policy, hashes_of(run.folder))


def _summary(run: Run, document: Mapping[str, Any]) -> Summary:
    until, release = document.get("valid_until"), document["release"]
    reasons = document.get("reasons") or [""]
    return Summary(
        digest=run.facts.digest,
        repository=run.release.repository_uri,
        verdict=document["verdict"],
        target="aws" if run.target == "aws" else "local",
        made_at=datetime.fromisoformat(document["finished"]),
        valid_until=datetime.fromisoformat(until) if until and document["verdict"] == "GO" else None,
        reason="" if document["verdict"] in LEVELS else str(reasons[0])[:300],
        tags=tuple(release.get("tags") or ()),
    )


def _document(run: Run) -> dict[str, Any]:
    # What is on the disk is what was sealed.
    document: dict[str, Any] = json.loads((run.folder / VERDICT).read_text(encoding="utf-8"))
    return document


def _without_files(document: dict[str, Any]) -> dict[str, Any]:
    """An SPDX document of packages alone: its files are nine tenths of it, and no scanner reads them."""
    ids = {each["SPDXID"] for each in document.pop("files", [])}
    related = document.get("relationships", [])
    document["relationships"] = [
        each for each in related if not ids & {each["spdxElementId"], each["relatedSpdxElement"]}
    ]
    return document


def _files(named: Iterable[tuple[str, Path]], uri: str, digest: str) -> Iterator[tuple[str, bytes]]:
    for kind, path in named:
        if path.is_file():
            document = json.loads(path.read_text(encoding="utf-8"))
            yield kind, about(kind, _without_files(document) if kind == SPDX else document, uri, digest)


def about(predicate_type: str, predicate: Mapping[str, Any], repository: str, digest: str) -> bytes:
    """An in-toto Statement v1 about an image, in JSON (an SBOM has megabytes: no message of protobuf in between)."""
    return json.dumps(
        {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": repository, "digest": {"sha256": digest.removeprefix("sha256:")}}],
            "predicateType": predicate_type,
            "predicate": dict(predicate),
        },
        ensure_ascii=False,
    ).encode()


def attach(
    registry: Referrers, digest: str, stated: Iterable[tuple[str, bytes]], key: Signer | Keyless, made_at: datetime
) -> tuple[Attached, ...]:
    """Sign each statement and store it beside the image.

    Args:
        registry: of the image's repository.
        digest: of the image.
        stated: predicate type and in-toto Statement.
        key: securesystemslib's signer, or an identity.
        made_at: when the run ended.

    Raises:
        AwsRefused: the registry does not take one.
    """
    return tuple(
        Attached(kind, registry.attach(digest, bundled(sign(statement, key)), kind, made_at))
        for kind, statement in stated
    )
