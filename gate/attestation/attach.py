"""The statements of a run beside its image: the verdict, and what the image consists of and is excused from.

A run that publishes stores them, and a night that is NOT CLEAN: after every scenario has been checked and the verdict
is on the disk. A statement that cannot be stored is said, and changes no verdict: the deployment asks for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from gate.attestation.referrers import Referrers
from gate.attestation.summary import LEVELS, Summary
from gate.attestation.summary import PREDICATE as SUMMARY
from gate.attestation.summary import statement as summary_statement
from gate.errors import GateError
from gate.evidence.reading import sha256_of
from gate.evidence.signature import Key, bundled, sign
from gate.evidence.statement import PREDICATE as TEST_RESULT
from gate.evidence.statement import about, hashes_of
from gate.evidence.store import STATEMENT
from gate.run.model import Run
from gate.run.results import VERDICT
from gate.scan.exceptions.openvex import VEX
from gate.scan.sbom import spdx_of
from gate.scenarios.features import HOME, LOCK

# Predicate types as cosign's `--type` knows them: cyclonedx, spdxjson, openvex.
CYCLONEDX, SPDX, OPENVEX = "https://cyclonedx.org/bom", "https://spdx.dev/Document", "https://openvex.dev/ns"


def attach_run(run: Run) -> None:
    """Store the signed statements of a concluded run beside its image, and say what was stored, or why nothing was."""
    reason = _reason_not_to(run)
    if reason:
        run.terminal.progress(f"nothing is attached to the image: {reason}")
        return
    run.terminal.waiting_for("the signed statements are stored beside the image")
    try:
        # What is on the disk is what was sealed.
        document = json.loads((run.folder / VERDICT).read_text(encoding="utf-8"))
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
    candidate = run.facts.candidate
    found = candidate.__dict__.get("sbom") if candidate else None
    boms = {CYCLONEDX: found.path, SPDX: spdx_of(found.path)} if found else {}
    for kind, path in {**boms, OPENVEX: run.store.folder / VEX}.items():
        if path.is_file():
            predicate = json.loads(path.read_text(encoding="utf-8"))
            content = _without_files(predicate) if kind == SPDX else predicate
            made = about(kind, content, run.release.repository_uri, run.facts.digest)
            yield kind, json.dumps(made, ensure_ascii=False).encode()
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


def _without_files(document: dict[str, Any]) -> dict[str, Any]:
    """An SPDX document of packages alone: its files are nine tenths of it, and no scanner reads them."""
    ids = {each["SPDXID"] for each in document.pop("files", [])}
    related = document.get("relationships", [])
    document["relationships"] = [
        each for each in related if not ids & {each["spdxElementId"], each["relatedSpdxElement"]}
    ]
    return document


def attach(
    registry: Referrers, digest: str, stated: Iterable[tuple[str, bytes]], key: Key, made_at: datetime
) -> list[str]:
    """Sign each statement and store it beside the image; returns the digests of the referrers.

    Args:
        registry: of the image's repository.
        digest: of the image.
        stated: predicate type and in-toto Statement.
        key: securesystemslib's signer, or an identity.
        made_at: when the run ended.

    Raises:
        AwsRefused: the registry does not take one.
    """
    return [registry.attach(digest, bundled(sign(each, key)), kind, made_at) for kind, each in stated]
