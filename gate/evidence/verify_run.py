"""Check a run's folder offline: is it what the run left, and does its verdict follow from it?"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

from gate.check import ACCEPTED, CheckResult, Rejection, reject
from gate.errors import EvidenceDamaged, GateError, WrongUse
from gate.evidence import integrity, recheck, seal, signature, statement
from gate.evidence.reading import HashedFiles, content, hashed, is_folder, is_there, json_in, json_object, names_in
from gate.evidence.run_record import (
    CONFIGURATION,
    TITLE,
    Configuration,
    RunRecord,
    configuration_in,
    run_record_in,
)
from gate.evidence.store import ENVELOPE, INDEX, SEAL, STATEMENT

_INDEX, _VERDICT = f"evidence/{INDEX}", "verdict.json"
_CALLS = "every AWS call of the run"
_RECORD = re.compile(r"\d{3,9}-[a-z0-9-]+\.json")


@dataclass(frozen=True)
class FolderCheck:
    """One check: its name, what it came to, and what was seen, in words.

    Attributes:
        open: it could not be done, for want of something that the person can give; it forbids nothing.
        uncovered: what stands there and was not looked at, a phrase each.
        place: of the run in a folder of reports; "" for the run in the folder itself.
    """

    name: str
    result: CheckResult
    seen: str = ""
    open: bool = False
    uncovered: tuple[str, ...] = ()
    place: str = ""


@dataclass(frozen=True)
class RunFolder:
    """What stands in a run's folder.

    Attributes:
        path: the folder that holds verdict.json and evidence/.
        evidence: every file in evidence/ but the index; of the records the content too.
        whose: key or identity that is to have signed it; None: nobody asks.
        apart: folders in it that belong to other runs.
    """

    path: Path
    evidence: HashedFiles
    whose: signature.Whose | None
    apart: Collection[str]

    @cached_property
    def records(self) -> recheck.Records:
        """Each record of the evidence.

        Raises:
            EvidenceDamaged: one of them is cut short or holds something else.
        """
        return [json_object(raw, f"evidence/{name}") for name, raw in self.evidence.kept.items()]


def verify(path: Path, whose: signature.Whose | None = None, apart: Collection[str] = ()) -> tuple[FolderCheck, ...]:
    """Every check of a run's folder, which this key or identity is to have signed.

    Those `apart` in it belong to other runs, and other calls check them.

    Raises:
        WrongUse: the path holds no run.
        EvidenceDamaged: it holds more than can be looked at.
    """
    if not is_there(path / _VERDICT) and not is_folder(path / "evidence"):
        above = f"name the folder above it: {path.parent}" if is_there(path / INDEX) else ""
        raise WrongUse(
            f"{path} holds no run: neither verdict.json nor evidence/ is in it",
            remedy=above or "name the folder of a run, such as reports",
        )
    base = path / "evidence"
    names = [name for name in (names_in(base) if is_folder(base) else ()) if name != INDEX]
    folder = RunFolder(path, hashed(base, names, "evidence/", _RECORD), whose, apart)
    steps = (_seal, _index, _records, _list, _verdict, _observations, _statement, _signature)
    return tuple(tried(step.__name__[1:], partial(step, folder)) for step in steps)


def tried(name: str, step: Callable[[], FolderCheck]) -> FolderCheck:
    """The check, or the objection that it could not be made; a malformed file never ends in a traceback."""
    try:
        return step()
    except GateError as error:
        return FolderCheck(name, CheckResult((Rejection(error.cause, error.where, error.remedy),)))
    except (KeyError, TypeError, AttributeError, ValueError, IndexError, RecursionError, OverflowError) as error:
        # JSON, but not in the form that a run writes: whoever edited it broke it.
        cause = f"a file is not in the form that a run writes: {type(error).__name__}: {error}"
        return FolderCheck(name, reject(cause, str(name), "do not rely on this folder"))


def _seal(folder: RunFolder) -> FolderCheck:
    found = seal.seal_in(json_in(folder.path, SEAL))
    now = hashed(folder.path, seal.own_files(folder.path, folder.apart))
    lock = [f"{seal.LOCK}: the number of the process that wrote here last"] * is_there(folder.path / seal.LOCK)
    seen = f"{len(found.files)} files have their sha-256, none is unlisted"
    result = integrity.unaltered(found.files, now.hashes, now.unread, by="seal", folder="")
    return FolderCheck("seal", result, seen, uncovered=tuple(lock))


def _index(folder: RunFolder) -> FolderCheck:
    index, found = json_in(folder.path, _INDEX), folder.evidence
    seen = f"{len(index)} files have their sha-256, none is unlisted"
    return FolderCheck("index", integrity.unaltered(index, found.hashes, found.unread), seen)


def _records(folder: RunFolder) -> FolderCheck:
    raw = folder.evidence.kept
    return FolderCheck("records", integrity.intact(raw), f"{len(raw)} answers have their own sha-256")


def _list(folder: RunFolder) -> FolderCheck:
    result = integrity.listed(json_in(folder.path, _VERDICT)["evidence"], json_in(folder.path, _INDEX))
    return FolderCheck("list", result, "verdict.json names the same files with the same hashes")


def _verdict(folder: RunFolder) -> FolderCheck:
    json_in(folder.path, _INDEX)  # without it the run did not end, and verdict.json still says so
    run = _run_record(folder)
    document = json_in(folder.path, _VERDICT)
    seen = f"decided again from {len(run.outcomes)} recorded outcomes: {document.get('verdict')}"
    return FolderCheck("verdict", integrity.follows(document, run), seen)


def _run_record(folder: RunFolder) -> RunRecord:
    """The record of the run, from its one record.

    Raises:
        EvidenceDamaged: there is none, or more than one, or it cannot be read.
    """
    found = recheck.titled(folder.records, TITLE)
    if len(found) != 1:
        raise EvidenceDamaged(
            f"the evidence holds {len(found)} records titled “{TITLE}”, and the verdict follows from exactly one",
            where="evidence/",
            remedy="the run was cut short, or made by an older gate: run the gate again",
        )
    return run_record_in(found[0].get("answer"))


def _configuration(folder: RunFolder) -> Configuration | None:
    found = recheck.titled(folder.records, CONFIGURATION)
    return configuration_in(found[-1].get("answer")) if found else None


def _observations(folder: RunFolder) -> FolderCheck:
    """What the verdict says, decided again from the observations where they allow it."""
    run, records, found = _run_record(folder), folder.records, _configuration(folder)
    result = recheck.scenarios_rest_on_records(run, records) + recheck.self_tests_agree(run.proofs)
    result += recheck.configuration_holds(run, found)
    again = [f"{len(run.proofs)} answers of checks to known-bad values", "what was overridden"]
    if run.verdict().word in recheck.YES:
        release = found.release if found else {}
        calls = [call for record in recheck.titled(records, _CALLS)[-1:] for call in record["answer"]]
        result += recheck.call_log_holds(calls, str(release.get("repository")), str(release.get("zip_function")))
        result += recheck.scans_hold(run, records)
        scans = len(recheck.titled(records, recheck.SCANS))
        again += [f"{len(calls)} AWS calls", f"digest, age and critical findings of {scans} scans"]
        if run.kind in {"full", "promotion"}:
            result += recheck.image_holds(run, records)
            again.append("the manifest's digest, tags and sizes")
    passed = sum(outcome.status == "passed" for outcome in run.outcomes)
    seen = f"decided again: {', '.join(again)}; all else of {passed} passed scenarios rests on the recorded outcomes"
    return FolderCheck("observations", result, seen)


def _statement(folder: RunFolder) -> FolderCheck:
    document = json_in(folder.path, _VERDICT)
    if statement.subject_of(document) is None and not is_there(folder.path / STATEMENT):
        return FolderCheck("statement", ACCEPTED, "none: the run knew no image that one could be made about", open=True)
    said = statement.read(content(folder.path / STATEMENT, STATEMENT))
    hashes = statement.hashes_of(folder.path)
    seen = f"{said['predicate'].get('result')} over {statement.subject_of(document)}, covering {', '.join(hashes)}"
    return FolderCheck("statement", statement.states(said, document, hashes), seen)


def _signature(folder: RunFolder) -> FolderCheck:
    whose = folder.whose
    if not is_there(folder.path / ENVELOPE):
        if whose:
            remedy = "take the folder as it was signed, or run the gate again with --sign KEY"
            cause = f"nobody signed this run: {ENVELOPE} is missing"
            return FolderCheck("signature", reject(cause, str(folder.path), remedy))
        seen = "none: hashes show damage and careless edits; only a signature (--sign KEY) shows who made the folder"
        return FolderCheck("signature", ACCEPTED, seen, open=True)
    envelope = content(folder.path / ENVELOPE, ENVELOPE)
    result = signature.signed(envelope, content(folder.path / STATEMENT, STATEMENT), whose)
    if whose:
        return FolderCheck("signature", result, f"signed by the given {signature.described(whose)}")
    names = ", ".join(filter(None, signature.opened(envelope).signatures)) or "a certificate"
    return FolderCheck("signature", result, f"signed in the name of {names}; not checked, no key was given", open=True)
