"""Check a run's folder offline: is it what the run left, and does its verdict follow from it?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gate.errors import EvidenceDamaged, GateError
from gate.evidence import attested, checks, signature
from gate.evidence.account import TITLE, Account, account_in
from gate.evidence.folder import Folder, json_object, read
from gate.evidence.statement import hashes_of, subject_of
from gate.evidence.store import ENVELOPE, INDEX, STATEMENT
from gate.judgement import ACCEPTED, Judgement, Rejection, reject

_INDEX, _VERDICT = f"evidence/{INDEX}", "verdict.json"


@dataclass(frozen=True)
class Check:
    """One check: its name, what it came to, and what was seen, in words.

    Attributes:
        open: it could not be done, for want of something that the person can give; it forbids nothing.
    """

    name: str
    judgement: Judgement
    seen: str = ""
    open: bool = False


def verify(path: Path, key: Path | None = None) -> tuple[Check, ...]:
    """Every check of a run's folder.

    Args:
        path: reports/, reports/partial, reports/rescan, a folder of reports/runs/, or a copy of any of them.
        key: the PEM file of the public key that is to have signed it.

    Raises:
        WrongUse: the path holds no run.
    """
    folder = read(path)
    steps: dict[str, Callable[[], Check]] = {
        "index": lambda: _index(folder),
        "records": lambda: _records(folder),
        "list": lambda: _list(folder),
        "verdict": lambda: _verdict(folder),
        "statement": lambda: _statement(folder),
        "signature": lambda: _signature(folder, key),
    }
    return tuple(_tried(name, step) for name, step in steps.items())


def _tried(name: str, step: Callable[[], Check]) -> Check:
    try:
        return step()
    except GateError as error:
        return Check(name, Judgement((Rejection(error.cause, error.where, error.remedy),)))
    except (KeyError, TypeError, AttributeError) as error:
        # JSON, but not in the form that a run writes: whoever edited it broke it.
        cause = f"a file is not in the form that a run writes: {type(error).__name__}: {error}"
        return Check(name, reject(cause, str(name), "do not rely on this folder"))


def _index(folder: Folder) -> Check:
    index = folder.object(_INDEX)
    return Check(
        "index", checks.sealed(index, folder.hashes), f"{len(index)} files have their sha-256, none is unlisted"
    )


def _records(folder: Folder) -> Check:
    return Check("records", checks.intact(folder.records), f"{len(folder.records)} answers have their own sha-256")


def _list(folder: Folder) -> Check:
    judgement = checks.listed(folder.object(_VERDICT)["evidence"], folder.object(_INDEX))
    return Check("list", judgement, "verdict.json names the same files with the same hashes")


def _verdict(folder: Folder) -> Check:
    folder.object(_INDEX)  # without it the run did not end, and verdict.json still says so
    account = _account(folder)
    document = folder.object(_VERDICT)
    seen = f"decided again from {len(account.outcomes)} recorded outcomes: {document.get('verdict')}"
    return Check("verdict", checks.follows(document, account), seen)


def _account(folder: Folder) -> Account:
    """The account of the run, from its one record.

    Raises:
        EvidenceDamaged: there is none, or more than one, or it cannot be read.
    """
    whole = [json_object(raw, f"evidence/{name}") for name, raw in folder.records.items()]
    found = [record for record in whole if record.get("title") == TITLE]
    if len(found) != 1:
        raise EvidenceDamaged(
            f"the evidence holds {len(found)} records titled “{TITLE}”, and the verdict follows from exactly one",
            where="evidence/",
            remedy="the run was cut short, or made by an older gate: run the gate again",
        )
    return account_in(found[0].get("answer"))


def _statement(folder: Folder) -> Check:
    document = folder.object(_VERDICT)
    if subject_of(document) is None and not (folder.path / STATEMENT).exists():
        return Check("statement", ACCEPTED, "none: the run knew no image that one could be made about", open=True)
    said = attested.read(folder.raw(STATEMENT))
    hashes = hashes_of(folder.path)
    seen = f"{said['predicate'].get('result')} over {subject_of(document)}, covering {', '.join(hashes)}"
    return Check("statement", attested.states(said, document, hashes), seen)


def _signature(folder: Folder, key: Path | None) -> Check:
    asked = signature.public_key(key) if key else None
    if not (folder.path / ENVELOPE).exists():
        if asked:
            remedy = "take the folder as it was signed, or run the gate again with --sign KEY"
            return Check(
                "signature", reject(f"nobody signed this run: {ENVELOPE} is missing", str(folder.path), remedy)
            )
        seen = "none: hashes show damage and careless edits; only a signature (--sign KEY) shows who made the folder"
        return Check("signature", ACCEPTED, seen, open=True)
    envelope = folder.raw(ENVELOPE)
    judgement = attested.signed(envelope, folder.raw(STATEMENT), asked)
    if asked:
        return Check("signature", judgement, f"signed by the given key {asked.keyid}")
    names = ", ".join(signature.opened(envelope).signatures)
    return Check("signature", judgement, f"signed in the name of {names}; not checked, no key was given", open=True)
